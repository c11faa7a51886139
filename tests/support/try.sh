# `./install.sh try`: a real server, a real client, the stored message. Read by install.sh, whose helpers it uses
# (say, die, have, is_root, packages, build, make_work and the clean-up on every way out).
# shellcheck shell=sh disable=SC2154

heading() { printf '\n== %s\n' "$*"; }

# A mail server needs a place, a domain and somebody to deliver to.
lay_out() {
    make_work
    chmod 755 "$work"
    mkdir -p "$work/libexec" "$work/state/mail/greylag.test/you"
    # The clone may lie where an unprivileged user cannot look.
    for program in build/bin/*; do cp -L "$program" "$work/libexec/"; done
    cat >"$work/smtpd.conf" <<END
[smtpd]
domain = greylag.test
mailer = send
greylist = on
$(is_root && echo "user = $unprivileged")

[mailer]
postmaster = you@greylag.test

[grey]
# Five minutes where it is meant.
min = 2s

[paths]
state = $work/state
libexec = $work/libexec

[log]
to = stderr
END
    chmod 644 "$work/smtpd.conf"
    if have openssl; then lay_out_submission; fi
    if is_root; then chown -R "$unprivileged" "$work/state"; fi
    cat >"$work/message" <<END
From: A newcomer <newcomer@example.org>
To: you@greylag.test
Subject: the first message

It went in by SMTP
and ended in a Maildir.
. a line that begins with a dot is still itself
END
}

# A certificate, a user with a password, and the configuration of a client that knows both.
lay_out_submission() {
    openssl req -x509 -newkey rsa:2048 -nodes -keyout "$work/state/mx.key" -out "$work/mx.pem" -days 2 -subj /CN=greylag.test \
        -addext subjectAltName=IP:127.0.0.1 2>/dev/null || die "openssl made no certificate"
    cat >>"$work/smtpd.conf" <<END

[tls]
certificate = $work/mx.pem
key = $work/state/mx.key

[auth]
users = $work/state/users
END
    echo 'open sesame' | "$work/libexec/smtpd-passwd" -C "$work/smtpd.conf" you || die "smtpd-passwd made no user"
    cat >"$work/smtp.conf" <<END
[tls]
require = on
ca_directory = $work/mx.pem

[auth]
secrets = $work/secrets

[paths]
libexec = $work/libexec
END
    (umask 077 && echo "key proto=pass service=smtp server=127.0.0.1 user=you !password='open sesame'" >"$work/secrets")
}

unprivileged_user() {
    for name in nobody mail daemon; do
        if id -u "$name" >/dev/null 2>&1 && [ "$(id -u "$name")" -ne 0 ]; then
            unprivileged=$name
            return
        fi
    done
    die "no unprivileged user here (looked for nobody, mail, daemon)"
}

start_server() {
    say "\$ smtpd -C $work/smtpd.conf -l 127.0.0.1:0"
    : >"$work/log"
    "$work/libexec/smtpd" -C "$work/smtpd.conf" -l 127.0.0.1:0 </dev/null 2>"$work/log" &
    server=$!
    tries=0
    # The kernel chooses the port; the log names it.
    until port=$(sed -n 's/.*127\.0\.0\.1:\([1-9][0-9]*\).*/\1/p' "$work/log" | head -n 1) && [ -n "$port" ]; do
        tries=$((tries + 1))
        if [ "$tries" -gt 100 ] || ! kill -0 "$server" 2>/dev/null; then give_up "smtpd did not start"; fi
        sleep 0.1
    done
    cat "$work/log"
}

give_up() {  # why
    heading "what the server noted" >&2
    cat "$work/log" >&2
    die "$1"
}

