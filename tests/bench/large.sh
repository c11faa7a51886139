# One message of 200 MB: rate, CPU and the most memory of any moment.

octets=200000000

large_row() {  # name, goal in MB/s or -, goal in KiB or -; the server is $server at $port
    file=$scratch/large.$port
    rm -f "$file"
    for turn in 1 2 3; do measure -p "$server" "$file" 1 $octets 1; done
    [ -s "$file" ] || return
    speed=$(calc %.0f "$octets / 1000 / $(median 1 <"$file" | cut -d' ' -f1)")
    best=$(calc %.0f "$octets / 1000 / $(median 1 <"$file" | cut -d' ' -f2)")
    memory=$(median 3 most <"$file" | cut -d' ' -f2)
    reached=-
    [ "$2" = - ] || reached=$(yes_if "$speed >= $2")
    row "200 MB, $1, MB/s: median (most)" "$speed ($best)" - "$([ "$2" = - ] || echo ">= $2")" "$reached"
    reached=-
    [ "$3" = - ] || reached=$(yes_if "$memory <= $3")
    row '  CPU s; most PSS of all its processes, KiB' "$(calc %.2f "$(median 2 <"$file" | cut -d' ' -f1) / 1000"); $memory" - \
        "$([ "$3" = - ] || echo "<= $3 KiB")" "$reached"
}

for mailer in discard send; do
    port=$(free_port)
    serve_loop $mailer
    wait_for_server && large_row "-l, $mailer" 400 2048
    end_server "$server"
    rm -rf "$scratch"/state/mail/*/*/Maildir/new
done
if have smtp-sink; then
    port=$(free_port)
    serve_sink
    wait_for_server && large_row 'peer: smtp-sink' - -
    end_server "$server"
else
    row '200 MB, peer: smtp-sink' 'not here' - - -
fi
if postfix_ready; then
    port=$(free_port)
    start_postfix && server=$postfix_pid && wait_for_server && large_row 'peer: Postfix' - -
    stop_postfix
else
    row '200 MB, peer: Postfix' 'not here' - - -
fi
