# Tcllib's smtp and sendmessage: the same message through both to the same smtpd, and what was stored compared.
# shellcheck source=tests/peers/site.sh.inc
. tests/peers/site.sh.inc

if ! have tclsh || ! echo 'package require smtp; package require mime' | tclsh >/dev/null 2>&1; then
    skip 'Tcllib is not installed'
    count
    exit 0
fi
start_server send || { bad 'smtpd does not start'; count; exit 1; }
new=$scratch/state/mail/$domain/you/Maildir/new

# sendmessage with the same words; a -header has a key and a value there, and one word here.
ours() {
    set -- "$@" END
    while [ "$1" != END ]; do
        case $1 in
        -header) set -- "$@" --header "$(echo "$2" | sed 's/^\([^ ]*\) {*\([^}]*\)}*$/\1: \2/')" ;;
        *) set -- "$@" "-$1" "$2" ;;
        esac
        shift 2
    done
    shift
    printf 'hello\n.dot\n..two\nend\n' | GREYLAG_CONF=/dev/null "$B/bin/sendmessage" --servers 127.0.0.1 --ports "$port" --client tcl.home.arpa \
        --usetls off --text "$@"
}
theirs() { tclsh tests/peers/tcllib.tcl "$port" "$@"; }

# Of every stored message, in any order: envelope, the fields that both write, the body without what names a part.
record() {
    for file in "$new"/*; do
        [ -e "$file" ] || continue
        {
            tr -d '\r' <"$file" | sed '/^$/q' | grep -iE '^(return-path|delivered-to|from|to|cc|bcc|dcc|subject|sender|x-kind|resent-[a-ce-z]*): .' |
                grep -viE '^(resent-message-id|to: undisclosed-recipients:;)' | sed 's/^\([^:]*\):/\L\1:/' | sort
            tr -d '\r' <"$file" | sed '1,/^$/d' | grep -vE '^(--|[A-Za-z-]+:|[[:space:]]|;)' | grep -v '^$'
        } | tr '\n' '|'
        echo
        rm -f "$file"
    done | sort
}

# NAME OPTION VALUE...: both say the same about who was refused, and the same is stored.
same() {
    name=$1
    shift
    theirs "$@" >"$scratch/theirs" 2>"$scratch/theirs.err"
    record >"$scratch/theirs.record"
    ours "$@" >"$scratch/ours" 2>"$scratch/ours.err"
    record >"$scratch/ours.record"
    if cmp -s "$scratch/theirs.record" "$scratch/ours.record"; then ok; else
        bad "$name: stored differently"
        diff "$scratch/theirs.record" "$scratch/ours.record"
        cat "$scratch/theirs.err" "$scratch/ours.err"
    fi
    if [ "$(cut -d ' ' -f 1,2 "$scratch/theirs")" = "$(cut -d ' ' -f 1,2 "$scratch/ours")" ]; then ok; else
        bad "$name: refused differently"
        cat "$scratch/theirs" "$scratch/ours"
    fi
}
stored() { grep -c . "$scratch/ours.record"; }

same plain -header "From a@peer.example" -header "To one@$domain" -header 'Subject {the same}' -header 'X-Kind plain'
[ "$(stored)" -eq 1 ] && grep -q '|hello|.dot|..two|end|' "$scratch/ours.record" && ok || bad 'plain: it is not there'
same originator -originator a@peer.example -header "To one@$domain"
# Who sends is Sender's meaning (RFC 5322 3.6.2); theirs names the author there once more.
ours -originator o@peer.example -header 'From a@peer.example' -header "To one@$domain"
record | grep -q '|from: a@peer.example|return-path: <o@peer.example>|sender: o@peer.example|' && ok || bad 'originator: no Sender'
same 'null originator' -originator '' -header 'From a@peer.example' -header "To one@$domain"
same recipients -recipients "one@$domain, two@$domain" -header 'From a@peer.example' -header "To somebody@elsewhere.example"
same Dcc -header 'From a@peer.example' -header "To one@$domain" -header "Dcc three@$domain"
same Bcc -header 'From a@peer.example' -header "To one@$domain" -header "Bcc three@$domain" -header 'Subject secret'
grep -q 'subject: \[Bcc\] secret' "$scratch/ours.record" && ok || bad 'Bcc: no copy of its own'
same Resent -header 'From a@peer.example' -header "To two@$domain" -header 'Resent-From r@peer.example' -header "Resent-To one@$domain"
same 'a refused recipient' -header 'From a@peer.example' -header "To {one@$domain, two@elsewhere.example}"
[ "$(stored)" -eq 0 ] && ok || bad 'a refused recipient: the message was sent'
same 'a refused recipient, at least one' -atleastone 1 -header 'From a@peer.example' -header "To {one@$domain, two@elsewhere.example}"
[ "$(stored)" -ge 1 ] && ok || bad 'at least one: nothing was sent'
count
