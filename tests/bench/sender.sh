# smtp, from its start to its end: 1 KB to a local sink against other people's senders, 200 MB, and the price of asking DNS.

mail=$scratch/mail octets=200000000
small_mail "$mail"
cp "$B/bin/smtp" "$tools/floor-sender" "$scratch/bin/" || exit 1
smtp=$scratch/bin/smtp

# Where the package would take another mailer's place, it is unpacked beside the build: .ci/run, real_parts.
part() { if [ -x "$1" ]; then echo "$1"; else echo "$PWD/build/parts$1"; fi; }

# name, figures as cost_of gives them
peer_row() { row "smtp, 1 KB, peer: $1, ms: median (least), CPU" - "$(show_cost "$2")" - -; }

# name, command...; -3 first: its file is descriptor 3
peer() {
    third= what=$1 file=$mail
    shift
    [ "$1" != -3 ] || { third=-3 file=$scratch/queued; shift; }
    if have "$1"; then peer_row "$what" "$(cost_of $third 30 "$file" "$@")"; else peer_row "$what" 'not here'; fi
}

# It knows one configuration and one spool, and gives up root for a user who must own it: a mount namespace, and root.
dma_row() {
    dma=$(part /usr/sbin/dma) there=$scratch/dma
    [ -x "$dma" ] || { peer_row dma 'not here'; return; }
    { [ "$(id -u)" -eq 0 ] && have unshare; } || { peer_row dma 'needs root'; return; }
    mkdir -p "$there/etc/dma" "$there/spool/dma"
    printf '%s\n' 'SMARTHOST 127.0.0.1' "PORT $port" 'MAILNAME box.home.arpa' >"$there/etc/dma/dma.conf"
    : >"$there/etc/dma/auth.conf"
    echo box.home.arpa >"$there/etc/mailname"
    chown mail:mail "$there/spool/dma" && chmod 2775 "$there/spool/dma"
    echo "mount -t overlay overlay -o 'lowerdir=$there/etc:/etc' /etc && mount --bind '$there/spool' /var/spool && exec \"\$@\"" >"$there/enter"
    peer_row dma "$(timeout 120 unshare -m sh "$there/enter" "$tools/start" 30 "$mail" "$dma" -D -f from@box.home.arpa to@$domain 2>>"$scratch/errors")"
}

