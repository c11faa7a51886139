# A call noted and decided by a fresh process, half of them known, among a hundred thousand and a million records; the servers
# of others in turn where they are installed, with their own CPU added.

grey_done=0
peer_row() {  # name server-pid socket records
    set -- "$1" "$2" "$3" "$4" $("$tools/meter" "$2" "$tools/lookup" time "${LOOKUPS:-400}" "$4" nop - "$1" "$3" 2>"$scratch/peer")
    set -- "$1" "$6" $(cat "$scratch/peer")
    [ $# -eq 8 ] || { row "  $1" failed - - -; return; }
    server_us=$(calc %.0f "$2 * 1000 / ${LOOKUPS:-400}")
    row "  the same asked of $1, CPU us (wall)" - "+$(($6 - $3)) ($(($7 - $4))) + $server_us server" - -
}

for records in 100000 1000000; do
    "$tools/lookup" fill-grey "$scratch/grey" $grey_done $records || { row "greylist of $records records" failed - '<= +60' no; continue; }
    grey_done=$records
    set -- $("$tools/lookup" time "${LOOKUPS:-400}" $records nop - grey "$scratch/grey")
    [ $# -eq 6 ] || { row "greylist of $records records" failed - '<= +60' no; continue; }
    row "greylist of $records records, check and insert, CPU us (wall)" "+$(($4 - $1)) ($(($5 - $2)))" "nop $1 ($2)" '<= +60' \
        "$(yes_if "$4 - $1 <= 60")"
done

if have redis-server; then
    mkdir "$scratch/redis"
    serve redis-server --port 0 --unixsocket "$scratch/redis/s" --dir "$scratch/redis" --appendonly yes --appendfsync everysec
    redis=$server tries=0
    until [ -S "$scratch/redis/s" ] || [ $tries -ge 100 ]; do sleep 0.05; tries=$((tries + 1)); done
    peer_row redis "$redis" "$scratch/redis/s" 100000
    end_server "$redis"
else
    row '  the same asked of redis' - 'not installed' - -
fi
if have postgrey; then
    # It takes no path with a "+" in it, as the build's has one.
    elsewhere=$(mktemp -d "${TMPDIR:-/tmp}/greylag.XXXXXX") && chmod 777 "$elsewhere"
    serve postgrey --unix="$elsewhere/s" --dbdir="$elsewhere" --pidfile="$elsewhere/pid" \
        --user="$(id -un)" --group="$(id -gn)" --whitelist-clients=/dev/null --whitelist-recipients=/dev/null
    postgrey=$server tries=0
    until [ -S "$elsewhere/s" ] || [ $tries -ge 100 ]; do sleep 0.05; tries=$((tries + 1)); done
    peer_row postgrey "$postgrey" "$elsewhere/s" 100000
    end_server "$postgrey"
else
    row '  the same asked of postgrey' - 'not installed' - -
fi
