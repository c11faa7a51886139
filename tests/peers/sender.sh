# smtp against other people's servers: smtp-sink, and a private Postfix that keeps the message in a Maildir (root).
here=$(mktemp -d) || exit 1
passed=0 failed=0 skipped=0 pids=
trap 'for pid in $pids; do kill "$pid" 2>/dev/null; done; [ ! -d "$here/etc" ] || postfix -c "$here/etc" stop >/dev/null 2>&1; rm -rf "$here"' EXIT
: "${B:=build/release-g++}"
smtp=$B/bin/smtp
tell() { if [ "$1" -eq 0 ]; then passed=$((passed + 1)); else failed=$((failed + 1)); echo "FAILED: $2"; fi; }
skip() { skipped=$((skipped + 1)); echo "skipped: $1"; }
PATH=$PATH:/usr/sbin
chmod 755 "$here"
mkdir -m 777 "$here/sinks"
printf 'Subject: peer\nFrom: a@b.example\nTo: joe@peer.test\nDate: Sun, 22 Nov 2026 00:00:00 +0000\nMessage-ID: <1@b.example>\n\nhello\n.dot\n' >"$here/mail"

# send ADDRESS:PORT EXPECTED-STATUS NAME ARGUMENT...: until somebody listens, for five seconds.
send() {
    where=$1 expected=$2 name=$3
    shift 3
    tries=0
    while :; do
        "$smtp" -C /dev/null "$@" "$where" a@b.example joe@peer.test <"$here/mail" >"$here/said" 2>&1
        status=$?
        grep -q 'Connection refused' "$here/said" && [ $tries -lt 50 ] || break
        tries=$((tries + 1))
        sleep 0.1
    done
    [ $status -eq "$expected" ]
    tell $? "$name: status $status, expected $expected: $(cat "$here/said")"
}

if command -v smtp-sink >/dev/null; then
    user=$([ "$(id -u)" -eq 0 ] && echo '-u nobody')
    sink() {  # EXPECTED NAME OPTIONS...
        expected=$1 name=$2
        shift 2
        path=unix:$here/sinks/$passed.$failed
        # shellcheck disable=SC2086
        ( cd "$here" && exec smtp-sink $user "$@" "$path" 10 ) 2>/dev/null &
        pid=$! pids="$pids $!"
        tries=0
        until [ -S "${path#unix:}" ] || [ $tries -ge 50 ]; do tries=$((tries + 1)); sleep 0.1; done
        send "unix!${path#unix:}" "$expected" "smtp-sink: $name"
        kill $pid 2>/dev/null
    }
    sink 0 plain
    sink 0 'no ESMTP' -e
    sink 0 'no PIPELINING' -p
    sink 0 'HELO only' -F
    sink 75 'RCPT 450' -r rcpt
    sink 69 'RCPT 500' -f rcpt
    sink 75 '450 to the dot' -r .
    sink 75 'gone at DATA' -q data
    sink 75 'gone behind the dot' -q .
else
    skip 'smtp-sink is not installed'
fi

if [ "$(id -u)" -eq 0 ] && command -v postfix >/dev/null && [ -d /usr/lib/postfix/sbin ] && id postfix >/dev/null 2>&1; then
    mkdir -p "$here/etc" "$here/spool" "$here/data" "$here/box" && chown postfix "$here/data" && chown nobody "$here/box"
    for name in dynamicmaps.cf postfix-files dynamicmaps.cf.d postfix-files.d; do
        [ ! -e "/etc/postfix/$name" ] || cp -r "/etc/postfix/$name" "$here/etc/"
    done
    master=/etc/postfix/master.cf
    [ -f $master ] || master=/usr/share/postfix/master.cf.dist
    sed -E -e 's/^([a-z0-9]+ +(inet|unix|fifo|pass) +[^ ]+ +[^ ]+ +)[y-]/\1n/' -e "s/^smtp( +inet)/127.0.0.1:25525\1/" $master >"$here/etc/master.cf"
    printf '%s\n' 'compatibility_level = 3.6' "queue_directory = $here/spool" "data_directory = $here/data" \
        'command_directory = /usr/sbin' 'daemon_directory = /usr/lib/postfix/sbin' 'shlib_directory = /usr/lib/postfix' \
        "meta_directory = $here/etc" 'mail_owner = postfix' 'setgid_group = postdrop' 'inet_interfaces = 127.0.0.1' \
        'inet_protocols = ipv4' 'myhostname = mx.peer.test' 'mydestination =' 'alias_maps =' 'virtual_mailbox_domains = peer.test' \
        "virtual_mailbox_base = $here/box" "virtual_mailbox_maps = inline:{joe@peer.test=joe/}" "virtual_uid_maps = static:$(id -u nobody)" \
        "virtual_gid_maps = static:$(id -g nobody)" "maillog_file = $here/log" 'maillog_file_prefixes = /' >"$here/etc/main.cf"
    if postfix -c "$here/etc" start >/dev/null 2>&1; then
        send '[127.0.0.1]:25525' 0 Postfix
        tries=0
        until ls "$here"/box/joe/new/* >/dev/null 2>&1 || [ $tries -ge 100 ]; do tries=$((tries + 1)); sleep 0.1; done
        [ "$(sed '1,/^$/d' "$here"/box/joe/new/*)" = "$(sed '1,/^$/d' "$here/mail")" ]
        tell $? 'Postfix: the message as it was'
        "$smtp" -C /dev/null -p '[127.0.0.1]:25525' a@b.example nobody@peer.test >/dev/null 2>&1
        [ $? -eq 67 ]
        tell $? 'Postfix: an unknown user is 67'
    else
        skip 'this Postfix does not start privately'
    fi
else
    skip 'Postfix, or the right to start it, is not here'
fi
echo "count $passed $failed $skipped"
