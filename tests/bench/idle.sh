# The memory of a greeted session that waits for a command, mean of fifty.

sessions=50

idle_row() {  # name; the server is $server at $port
    mkfifo "$scratch/hold"
    # The write end stays ours until the memory has been read.
    "$tools/load" --hold "127.0.0.1:$port" $sessions <"$scratch/hold" >"$scratch/held" &
    holder=$!
    exec 3>"$scratch/hold"
    tries=0
    until [ -s "$scratch/held" ] || [ $tries -ge 250 ]; do sleep 0.02; tries=$((tries + 1)); done
    set -- "$1" $("$tools/meter" "$server")
    exec 3>&-
    wait $holder
    rm -f "$scratch/hold" "$scratch/held"
    row "idle session, $1, PSS in KiB ($2 sessions)" "$3" - '<= 100' "$(yes_if "$3 <= 100 && $2 == $sessions")"
}

if have tcpserver; then
    port=$(free_port)
    serve_tcpserver discard
    wait_for_server && idle_row 'an exec each (tcpserver)'
    end_server "$server"
else
    row 'idle session, an exec each' 'no tcpserver' - '<= 100' -
fi
port=$(free_port)
serve_loop discard
wait_for_server && idle_row 'smtpd -l'
end_server "$server"
