# smtp-source and smtp-sink against Postfix's of these names: CPU a message beside wall, both in turn to the same sink.
# "same dialogue": a command at a time, as Postfix's speaks; then what only ours can do.

theirs_source=/usr/sbin/smtp-source theirs_sink=/usr/sbin/smtp-sink
source_rounds=5

# FILE COUNT COMMAND...: adds "wall-ms CPU-us" of one message to FILE.
cost_of_message() {
    file=$1 count=$2
    shift 2
    { LC_ALL=C; export LC_ALL; bash -c 'TIMEFORMAT="%R %U %S"; time "$@" >/dev/null 2>&1 || echo failed' - "$@"; } 2>&1 |
        awk -v n="$count" '/failed/ { bad = 1 } NF == 3 { printf "%.4f %.1f\n", $1 * 1000 / n, ($2 + $3) * 1e6 / n } END { exit bad }' >>"$file"
}

source_case() {  # NAME COUNT LENGTH OUR-WORDS THEIR-WORDS
    case_name=$1 case_count=$2 case_length=$3 case_ours=$4 case_theirs=$5
    common="-s 10 -m $case_count -l $case_length -M client.home.arpa -f from@$domain -t to@$domain"
    rm -f "$scratch/ours" "$scratch/same" "$scratch/theirs"
    round=0
    while [ $round -lt $source_rounds ]; do
        [ ! -x $theirs_source ] || cost_of_message "$scratch/theirs" "$case_count" $theirs_source $case_theirs $common "127.0.0.1:$port"
        cost_of_message "$scratch/same" "$case_count" "$ours_source" --threads 1 $case_theirs $common "127.0.0.1:$port"
        cost_of_message "$scratch/ours" "$case_count" "$ours_source" --threads 1 $case_ours $common "127.0.0.1:$port"
        round=$((round + 1))
    done
    ours=$(median 2 <"$scratch/ours" | cut -d' ' -f1) ours_wall=$(median 1 <"$scratch/ours" | cut -d' ' -f1)
    same=$(median 2 <"$scratch/same" | cut -d' ' -f1) same_wall=$(median 1 <"$scratch/same" | cut -d' ' -f1)
    peer='not here' reached=- reached_same=-
    if [ -s "$scratch/theirs" ]; then
        theirs=$(median 2 <"$scratch/theirs" | cut -d' ' -f1) theirs_wall=$(median 1 <"$scratch/theirs" | cut -d' ' -f1)
        peer="Postfix $theirs us, $theirs_wall ms"
        reached=$(yes_if "$ours <= 0.5 * $theirs")
    fi
    row "smtp-source, $case_name: CPU, wall a message" "$ours us, $ours_wall ms" "$peer" '<= 0.5 x' "$reached"
    row "  the same dialogue as Postfix's" "$same us, $same_wall ms" "$peer" - -
}

source_rows() {  # name of the sink
    source_case "1 KB kept, $1" 10000 1000 '-d --pipelining' -d
    source_case "1 KB own connections, $1" 3000 1000 --pipelining ''
    source_case "100 KB kept, $1" 3000 100000 '-d --pipelining' -d
    source_case "100 KB own connections, $1" 3000 100000 --pipelining ''
}

# Messages a second through a sink, the fastest client there is in front of it.
sink_rate() {  # FILE WORDS...
    file=$1
    shift
    timeout 120 "$ours_source" --json --threads 1 -s 10 -M client.home.arpa -l 1000 "$@" "127.0.0.1:$port" 2>/dev/null |
        sed -n 's/.*"messages_per_second":\([0-9.]*\).*/\1/p' >>"$file"
}

sink_rows() {
    port_ours=$(free_port)
    port=$port_ours
    serve "$ours_sink" --threads 1 "127.0.0.1:$port_ours"
    pid_ours=$server
    wait_for_server || return
    port_theirs=
    if [ -x $theirs_sink ]; then
        port_theirs=$(free_port)
        port=$port_theirs
        serve $theirs_sink $([ "$(id -u)" -eq 0 ] && echo -u nobody) "127.0.0.1:$port_theirs" 1024
        pid_theirs=$server
        wait_for_server || port_theirs=
    fi
    for way in 'kept, pipelined:-d --pipelining -m 20000' 'kept:-d -m 10000' 'own connections:-m 3000'; do
        rm -f "$scratch/rate.ours" "$scratch/rate.theirs"
        round=0
        while [ $round -lt $source_rounds ]; do
            port=$port_ours
            sink_rate "$scratch/rate.ours" ${way#*:}
            port=$port_theirs
            [ -z "$port_theirs" ] || sink_rate "$scratch/rate.theirs" ${way#*:}
            round=$((round + 1))
        done
        ours=$(median 1 most <"$scratch/rate.ours" | cut -d' ' -f1)
        peer='not here' reached=-
        if [ -s "$scratch/rate.theirs" ]; then
            theirs=$(median 1 most <"$scratch/rate.theirs" | cut -d' ' -f1)
            peer="Postfix $(calc %.0f "$theirs")/s" reached=$(yes_if "$ours >= $theirs")
        fi
        row "smtp-sink, 1 KB, ${way%%:*}, messages/s" "$(calc %.0f "$ours")" "$peer" '>= 1 x' "$reached"
    done

    port=$port_ours
    if "$ours_source" -s 1000 -m 3000 -l 1000 "127.0.0.1:$port" >/dev/null 2>>"$scratch/errors"; then
        row 'smtp-source, 1000 sessions at a time' 'no error' - 'no error' yes
    else
        row 'smtp-source, 1000 sessions at a time' failed - 'no error' no
    fi
    # The same rows with our sink behind them: Postfix's may be what is slow.
    port=$port_theirs
    [ -z "$port_theirs" ] || source_rows "Postfix's sink"
    port=$port_ours
    source_case '1 KB kept, our sink' 20000 1000 '-d --pipelining' -d
    source_case '1 KB own connections, our sink' 3000 1000 --pipelining ''
    source_case '100 KB kept, our sink' 2000 100000 '-d --pipelining' -d
    source_case '100 KB own connections, our sink' 1000 100000 --pipelining ''
    end_server "$pid_ours"
    [ -z "$port_theirs" ] || end_server "$pid_theirs"
}

ours_source=$PWD/$B/bin/smtp-source ours_sink=$PWD/$B/bin/smtp-sink
have bash && sink_rows || row 'smtp-source' 'no bash' - - -
