# What every row needs: a scratch folder, servers that end with us, medians, and one line a figure.

missed=0
servers=
domain=bench.test

start_bench() {
    # On the disk of the build, not in a tmpfs: an fsync must cost what it costs.
    mkdir -p "$B" && scratch=$(mktemp -d "$PWD/$B/bench.XXXXXX") || exit 1
    elsewhere=
    trap 'end_servers; rm -rf "$scratch" ${elsewhere:+"$elsewhere"}' EXIT
    trap 'exit 1' INT TERM
    chmod 755 "$scratch"
    tools=$PWD/$B/bench
    # Copies, as an installation makes them: what a linker wrote lies in the page cache in smaller pieces and costs more faults.
    mkdir "$scratch/bin" && cp "$B/bin/smtpd" "$B/bin/send" "$tools/floor" "$tools/discard" "$scratch/bin/" || exit 1
    smtpd=$scratch/bin/smtpd
    for name in send discard; do configure $name; done
    echo "$(nproc) processors, load $(cut -d' ' -f1-3 /proc/loadavg), $(uname -sr)"
    printf '%-58s %16s %30s %26s  %s\n' row ours peer goal reached
}

# The shipped file with the paths of this run: scratch/MAILER.conf.
configure() {
    { if [ -f conf/smtpd.conf ]; then sed -E '/^(user|greylist) *=/d' conf/smtpd.conf; fi
      mailer=$1; [ "$1" = send ] || mailer=$scratch/bin/$1
      printf '%s\n' '[smtpd]' "domain = $domain" "mailer = $mailer" '[limits]' 'size = 1G' 'sessions = 1000' 'per_source = 1000' \
          '[mailer]' "catchall = all@$domain" '[paths]' "state = $scratch/state" "libexec = $scratch/bin" "lib = $scratch/lib" \
          '[log]' "to = $scratch/log"; } >"$scratch/$1.conf"
    mkdir -p "$scratch/state" "$scratch/lib" "$scratch/state/mail/$domain/all/Maildir" "$scratch/state/mail/$domain/to/Maildir"
}

# Before /usr/local, where ours may be installed under the names of Postfix's: a peer is never ourselves.
PATH=/usr/sbin:$PATH
have() { command -v "$1" >/dev/null 2>&1; }

# name, ours, peer, goal, yes|no|-
row() {
    printf '%-58s %16s %30s %26s  %s\n' "$1" "$2" "$3" "$4" "$5"
    [ "$5" != no ] || missed=$((missed + 1))
}

yes_if() { awk "BEGIN { print ($1) ? \"yes\" : \"no\" }"; }
calc() { awk "BEGIN { printf \"$1\", $2 }"; }

# Of column $1 of standard input: "median best"; best is the least, or the most when $2 is "most".
median() {
    awk -v c="$1" '{ print $c }' | sort -g $([ "${2:-least}" = most ] && echo -r) | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)], v[1] }'
}

free_port() { "$tools/load" --free; }

# Starts a server in the background: its pid is $server afterwards.
serve() {
    "$@" >/dev/null 2>>"$scratch/errors" &
    server=$!
    servers="$servers $server"
}
serve_tcpserver() { serve tcpserver -H -R -l0 -c 200 -b 1024 127.0.0.1 "$port" "$smtpd" -C "$scratch/$1.conf"; }
serve_loop() { serve "$smtpd" -C "$scratch/$1.conf" -l "127.0.0.1:$port"; }
serve_sink() { serve smtp-sink $([ "$(id -u)" -eq 0 ] && echo -u nobody) "127.0.0.1:$port" 1024; }

end_server() {
    kill "$1" 2>/dev/null && wait "$1" 2>/dev/null
    servers=$(echo " $servers " | sed "s/ $1 / /")
}
end_servers() {
    for pid in $servers; do end_server "$pid"; done
    [ ! -d "$scratch/postfix" ] || postfix -c "$scratch/postfix/etc" stop >/dev/null 2>&1
}

# Until somebody listens at $port, two seconds at most.
wait_for_server() {
    tries=0
    until "$tools/load" --hold "127.0.0.1:$port" 1 </dev/null >/dev/null 2>&1; do
        tries=$((tries + 1))
        [ $tries -lt 100 ] || { echo "no server at port $port"; tail -n 3 "$scratch/errors"; return 1; }
        sleep 0.02
    done
}

# $1 messages of $2 octets in $3 sessions at a time, by smtp-source where it is.
client() {
    if have smtp-source; then
        echo "smtp-source -s $3 -m $1 -l $2 -f from@$domain -t to@$domain -M client.home.arpa 127.0.0.1:$port"
    else
        echo "$tools/load 127.0.0.1:$port $3 $1 $2"
    fi
}

# Adds "wall CPU PSS" of the client's work at server $1 to the file $2; then as client. -p first: with memory.
measure() {
    looking=
    [ "$1" != -p ] || { looking=-p; shift; }
    target=$1 file=$2
    shift 2
    timeout 120 "$tools/meter" $looking "$target" $(client "$@") >>"$file" 2>>"$scratch/errors" || echo "$(client "$@"): failed"
}

# A message of 1 KB in a file.
small_mail() {
    printf 'Message-ID: <1@%s>\nDate: Sun, 22 Nov 2026 00:00:00 +0000\nFrom: from@%s\nTo: to@%s\nSubject: bench\n\n' $domain $domain $domain
    i=0
    while [ $i -lt 14 ]; do echo 'a line of about seventy octets, fourteen of which make one thousand.'; i=$((i + 1)); done
} >"$1"

# N FILE COMMAND...: "median least CPU RSS faults" of so many runs with the file as standard input, or nothing.
cost_of() { timeout 120 "$tools/start" "$@" 2>>"$scratch/errors"; }
# Of that line: "median (least), CPU", or that there is none.
show_cost() { echo "${1:-failed}" | awk '{ print $2 ? $1 " (" $2 "), " $3 : $0 }'; }