# Other people's clients, the first that is here; each shows its dialogue and fails when the server refuses.
converse() {  # recipient
    for client in swaks python3 curl bash; do
        have "$client" || continue
        say "(the client is $client)"
        "converse_$client" "$1"
        return
    done
    die "no client found: swaks, python3, curl or bash"
}
converse_swaks() {
    swaks --server 127.0.0.1 --port "$port" --ehlo newcomer.home.arpa --from newcomer@example.org --to "$1" \
        --data "@$work/message" 2>&1
}
converse_python3() {
    python3 - "$port" "$1" "$work/message" <<'END' 2>&1
import smtplib, sys
port, recipient, message = sys.argv[1:]
client = smtplib.SMTP("127.0.0.1", int(port), "newcomer.home.arpa", timeout=20)
client.set_debuglevel(1)
try:
    client.sendmail("newcomer@example.org", [recipient], open(message, "rb").read().replace(b"\n", b"\r\n"))
except smtplib.SMTPException:
    sys.exit(1)
finally:
    client.close()
END
}
converse_curl() {
    curl -sS -v --max-time 20 --url "smtp://127.0.0.1:$port/newcomer.home.arpa" --mail-from newcomer@example.org \
        --mail-rcpt "$1" --crlf -T "$work/message" >"$work/dialogue" 2>&1 && refused= || refused=1
    sed -n '/^[<>] /p; /^curl:/p' "$work/dialogue"
    [ -z "$refused" ]
}
converse_bash() {
    bash -s "$port" "$1" "$work/message" <<'END'
exec 3<>"/dev/tcp/127.0.0.1/$1"
answer() {
    while IFS= read -r -t 20 -u 3 line; do
        printf '< %s\n' "${line%$'\r'}"
        [[ $line == ???-* ]] || break
    done
    [[ $line == [23]* ]]
}
ask() {
    printf '> %s\n' "$1"
    printf '%s\r\n' "$1" >&3
    answer
}
answer && ask "EHLO newcomer.home.arpa" && ask "MAIL FROM:<newcomer@example.org>" && ask "RCPT TO:<$2>" && ask DATA || exit 1
while IFS= read -r line; do
    [[ $line == .* ]] && line=.$line
    printf '> %s\n' "$line"
    printf '%s\r\n' "$line" >&3
done <"$3"
ask . && ask QUIT
END
}

# A first call is put off; the same client comes again, as a mail server does and a spammer mostly does not.
show_greylist() {
    heading "a client nobody knows sends a message: it is asked to come again"
    if converse you@greylag.test; then give_up "a first call was not greylisted"; fi
    say ""
    say "\$ find state/grey/tmp -type f"
    (cd "$work" && find state/grey/tmp -type f)
    [ -n "$(find "$work/state/grey/tmp" -type f)" ] || give_up "no record of the first call"
    sleep 2.1
}

show_whitelist() {
    heading "its network has shown that it retries, and is known from now on"
    say "\$ cat state/grey/whitelist"
    cat "$work/state/grey/whitelist" || give_up "no whitelist was written"
    say "\$ greyctl check 127.0.0.1"
    "$work/libexec/greyctl" -C "$work/smtpd.conf" check 127.0.0.1 || give_up "the network is not white"
}

show_delivery() {
    show_greylist
    heading "two seconds later (five minutes where it is meant) the same client comes again"
    converse you@greylag.test || give_up "the message was refused"
    heading "and here it is: the stored message"
    set -- "$work"/state/mail/greylag.test/you/Maildir/new/*
    [ -f "$1" ] || give_up "the server said 250, but no message is in the Maildir"
    say "\$ cat ${1#"$work"/}"
    cat "$1"
    show_whitelist
}

show_submission() {
    [ -f "$work/smtp.conf" ] || return 0
    heading "a user submits a message: STARTTLS with a certificate that is checked, AUTH with a password that is not shown"
    say "\$ smtp -C smtp.conf -d -a -u you '[127.0.0.1]:$port' you@greylag.test you@greylag.test <message"
    "$work/libexec/smtp" -C "$work/smtp.conf" -d -a -u you "[127.0.0.1]:$port" you@greylag.test you@greylag.test \
        <"$work/message" >"$work/dialogue" 2>&1 || { cat "$work/dialogue"; give_up "the submission was refused"; }
    cat "$work/dialogue"
    grep -q '^S: 235 ' "$work/dialogue" || give_up "nobody was authenticated"
    say "\$ grep -h ESMTPSA Maildir/new/*"
    grep -h ESMTPSA "$work"/state/mail/greylag.test/you/Maildir/new/* || give_up "the submission was not stored"
}

show_refusals() {
    heading "the same client asks us to relay to another domain"
    if converse somebody@elsewhere.test; then give_up "a stranger's mail was relayed"; fi
    heading "and writes to somebody we do not have"
    if converse nobody-here@greylag.test; then give_up "mail for an unknown user was taken"; fi
}

try() {
    say "this builds greylag here, runs it in a folder under ${TMPDIR:-/tmp}, and removes that folder again"
    packages
    build all
    unprivileged=
    is_root && unprivileged_user
    lay_out
    heading "a server, on a port of the loopback${unprivileged:+, as the user $unprivileged}"
    start_server
    show_delivery
    show_submission
    show_refusals
    heading "what the server noted"
    cat "$work/log"
    stop_server
    heading "stopped and cleaned up; what to type next"
    next_after_try
}

next_after_try() {
    cat <<'END'
  ./install.sh test                                 every test; needs no root and no network
  build/bin/smtpd -h example.org                    a session on this terminal: type HELP, then QUIT
  ./install.sh --dry-run                            what an installation would put where
END
}
