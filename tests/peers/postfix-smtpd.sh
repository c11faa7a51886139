#!/bin/sh
# The same octets to our smtpd and to Postfix's: every difference in the replies has its reason in differential.py.
# A private Postfix on a free port of 127.0.0.1; needs root, an installed postfix and python3.
set -u
: "${B:=build/release-g++}"
skip() { echo "skipped: postfix smtpd: $1"; echo "count 0 0 1"; exit 0; }
have() { command -v "$1" >/dev/null 2>&1 || [ -x "/usr/sbin/$1" ]; }
. tests/bench/postfix.sh

have python3 || skip "python3 is not installed"
postfix_ready || skip "postfix is not installed, or we are not root"
scratch=$(mktemp -d) || exit 1
chmod 755 "$scratch"
trap 'stop_postfix; rm -rf "$scratch"' EXIT
trap 'exit 1' INT TERM
domain=example.org
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
# Ours slows down who errs, theirs does, too: not what is compared here.
start_postfix || skip "a private postfix does not start: $(tail -n 1 "$scratch/errors")"
for setting in mynetworks= smtpd_error_sleep_time=0 smtpd_hard_error_limit=100 message_size_limit=5000 \
    "smtpd_relay_restrictions=reject_unauth_destination" local_header_rewrite_clients=; do
    postconf -c "$scratch/postfix/etc" -e "$setting"
done
postfix -c "$scratch/postfix/etc" reload >>"$scratch/errors" 2>&1
python3 tests/peers/differential.py "$PWD/$B/bin/smtpd" "$port" "$scratch"
