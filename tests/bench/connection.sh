# What a connection without a message costs the server, its listener included.

connections() {
    i=0
    while [ $i -lt 5 ]; do
        "$tools/meter" "$server" "$tools/load" "127.0.0.1:$port" 1 100 none 2>>"$scratch/errors"
        i=$((i + 1))
    done | median 2
}

connection_row() {  # name, goal in ms
    wait_for_server && set -- "$1" "$2" $(connections)
    end_server "$server"
    [ $# -eq 4 ] || return
    row "$1, CPU ms: median (least)" "$(calc %.2f "$3 / 100") ($(calc %.2f "$4 / 100"))" '-' "<= $2" "$(yes_if "$3 / 100 <= $2")"
}

port=$(free_port)
if have tcpserver; then
    serve_tcpserver discard
    connection_row '220 and QUIT under tcpserver' 0.45
else
    row '220 and QUIT under tcpserver' 'no tcpserver' - '<= 0.45' -
fi
port=$(free_port)
serve_loop discard
connection_row '220 and QUIT under smtpd -l' 0.45
