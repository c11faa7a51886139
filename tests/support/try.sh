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
    secure
    chmod 644 "$work/smtpd.conf"
    is_root && chown -R "$unprivileged" "$work/state"
    cat >"$work/message" <<END
From: A newcomer <newcomer@example.org>
To: you@greylag.test
Subject: the first message

It went in by SMTP
and ended in a Maildir.
. a line that begins with a dot is still itself
END
}

# For the submission: a certificate made on the spot, and a user with a password. Without the openssl program it is left out.
secure() {
    have openssl || return 0
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$work/key.pem" -out "$work/certificate.pem" \
        -subj /CN=localhost -addext subjectAltName=DNS:localhost -days 2 2>"$work/log" || { cat "$work/log" >&2; return 0; }
    password=$(openssl rand -hex 12)
    printf '%s\n' "$password" | "$work/libexec/smtpd-passwd" -f "$work/users" you || die "smtpd-passwd failed"
    printf '%s\n' '' '[tls]' "certificate = $work/certificate.pem" "key = $work/key.pem" '' '[auth]' "users = $work/users" >>"$work/smtpd.conf"
    # shellcheck disable=SC2015
    is_root && chown "$unprivileged" "$work/users" "$work/key.pem" || true
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

# The same over TLS, its certificate verified, with a password: what a person's mail program does.
submit() {
    for client in curl python3; do
        have "$client" || continue
        say "(the client is $client; the password is not shown)"
        "submit_$client" >"$work/dialogue" 2>&1 && refused= || refused=1
        tr -d '\r' <"$work/dialogue" | sed -n 's/^\(> AUTH [A-Z0-9-]*\) .*/\1 (hidden)/; s/^> [A-Za-z0-9+/]\{16,\}=*$/> (hidden)/
            /^[<>] /p; /^curl/p; /^\* *SSL connection/p; /^reply/p; /^TLS/p'
        [ -z "$refused" ]
        return
    done
    say "left out: neither curl nor python3 is installed"
    return 2
}
submit_curl() {
    curl -sS -v --max-time 20 --ssl-reqd --cacert "$work/certificate.pem" --resolve "localhost:$port:127.0.0.1" \
        --url "smtp://localhost:$port/newcomer.home.arpa" --user "you:$password" --mail-from you@greylag.test \
        --mail-rcpt you@greylag.test --crlf -T "$work/message"
}
submit_python3() {
    PASSWORD=$password python3 - "$port" "$work/message" "$work/certificate.pem" <<'END'
import os, smtplib, ssl, sys
port, message, certificate = sys.argv[1:]
client = smtplib.SMTP("localhost", int(port), "newcomer.home.arpa", timeout=20)
client.starttls(context=ssl.create_default_context(cafile=certificate))
print("TLS: %s with %s" % (client.sock.version(), client.sock.cipher()[0]))
client.login("you", os.environ["PASSWORD"])
print("reply: logged in as you")
client.sendmail("you@greylag.test", ["you@greylag.test"], open(message, "rb").read().replace(b"\n", b"\r\n"))
print("reply: the message was taken")
client.quit()
END
}

show_submission() {
    heading "you send a message of your own: STARTTLS, and the password that smtpd-passwd was told"
    if [ ! -f "$work/users" ]; then
        say "left out: the openssl program, which makes the certificate, is not installed"
        return
    fi
    rm -f "$work"/state/mail/greylag.test/you/Maildir/new/*
    status=0
    submit || status=$?
    [ $status -ne 2 ] || return 0
    [ $status -eq 0 ] || give_up "the submission was refused"
    set -- "$work"/state/mail/greylag.test/you/Maildir/new/*
    [ -f "$1" ] || give_up "the server said 250, but no message is in the Maildir"
    say "\$ grep -A2 ^Received ${1#"$work"/}"
    grep -A2 ^Received "$1"
    grep -q 'with ESMTPSA' "$1" || give_up "the message does not say that it came authenticated over TLS"
    grep -q 'auth-ok ' "$work/log" || give_up "the log does not know of the login"
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
    show_refusals
    show_submission
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
