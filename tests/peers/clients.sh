#!/bin/sh
# Other people's clients: small, large, 8-bit, dotty and internationalised messages through smtpd -l and send, byte for byte.
set -u
. tests/peers/site.sh.inc
make_messages
start_server send || { bad "smtpd does not listen"; count; exit 1; }

# It ends the last line itself.
sends_swaks() {
    head -c -1 "$1" >"$scratch/swaks.eml"
    swaks --server 127.0.0.1 --port "$port" --ehlo client.home.arpa --from stranger@example.org --to "$2" --data "@$scratch/swaks.eml" --suppress-data
}
sends_curl() {
    curl -sS --max-time 120 --crlf "smtp://127.0.0.1:$port/client.home.arpa" --mail-from stranger@example.org --mail-rcpt "$2" -T "$1"
}
sends_msmtp() {
    msmtp --host=127.0.0.1 --port="$port" --domain=client.home.arpa --from=stranger@example.org --auth=off --tls=off -- "$2" <"$1"
}
sends_python() { python3 tests/peers/client.py "$port" "$1" "$2"; }
sends_nodemailer() { NODE_PATH=$PWD/build/peers/node_modules node tests/peers/client.js "$port" "$1" "$2"; }
sends_postfix() { sendmail -C "$scratch/postfix/etc" -f stranger@example.org -i -- "$2" <"$1"; }

client() {
    if have "$2"; then every_message "$1" "$3"; else skip "$1: $2 is not installed"; fi
}

client swaks swaks sends_swaks
utf8=yes
client curl curl sends_curl
client "Python's smtplib" python3 sends_python
if have npm && have node; then
    [ -d build/peers/node_modules/nodemailer ] ||
        { mkdir -p build/peers && npm install --prefix build/peers --no-audit --no-fund --silent nodemailer >/dev/null 2>&1; }
    if [ -d build/peers/node_modules/nodemailer ]; then every_message nodemailer sends_nodemailer; else skip "nodemailer: npm cannot fetch it"; fi
else
    skip "nodemailer: node is not installed"
fi
utf8=no
client msmtp msmtp sends_msmtp

. tests/peers/postfix.sh.inc
if postfix_is_there; then
    if start_postfix; then
        utf8=yes
        every_message Postfix sends_postfix
        stop_postfix
    else
        bad "the private Postfix does not start: $(tail -n 2 "$scratch/errors" | tr '\n' ' ')"
    fi
else
    skip "Postfix: root and an installed Postfix are needed"
fi
count
