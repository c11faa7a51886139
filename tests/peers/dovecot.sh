#!/bin/sh
# Dovecot's LMTP server as the mailer, by its socket and by its port: the messages byte for byte, unknown users refused at RCPT.
set -u
. tests/peers/site.sh.inc
lmtpd=/usr/lib/dovecot/lmtp
[ -x $lmtpd ] || lmtpd=/usr/libexec/dovecot/lmtp
if [ ! -x $lmtpd ] || ! have dovecot && [ ! -x /usr/sbin/dovecot ]; then skip "dovecot-lmtpd is not installed"; count; exit 0; fi
[ "$(id -u)" -eq 0 ] || { skip "Dovecot needs root"; count; exit 0; }

lmtp_port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])') || { skip "python3 is not installed"; count; exit 0; }
home=$scratch/dovecot
store=$scratch/state/mail/$domain/you/Maildir
mkdir -p "$home" "$store"
chmod 711 "$scratch"
printf 'you@%s::65534:65534::%s::\nj\303\274rgen@%s::65534:65534::%s::\n' "$domain" "$home/you" "$domain" "$home/you" >"$home/users"
mkdir -p "$home/you" && chown -R 65534:65534 "$home/you" "$scratch/state/mail/$domain/you"
chmod 755 "$scratch/state" "$scratch/state/mail" "$scratch/state/mail/$domain"
cat >"$home/dovecot.conf" <<END
base_dir = $home/run
state_dir = $home/state
log_path = $home/log
protocols = lmtp
listen = 127.0.0.1
ssl = no
default_internal_user = nobody
default_internal_group = nogroup
default_login_user = nobody
first_valid_uid = 1
first_valid_gid = 1
mail_location = maildir:$store
passdb {
  driver = passwd-file
  args = username_format=%u $home/users
}
userdb {
  driver = passwd-file
  args = username_format=%u $home/users
}
service anvil {
  chroot =
}
service lmtp {
  unix_listener $home/lmtp.sock {
    mode = 0666
  }
  inet_listener lmtp {
    address = 127.0.0.1
    port = $lmtp_port
  }
}
END
PATH=$PATH:/usr/sbin dovecot -F -c "$home/dovecot.conf" >"$scratch/errors" 2>&1 &
dovecot=$!
end_dovecot() { kill "$dovecot" 2>/dev/null; wait "$dovecot" 2>/dev/null; end_site; }
trap end_dovecot EXIT
has_socket() { [ -S "$home/lmtp.sock" ]; }
eventually has_socket || { bad "Dovecot does not start: $(tail -n 2 "$scratch/errors" "$home/log" 2>/dev/null | tr '\n' ' ')"; count; exit 0; }

make_messages
sends_curl() {
    curl -sS --max-time 120 --crlf "smtp://127.0.0.1:$port/client.home.arpa" --mail-from stranger@example.org --mail-rcpt "$2" -T "$1"
}
for mailer in "lmtp:$home/lmtp.sock" "lmtp:127.0.0.1:$lmtp_port"; do
    rm -f "$scratch/log"
    start_server "$mailer" || { bad "smtpd does not listen"; break; }
    every_message "Dovecot at ${mailer%%[/0-9]*}" sends_curl
    if curl -sS --max-time 20 "smtp://127.0.0.1:$port/client.home.arpa" --mail-from stranger@example.org \
        --mail-rcpt "nobody@$domain" -T "$scratch/small.eml" >"$scratch/said" 2>&1; then
        bad "an unknown user was accepted"
    elif grep -q 550 "$scratch/said"; then
        ok
    else
        bad "an unknown user: $(cat "$scratch/said")"
    fi
    kill "$server" && wait "$server"
done
count
