# The memory of a greeted session that waits for a command, and of one that a tarpit holds off; mean of fifty.

sessions=50

idle_row() {  # name, how the clients come (hold, or knock: without a greeting); the server is $server at $port
    mkfifo "$scratch/hold"
    # The write end stays ours until the memory has been read.
    "$tools/load" "--${2:-hold}" "127.0.0.1:$port" $sessions <"$scratch/hold" >"$scratch/held" &
    holder=$!
    exec 3>"$scratch/hold"
    tries=0
    until [ -s "$scratch/held" ] || [ $tries -ge 250 ]; do sleep 0.02; tries=$((tries + 1)); done
    # Nothing tells from outside that a process has come to its wait.
    [ "${2:-hold}" = hold ] || sleep 1
    set -- "$1" $("$tools/meter" "$server")
    exec 3>&-
    wait $holder
    rm -f "$scratch/hold" "$scratch/held"
    row "$1, PSS in KiB ($2 sessions)" "$3" - '<= 100' "$(yes_if "$3 <= 100 && $2 == $sessions")"
}

if have tcpserver; then
    port=$(free_port)
    serve_tcpserver discard
    wait_for_server && idle_row 'idle session, an exec each (tcpserver)'
    end_server "$server"
else
    row 'idle session, an exec each' 'no tcpserver' - '<= 100' -
fi
port=$(free_port)
serve_loop discard
wait_for_server && idle_row 'idle session, smtpd -l'
end_server "$server"

# Nobody is greeted, so that the server is known to be there by its log.
port=$(free_port)
serve "$smtpd" -D -C "$scratch/discard.conf" -l "127.0.0.1:$port"
tries=0
until grep -q "listening.*:$port" "$scratch/log" || [ $tries -ge 100 ]; do sleep 0.02; tries=$((tries + 1)); done
idle_row 'tarpitted session, smtpd -D -l' knock
end_server "$server"
