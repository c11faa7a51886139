# STARTTLS sessions, TLS 1.3, each with a whole handshake: in the accept loop beside Postfix, whose processes serve one client
# after the other, and with a program started for each connection beside exim -bs. Ours and the peers take turns.

. $here/postfix.sh
count=400 rounds=3
of() { if [ "$1" = exim ]; then echo 60; else echo $count; fi; }  # sessions a round: it waits before it says 221

identity() {  # name, openssl's words for the key
    name=$1
    shift
    openssl req -x509 -newkey "$@" -nodes -keyout "$scratch/$name.key" -out "$scratch/$name.crt" -subj "/CN=$domain" -days 3 \
        2>>"$scratch/errors" && cat "$scratch/$name.crt" "$scratch/$name.key" >"$scratch/$name.pem"
}

tls_on() {  # server, its pid: "wall CPU PSS" to a file of its name
    timeout 120 "$tools/meter" "$2" "$tools/starttls" "127.0.0.1:$port" 10 "$(of "$1")" >>"$scratch/starttls.$1" 2>>"$scratch/errors" ||
        echo "$1: failed: $(tail -n 1 "$scratch/errors")"
}
tls_rate() { calc %.0f "$(of "$1") * 1000 / $(median 1 <"$scratch/starttls.$1" | cut -d' ' -f1)"; }
tls_cost() { calc %.2f "$(median 2 <"$scratch/starttls.$1" | cut -d' ' -f1) / $(of "$1")"; }
tls_figures() { if [ -s "$scratch/starttls.$1" ]; then echo "$(tls_rate $1)/s, $(tls_cost $1) ms"; else echo 'not here'; fi; }

# The daemon of Debian's package, unpacked (.ci/run, real_parts), under our tcpserver. It gives up root for a user of its own: a mount
# namespace where there is one. Its TLS is GnuTLS.
exim=$PWD/build/parts/usr/sbin/exim4
serve_exim() {  # kind of key
    there=$scratch/exim-$1
    mkdir -p "$there/spool" "$there/log" && chown 65000:65000 "$there/spool" "$there/log"
    { cat /etc/passwd; echo 'Debian-exim:x:65000:65000::/nonexistent:/bin/false'; } >"$there/passwd"
    { cat /etc/group; echo 'Debian-exim:x:65000:'; } >"$there/group"
    echo "mount --bind '$there/passwd' /etc/passwd && mount --bind '$there/group' /etc/group && exec \"\$@\"" >"$there/enter"
    printf '%s\n' "exim_path = $exim" 'exim_user = Debian-exim' 'exim_group = Debian-exim' "spool_directory = $there/spool" \
        "log_file_path = $there/log/%s" "primary_hostname = $domain" 'keep_environment =' 'tls_advertise_hosts = *' \
        "tls_certificate = $scratch/$1.crt" "tls_privatekey = $there/key" >"$there/conf"
    install -o 65000 -m 600 "$scratch/$1.key" "$there/key"
    serve unshare -m sh "$there/enter" tcpserver -H -R -l0 -c 200 -b 1024 127.0.0.1 "$port" "$exim" -C "$there/conf" -bs
}
exim_here() { [ -x "$exim" ] && [ "$(id -u)" -eq 0 ] && have unshare && have tcpserver; }

starttls_rows() {  # kind of key
    { cat "$scratch/discard.conf"; printf '[tls]\ncertificate = %s\n' "$scratch/$1.pem"; } >"$scratch/tls-$1.conf"
    rm -f "$scratch"/starttls.*
    port=$(free_port); serve_loop "tls-$1"; wait_for_server && loop_port=$port loop_pid=$server
    exec_pid=
    if have tcpserver; then
        port=$(free_port); serve_tcpserver "tls-$1"; wait_for_server && exec_port=$port exec_pid=$server
    fi
    exim_pid=
    if exim_here; then
        port=$(free_port); serve_exim "$1"; wait_for_server && exim_port=$port exim_pid=$server
    fi
    peer_pid=
    if postfix_ready; then
        port=$(free_port)
        if start_postfix; then
            for setting in smtpd_tls_security_level=may "smtpd_tls_cert_file=$scratch/$1.crt" "smtpd_tls_key_file=$scratch/$1.key"; do
                postconf -c "$scratch/postfix/etc" -e "$setting"
            done
            postfix -c "$scratch/postfix/etc" reload >>"$scratch/errors" 2>&1
            wait_for_server && peer_port=$port peer_pid=$postfix_pid
        fi
    fi
    round=0
    while [ $round -lt $rounds ]; do
        port=$loop_port; tls_on loop "$loop_pid"
        [ -z "$exec_pid" ] || { port=$exec_port; tls_on exec "$exec_pid"; }
        [ -z "$exim_pid" ] || { port=$exim_port; tls_on exim "$exim_pid"; }
        [ -z "$peer_pid" ] || { port=$peer_port; tls_on postfix "$peer_pid"; }
        round=$((round + 1))
    done
    end_server "$loop_pid"
    [ -z "$exec_pid" ] || end_server "$exec_pid"
    [ -z "$exim_pid" ] || end_server "$exim_pid"
    [ -z "$peer_pid" ] || stop_postfix
    reached=-
    [ ! -s "$scratch/starttls.postfix" ] || reached=$(yes_if "$(tls_rate loop) >= $(tls_rate postfix)")
    row "STARTTLS, $1, smtpd -l, sessions/s, CPU" "$(tls_figures loop)" "Postfix $(tls_figures postfix)" '>= Postfix' "$reached"
    [ -s "$scratch/starttls.exec" ] || { row "STARTTLS, $1, tcpserver" 'no tcpserver' - - -; return; }
    row "STARTTLS, $1, tcpserver, sessions/s, CPU" "$(tls_figures exec)" "exim -bs $(tls_figures exim)" "$2" "$([ "$2" = - ] && echo - || yes_if "$(tls_rate exec) >= 350")"
}

cp "$B/bin/smtpd-tls" "$scratch/bin/"
if have openssl && identity rsa-2048 rsa:2048 && identity p-256 ec -pkeyopt ec_paramgen_curve:P-256; then
    starttls_rows p-256 '>= 350/s'
    starttls_rows rsa-2048 -
else
    row 'STARTTLS' 'no openssl' - - -
fi
