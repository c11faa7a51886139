# smtp -s, from its start to its end: 1 KB over STARTTLS to a loop of ours, the certificate verified, against other people's senders.

mail=$scratch/mail
small_mail "$mail"

tls_peer_row() {  # name, command...
    what=$1
    shift
    have "$1" || { row "smtp -s, 1 KB, peer: $what" 'not here' - - -; return; }
    row "smtp -s, 1 KB, peer: $what, ms: median (least), CPU" - "$(show_cost "$(cost_of 30 "$mail" "$@")")" - -
}

sender_tls_rows() {
    printf '[tls]\nca_directory = %s\n' "$scratch/ca" >"$scratch/trusting.conf"
    set -- $(cost_of 100 "$mail" "$PWD/$B/bin/smtp" -s -C "$scratch/trusting.conf" "[127.0.0.1]:$port" from@$domain to@$domain)
    [ $# -eq 5 ] || { row 'smtp -s, 1 KB, start to exit' failed - - no; return; }
    row 'smtp -s, 1 KB, start to exit, ms: median (least), CPU' "$1 ($2), $3" - - -
    tls_peer_row msmtp msmtp --domain=client.home.arpa --host=127.0.0.1 --port="$port" --tls=on --tls-starttls=on --tls-trust-file="$scratch/sink.crt" --auth=off \
        --from=from@$domain to@$domain
    tls_peer_row curl curl -s --crlf --ssl-reqd --cacert "$scratch/sink.crt" "smtp://127.0.0.1:$port/client.home.arpa" --mail-from from@$domain --mail-rcpt to@$domain -T "$mail"
}

if have openssl && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$scratch/sink.key" -out "$scratch/sink.crt" \
    -subj "/CN=$domain" -addext 'subjectAltName = IP:127.0.0.1' -days 3 2>>"$scratch/errors"; then
    mkdir -p "$scratch/ca" && cp "$scratch/sink.crt" "$scratch/ca/sink.pem" && openssl rehash "$scratch/ca" 2>>"$scratch/errors"
    cat "$scratch/sink.crt" "$scratch/sink.key" >"$scratch/sink.pem"
    cp "$B/bin/smtpd-tls" "$scratch/bin/"
    { cat "$scratch/discard.conf"; printf '[tls]\ncertificate = %s\n' "$scratch/sink.pem"; } >"$scratch/tls-sink.conf"
    port=$(free_port)
    serve_loop tls-sink
    wait_for_server && sender_tls_rows
    end_server "$server"
else
    row 'smtp -s, 1 KB, start to exit' 'no openssl' - - -
fi
