#!/bin/sh
# Release check: does the time of an answer tell an unknown user from a wrong password (wire.md S20)? SAMPLES (1000) logins of
# each kind in turn, by PLAIN and by SCRAM-SHA-256, in four lanes, since each answer waits half a second. Prints the medians and
# their difference; not part of make check, since figures of a busy machine prove nothing.
set -eu
: "${B:=build/release-g++}" "${SAMPLES:=1000}"
command -v python3 >/dev/null || { echo "skipped: python3 is not installed"; exit 0; }
scratch=$(mktemp -d)
trap 'kill "$server" 2>/dev/null; rm -rf "$scratch"' EXIT
trap 'exit 1' INT TERM
server=
mkdir "$scratch/state"
for user in ann joe zoe; do echo "password of $user" | "$B/bin/smtpd-passwd" -f "$scratch/users" "$user"; done
printf '%s\n' '[smtpd]' 'domain = time.test' 'mailer = /bin/true' 'passwordinclear = on' '[auth]' "users = $scratch/users" \
    'failures = 0' '[paths]' "state = $scratch/state" '[log]' "to = $scratch/log" >"$scratch/conf"
"$B/bin/smtpd" -C "$scratch/conf" -l 127.0.0.1:0 &
server=$!
tries=0
until port=$(sed -n 's/.*reason=listening on=127.0.0.1:\([0-9]*\)$/\1/p' "$scratch/log" 2>/dev/null) && [ -n "$port" ]; do
    tries=$((tries + 1))
    [ $tries -lt 100 ] || { echo 'smtpd does not listen'; exit 1; }
    sleep 0.1
done
python3 tests/bench/auth-time.py "$port" "$SAMPLES"
