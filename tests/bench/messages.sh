# 1 KB messages, ten sessions at a time, one connection each. Ours and the peers take turns.

. $here/postfix.sh
count=500 rounds=3

# name of a server -> its port and pid, kept in variables of that name.
remember() { eval "port_$1=\$port pid_$1=\$server"; }
load_on() { eval "port=\$port_$1 target=\$pid_$1"; measure "$target" "$scratch/messages.$1" $count 1000 10; }
rate() { calc %.0f "$count * 1000 / $(median 1 <"$scratch/messages.$1" | cut -d' ' -f1)"; }
cost() { calc %.2f "$(median 2 <"$scratch/messages.$1" | cut -d' ' -f1) / $count"; }

all=
for mailer in send discard; do
    if have tcpserver; then
        port=$(free_port); serve_tcpserver $mailer; wait_for_server && remember tcpserver_$mailer && all="$all tcpserver_$mailer"
    fi
    port=$(free_port); serve_loop $mailer; wait_for_server && remember loop_$mailer && all="$all loop_$mailer"
done
if have smtp-sink; then port=$(free_port); serve_sink; wait_for_server && remember sink && all="$all sink"; fi
if postfix_ready; then
    port=$(free_port)
    start_postfix && server=$postfix_pid && wait_for_server && remember postfix && all="$all postfix"
fi

round=0
while [ $round -lt $rounds ]; do
    for name in $all; do load_on $name; done
    round=$((round + 1))
done

figures() { if [ -s "$scratch/messages.$1" ]; then echo "$(rate $1)/s, $(cost $1) ms"; else echo "$2"; fi; }

messages_row() {  # server, name, peer's file, peer's name, factor, most CPU
    [ -s "$scratch/messages.$1" ] || { row "$2" 'not run' - - -; return; }
    goal=">= $5 x $4" reached=-
    [ ! -s "$scratch/messages.$3" ] || reached=$(yes_if "$(rate $1) >= $5 * $(rate $3)")
    row "$2, messages/s, CPU" "$(figures $1)" "$4 $(figures $3 'not here')" "$goal" "$reached"
    [ -z "$6" ] || row "  CPU a message, ms" "$(cost $1)" '-' "<= $6" "$(yes_if "$(cost $1) <= $6")"
}
have tcpserver || row '1 KB under tcpserver' 'no tcpserver' - - -
messages_row tcpserver_send '1 KB, s=10, tcpserver, send (fsync)' postfix Postfix 2.5 0.8
messages_row loop_send '1 KB, s=10, -l, send (fsync)' postfix Postfix 2.5 0.8
messages_row tcpserver_discard '1 KB, s=10, tcpserver, discard' sink smtp-sink 0.9 ''
messages_row loop_discard '1 KB, s=10, -l, discard' sink smtp-sink 0.9 ''
for name in $all; do
    case $name in postfix) stop_postfix ;; *) eval "end_server \$pid_$name" ;; esac
done