small_rows() {
    floor=$(cost_of 200 "$mail" "$scratch/bin/floor-sender" "$port" from@$domain to@$domain)
    set -- $(cost_of 200 "$mail" "$scratch/bin/discard") $(cost_of 200 "$mail" "$smtp" -C /dev/null "[127.0.0.1]:$port" from@$domain to@$domain) $floor
    [ $# -eq 15 ] || { row 'smtp, 1 KB, start to exit' failed - - no; return; }
    row 'smtp, 1 KB, start to exit, ms: median (least), CPU' "$6 ($7), $8" "no program at all $1 ($2), $3" '<= 0.8' "$(yes_if "$6 <= 0.8")"
    row '  the same above the least sender there can be, ms' "$(calc '%.2f (%.2f)' "$6 - ${11}, $7 - ${12}")" "it: ${11} (${12}), ${13}" '<= 0.35 (0.8 - 0.45)' "$(yes_if "$6 - ${11} <= 0.35")"
    row '  minor faults' "${10}" "no program at all $5, the least sender ${15}" - -
    peer msmtp msmtp --host=127.0.0.1 --port="$port" --tls=off --auth=off --from=from@$domain to@$domain
    peer curl curl -s "smtp://127.0.0.1:$port" --mail-from from@$domain --mail-rcpt to@$domain -T "$mail"
    { printf '%s\n' "from@$domain" "to@$domain" ''; cat "$mail"; } >"$scratch/queued"
    export HELOHOST=client.home.arpa
    peer nullmailer -3 "$(part /usr/lib/nullmailer/smtp)" --host=127.0.0.1 --port="$port"
    dma_row
}

# name, command...: "MB/s; CPU s; KiB" of a large message, or nothing; in turn with ours, three times.
large() {
    set -- $(cost_of 3 "$scratch/large.mail" "$@")
    [ $# -ne 5 ] || echo "$(calc '%.0f; %.2f' "$octets / 1000 / $1, $3 / 1000"); $4"
}

# To our own sink: Postfix's takes about 150 MB/s, and what a faster sender does would not be seen.
large_rows() {
    head -c $octets /dev/zero | tr '\0' a | fold -w 70 | cat "$mail" - >"$scratch/large.mail"
    figures=$(large "$smtp" -C "$scratch/discard.conf" "[127.0.0.1]:$port" from@$domain to@$domain)
    what='smtp, 200 MB, MB/s; CPU s; most RSS KiB'
    if [ -z "$figures" ]; then
        row "$what" failed - - no
    else
        row "$what" "$figures" - '> 246; <= 8192 KiB' "$(yes_if "${figures%%;*} > 246 && ${figures##*; } <= 8192")"
    fi
    for name in curl msmtp; do
        case $name in
        curl) set -- curl -s "smtp://127.0.0.1:$port" --mail-from from@$domain --mail-rcpt to@$domain -T "$scratch/large.mail" ;;
        msmtp) set -- msmtp --host=127.0.0.1 --port="$port" --tls=off --auth=off --from=from@$domain to@$domain ;;
        esac
        if have $name; then figures=$(large "$@"); else figures='not here'; fi
        row "  the same, peer: $name" - "${figures:-failed}" - -
    done
    rm -f "$scratch/large.mail"
}

# A host behind a wire of our own, since an MX that leads to the loopback is refused: $@ runs beside its name server.
mx_world='
    ip link set lo up && ip link add near type veth peer name far && ip addr add 192.0.2.1/24 dev near && ip link set near up || exit 1
    unshare -n sh -c "echo >\"$there/up\"; read -r go <\"$there/go\"; ip addr add 192.0.2.25/24 dev far && ip link set far up &&
        exec \"$sink\" 192.0.2.25:25 1024" >/dev/null 2>&1 </dev/null &
    far=$!
    read -r up <"$there/up"
    ip link set far netns $far || exit 1
    dnsmasq -d -C /dev/null -p 53 -a 127.0.0.1 -z -R -h --mx-host=$domain,mx.$domain,10 --host-record=mx.$domain,192.0.2.25 >/dev/null 2>&1 </dev/null &
    echo >"$there/go"
    "$@"
    kill $far $!'
dns_rows() {
    have dnsmasq || { row 'smtp, 1 KB, with DNS' 'no dnsmasq' - - -; return; }
    ask=$(free_port)
    serve dnsmasq -k -C /dev/null -p "$ask" -a 127.0.0.1 -z -R -h -i lo --host-record=to.$domain,127.0.0.1
    named=$server
    printf '[dns]\nnameservers = 127.0.0.1:%s\n' "$ask" >"$scratch/dns.conf"
    # A name server says nothing when it is ready.
    tries=0
    until "$smtp" -C "$scratch/dns.conf" "[to.$domain]:$port" from@$domain to@$domain <"$mail" >/dev/null 2>&1 || [ $tries -eq 100 ]; do
        tries=$((tries + 1))
        sleep 0.02
    done
    set -- $(cost_of 100 "$mail" "$smtp" -C "$scratch/dns.conf" "[to.$domain]:$port" from@$domain to@$domain)
    [ $# -eq 5 ] || set -- failed - - -
    row 'smtp, 1 KB, addresses asked for, ms: median (least), CPU' "$1 ($2), $3" - - -
    end_server "$named"

    what='smtp, 1 KB, MX and addresses asked for'
    have ip && unshare -rn true 2>/dev/null || { row "$what" 'no namespaces' - - -; return; }
    export there=$scratch/mx sink=$PWD/$B/bin/smtp-sink domain
    mkdir "$there" && mkfifo "$there/up" "$there/go"
    printf '[dns]\nnameservers = 127.0.0.1:53\n' >"$there/conf"
    set -- $(timeout 60 unshare -rn sh -c "$mx_world" mx sh -c '
        tries=0; until "$0" -C "$1" $domain from@$domain to@$domain <"$2" >/dev/null 2>&1 || [ $tries -eq 100 ]; do tries=$((tries + 1)); sleep 0.02; done
        "$3" 100 "$2" "$0" -C "$1" $domain from@$domain to@$domain' "$smtp" "$there/conf" "$mail" "$tools/start" 2>>"$scratch/errors")
    [ $# -eq 5 ] || set -- failed - - -
    row "$what, ms: median (least), CPU" "$1 ($2), $3" - - -
}

sender_rows() {
    port=$(free_port)
    if have smtp-sink; then serve_sink; else serve_loop discard; fi
    postfix_sink=$server
    wait_for_server && small_rows && dns_rows
    end_server "$postfix_sink"
    [ -z "${SMALL-}" ] || return 0
    port=$(free_port)
    serve "$B/bin/smtp-sink" "127.0.0.1:$port" 1024
    wait_for_server && large_rows
    end_server "$server"
}
sender_rows
