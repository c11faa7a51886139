# smtp, from its start to its end: 1 KB to a local sink against other people's senders, 200 MB, and the price of asking DNS.

mail=$scratch/mail octets=200000000
{ printf 'Message-ID: <1@%s>\nDate: Sun, 22 Nov 2026 00:00:00 +0000\nFrom: from@%s\nTo: to@%s\nSubject: bench\n\n' $domain $domain $domain
  i=0; while [ $i -lt 14 ]; do echo 'a line of about seventy octets, fourteen of which make one thousand.'; i=$((i + 1)); done; } >"$mail"

cost_of() { timeout 120 "$tools/start" "$@" 2>>"$scratch/errors"; }  # N FILE COMMAND...: "median least CPU RSS"

peer_row() {  # name, command...
    what=$1
    shift
    if ! have "$1" && [ ! -x "$1" ]; then row "smtp, 1 KB, peer: $what" 'not here' - - -; return; fi
    case $what in
    nullmailer) figures=$(cost_of -3 30 "$scratch/queued" "$@") ;;
    *) figures=$(cost_of 30 "$mail" "$@") ;;
    esac || figures=
    row "smtp, 1 KB, peer: $what, ms: median (least), CPU" - "$(echo "${figures:-failed}" | awk '{ print $2 ? $1 " (" $2 "), " $3 : $0 }')" - -
}

# Where the package would take another mailer's place, it is unpacked beside the build: .ci/run, real_parts.
part() { if [ -x "$1" ]; then echo "$1"; else echo "$PWD/build/parts$1"; fi; }

# It knows one configuration and one spool, and gives up root for a user who must own it: a mount namespace, and root.
dma_row() {
    dma=$(part /usr/sbin/dma) there=$scratch/dma
    if [ ! -x "$dma" ] || [ "$(id -u)" -ne 0 ] || ! have unshare; then row 'smtp, 1 KB, peer: dma' 'not here' - - -; return; fi
    mkdir -p "$there/etc/dma" "$there/spool/dma"
    printf '%s\n' 'SMARTHOST 127.0.0.1' "PORT $port" 'MAILNAME box.home.arpa' >"$there/etc/dma/dma.conf"
    : >"$there/etc/dma/auth.conf"
    echo box.home.arpa >"$there/etc/mailname"
    chgrp mail "$there/spool/dma" && chmod 2775 "$there/spool/dma"
    echo "mount -t overlay overlay -o 'lowerdir=$there/etc:/etc' /etc && mount --bind '$there/spool' /var/spool && exec \"\$@\"" >"$there/enter"
    figures=$(timeout 120 unshare -m sh "$there/enter" "$tools/start" 30 "$mail" "$dma" -D -f from@box.home.arpa to@$domain 2>>"$scratch/errors") || figures=
    row 'smtp, 1 KB, peer: dma, ms: median (least), CPU' - "$(echo "${figures:-failed}" | awk '{ print $2 ? $1 " (" $2 "), " $3 : $0 }')" - -
}

sender_rows() {
    smtp=$PWD/$B/bin/smtp
    set -- $(cost_of 200 "$mail" "$smtp" -C /dev/null "[127.0.0.1]:$port" from@$domain to@$domain)
    [ $# -eq 4 ] || { row 'smtp, 1 KB, start to exit' failed - - no; return; }
    row 'smtp, 1 KB, start to exit, ms: median (least), CPU' "$1 ($2), $3" - '<= 0.8' "$(yes_if "$1 <= 0.8")"
    peer_row msmtp msmtp --host=127.0.0.1 --port="$port" --tls=off --auth=off --from=from@$domain to@$domain
    peer_row curl curl -s "smtp://127.0.0.1:$port" --mail-from from@$domain --mail-rcpt to@$domain -T "$mail"
    { printf '%s\n' "from@$domain" "to@$domain" ''; cat "$mail"; } >"$scratch/queued"
    export HELOHOST=client.home.arpa
    peer_row nullmailer "$(part /usr/lib/nullmailer/smtp)" --host=127.0.0.1 --port="$port"
    dma_row

    [ -z "${SMALL-}" ] || return 0
    head -c $octets /dev/zero | tr '\0' a | fold -w 70 | cat "$mail" - >"$scratch/large.mail"
    set -- $(cost_of 3 "$scratch/large.mail" "$smtp" -C "$scratch/discard.conf" "[127.0.0.1]:$port" from@$domain to@$domain)
    [ $# -eq 4 ] || { row 'smtp, 200 MB' failed - - no; return; }
    row 'smtp, 200 MB, MB/s; CPU s; most RSS KiB' "$(calc '%.0f; %.2f' "$octets / 1000 / $1, $3 / 1000"); $4" - '<= 8192 KiB' "$(yes_if "$4 <= 8192")"
    rm -f "$scratch/large.mail"
}

# A name server of our own: the one of the tests, if it was built.
dns_row() {
    have dnsmasq || { row 'smtp, 1 KB, MX and addresses asked for' 'no dnsmasq' - - -; return; }
    ask=$(free_port)
    serve dnsmasq -k -C /dev/null -p "$ask" -a 127.0.0.1 -z -R -h -i lo --mx-host=$domain,mx.$domain,10 --host-record=mx.$domain,192.0.2.1 --host-record=to.$domain,127.0.0.1
    named=$server
    printf '[dns]\nnameservers = 127.0.0.1:%s\n' "$ask" >"$scratch/dns.conf"
    sleep 0.2
    set -- $(cost_of 100 "$mail" "$PWD/$B/bin/smtp" -C "$scratch/dns.conf" "[to.$domain]:$port" from@$domain to@$domain)
    [ $# -eq 4 ] || set -- failed - - -
    row 'smtp, 1 KB, addresses asked for, ms: median (least), CPU' "$1 ($2), $3" - - -
    end_server "$named"
}

port=$(free_port)
if have smtp-sink; then serve_sink; else serve_loop discard; fi
wait_for_server && sender_rows && dns_row
end_server "$server"
