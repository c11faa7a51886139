# smtp under TLS and with passwords against other people's servers: one made of Python's ssl, an Exim whose TLS is GnuTLS, and a
# private Postfix whose users are Dovecot's (both as root).
here=$(mktemp -d) || exit 1
passed=0 failed=0 skipped=0 pids=
cleanup() {
    for pid in $pids; do kill "$pid" 2>/dev/null; done
    [ ! -d "$here/etc" ] || postfix -c "$here/etc" stop >/dev/null 2>&1
    rm -rf "$here"
}
trap cleanup EXIT
: "${B:=build/release-g++}"
smtp=$B/bin/smtp
tell() { if [ "$1" -eq 0 ]; then passed=$((passed + 1)); else failed=$((failed + 1)); echo "FAILED: $2"; fi; }
skip() { skipped=$((skipped + 1)); echo "skipped: $1"; }
done_here() { echo "count $passed $failed $skipped"; exit 0; }
PATH=$PATH:/usr/sbin
chmod 755 "$here"
command -v openssl >/dev/null || { skip 'openssl, which makes the certificates, is not installed'; done_here; }
[ -x "$B/bin/smtp-tls" ] || { skip 'smtp-tls is not built'; done_here; }

# An authority, and a certificate for 127.0.0.1, RSA and P-256.
mkdir "$here/ca"
openssl req -x509 -newkey rsa:2048 -nodes -keyout "$here/ca.key" -out "$here/ca/root.pem" -days 2 -subj '/CN=Test Root' 2>/dev/null
openssl rehash "$here/ca" 2>/dev/null || c_rehash "$here/ca" >/dev/null 2>&1
printf 'subjectAltName = IP:127.0.0.1, DNS:mx.peer.test\n' >"$here/ext"
issue() {  # NAME KEY-OPTIONS...
    name=$1
    shift
    openssl req -new -nodes "$@" -keyout "$here/$name.key" -out "$here/$name.csr" -subj '/CN=mx.peer.test' 2>/dev/null
    openssl x509 -req -in "$here/$name.csr" -CA "$here/ca/root.pem" -CAkey "$here/ca.key" -CAcreateserial -days 2 \
        -extfile "$here/ext" -out "$here/$name.crt" 2>/dev/null
    cat "$here/$name.key" "$here/$name.crt" >"$here/$name.pem"  # the key first: Postfix insists
}
issue rsa -newkey rsa:2048
issue ec -newkey ec -pkeyopt ec_paramgen_curve:P-256

printf 'Subject: peer\nFrom: a@b.example\nTo: joe@peer.test\nDate: Sun, 22 Nov 2026 00:00:00 +0000\nMessage-ID: <1@b.example>\n\nhello\n.dot\n' >"$here/mail"
printf "key proto=pass service=smtp server=127.0.0.1 user=joe !password='open sesame'\n" >"$here/secrets"
printf "key proto=pass service=smtp server=127.0.0.1 user=joe !password='shut sesame'\n" >"$here/wrong"
chmod 600 "$here/secrets" "$here/wrong"
configure() {  # FILE SECRETS LINES...: of [tls]
    file=$1 secrets=$2
    shift 2
    { printf '[auth]\nsecrets = %s\n[tls]\n' "$here/$secrets"; printf '%s\n' "$@"; } >"$here/$file"
}
configure trusting secrets "ca_directory = $here/ca"
configure distrusting secrets ''
configure requiring secrets "ca_directory = $here/ca" 'require = on'
configure guessing wrong "ca_directory = $here/ca"

# send CONFIGURATION PORT EXPECTED-STATUS NAME ARGUMENT...: until somebody listens, for ten seconds. What was said: $here/said.
send() {
    conf=$1 port=$2 expected=$3 name=$4
    shift 4
    tries=0
    while :; do
        "$smtp" -C "$here/$conf" -d "$@" "[127.0.0.1]:$port" a@b.example joe@peer.test <"$here/mail" >"$here/said" 2>&1
        status=$?
        grep -q 'Connection refused' "$here/said" && [ $tries -lt 100 ] || break
        tries=$((tries + 1))
        sleep 0.1
    done
    [ $status -eq "$expected" ]
    tell $? "$name: status $status, expected $expected: $(tail -n 4 "$here/said")"
}
said() { grep -q "$1" "$here/said"; tell $? "$name: nobody said '$1'"; }
unsaid() { ! grep -q "$1" "$here/said"; tell $? "$name: somebody said '$1'"; }

if command -v python3 >/dev/null && python3 -c 'import ssl' 2>/dev/null; then
    python() {  # NAME OPTIONS...: a server; sets $port
        name=$1
        shift
        python3 tests/peers/server.py "$@" >"$here/port" 2>"$here/python" &
        pids="$pids $!"
        tries=0
        until [ -s "$here/port" ] || [ $tries -ge 100 ]; do tries=$((tries + 1)); sleep 0.1; done
        port=$(cat "$here/port")
        : >"$here/port"
    }
    for version in TLSv1_2 TLSv1_3; do
        for key in rsa ec; do
            python "$key" "$here/$key.pem" $version
            send trusting "$port" 0 "Python, $version, $key" -s
            said 'C: \[TLSv1'
            send distrusting "$port" 75 "Python, $version, $key, of nobody we know" -s
            unsaid 'C: MAIL'
            send distrusting "$port" 0 "Python, $version, $key, -o" -so
        done
    done
    python first "$here/ec.pem" TLSv1_3 first
    send trusting "$port" 0 'Python, TLS from the first octet' -t
    for mechanism in PLAIN LOGIN CRAM-MD5; do
        python $mechanism "$here/ec.pem" TLSv1_3 "$mechanism"
        send trusting "$port" 0 "Python, $mechanism" -a -u joe
        said "C: AUTH $mechanism"
        unsaid sesame
        send guessing "$port" 77 "Python, $mechanism with a wrong password" -a -u joe
        unsaid 'C: MAIL'
    done
else
    skip 'Python with ssl is not installed'
fi

# Debian's Exim, unpacked (.ci/run, real_parts): it gives up root for a user of its own, so it gets a mount namespace with one.
exim=$PWD/build/parts/usr/sbin/exim4
exim_peer() {
    there=$here/exim port=25541
    mkdir -p "$there/spool" "$there/log" "$there/mail" && chown 65000:65000 "$there/spool" "$there/log" "$there/mail"
    { cat /etc/passwd; echo 'Debian-exim:x:65000:65000::/nonexistent:/bin/false'; } >"$there/passwd"
    { cat /etc/group; echo 'Debian-exim:x:65000:'; } >"$there/group"
    cat >"$there/conf" <<END
exim_path = $exim
exim_user = Debian-exim
exim_group = Debian-exim
spool_directory = $there/spool
log_file_path = $there/log/%s
pid_file_path = $there/log/pid
primary_hostname = mx.peer.test
local_interfaces = 127.0.0.1
keep_environment =
tls_advertise_hosts = *
tls_certificate = \${if eq{\$received_port}{$port}{$here/ec.crt}{$here/rsa.crt}}
tls_privatekey = \${if eq{\$received_port}{$port}{$there/ec.key}{$there/rsa.key}}
acl_smtp_rcpt = accept encrypted = *
acl_smtp_data = accept
begin routers
all:
  driver = accept
  transport = file
begin transports
file:
  driver = appendfile
  file = $there/mail/\$received_port
  create_directory = false
  message_prefix =
  message_suffix =
  check_string =
END
    for key in ec rsa; do install -o 65000 -m 600 "$here/$key.key" "$there/$key.key"; done
    echo "mount --bind '$there/passwd' /etc/passwd && mount --bind '$there/group' /etc/group && exec \"\$@\"" >"$there/enter"
    unshare -m sh "$there/enter" "$exim" -C "$there/conf" -bdf -odi -oX "$port:$((port - 1))" >"$there/said" 2>&1 &
    pids="$pids $!"
    for key in ec rsa; do
        send trusting $port 0 "Exim and GnuTLS, $key" -s
        said 'C: \[TLSv1.3'
        # With CRLF on the way and LF in the file: trace in front, then what was sent.
        tries=0
        until [ -s "$there/mail/$port" ] || [ $tries -ge 100 ]; do tries=$((tries + 1)); sleep 0.1; done
        tail -c "$(wc -c <"$here/mail")" "$there/mail/$port" | cmp -s - "$here/mail"
        tell $? "$name: not delivered byte for byte"
        send distrusting $port 75 "Exim and GnuTLS, $key, of nobody we know" -s
        unsaid 'C: MAIL'
        port=$((port - 1))
    done
}
if [ "$(id -u)" -eq 0 ] && [ -x "$exim" ] && command -v unshare >/dev/null && unshare -m true 2>/dev/null; then
    exim_peer
else
    skip 'Exim, or the right to start it, is not here'
fi

[ "$(id -u)" -eq 0 ] && command -v postfix >/dev/null && [ -d /usr/lib/postfix/sbin ] && id postfix >/dev/null 2>&1 ||
    { skip 'Postfix, or the right to start it, is not here'; done_here; }

sasl="" offered=""
if command -v dovecot >/dev/null && command -v doveadm >/dev/null; then
    mkdir -m 755 "$here/dovecot"
    printf 'joe:{PLAIN}open sesame\n' >"$here/dovecot/users"
    cat >"$here/dovecot/conf" <<END
base_dir = $here/dovecot/run
state_dir = $here/dovecot/run
log_path = $here/dovecot/log
default_internal_user = nobody
default_internal_group = $(id -gn nobody)
default_login_user = nobody
protocols =
ssl = no
auth_mechanisms = plain login cram-md5 scram-sha-256
disable_plaintext_auth = no
passdb {
  driver = passwd-file
  args = $here/dovecot/users
}
userdb {
  driver = static
  args = uid=nobody gid=$(id -gn nobody) home=/nonexistent
}
service auth {
  unix_listener $here/dovecot/auth {
    mode = 0666
  }
}
END
    dovecot -F -c "$here/dovecot/conf" >"$here/dovecot/said" 2>&1 &
    pids="$pids $!"
    tries=0
    until [ -S "$here/dovecot/auth" ] || [ $tries -ge 100 ]; do tries=$((tries + 1)); sleep 0.1; done
    if [ -S "$here/dovecot/auth" ]; then
        sasl="smtpd_sasl_type = dovecot
smtpd_sasl_path = $here/dovecot/auth"
        offered='SCRAM-SHA-256 CRAM-MD5 PLAIN LOGIN'
    fi
fi

mkdir -p "$here/etc" "$here/spool" "$here/data" && chown postfix "$here/data"
for name in dynamicmaps.cf postfix-files dynamicmaps.cf.d postfix-files.d; do
    [ ! -e "/etc/postfix/$name" ] || cp -r "/etc/postfix/$name" "$here/etc/"
done
master=/etc/postfix/master.cf
[ -f $master ] || master=/usr/share/postfix/master.cf.dist
{
    sed -E -e 's/^([a-z0-9]+ +(inet|unix|fifo|pass) +[^ ]+ +[^ ]+ +)[y-]/\1n/' -e '/^[a-z0-9]+ +inet /d' $master
    # Without passwords, with them, TLS from the first octet, and one mechanism alone.
    echo '127.0.0.1:25526 inet n - n - - smtpd'
    echo "127.0.0.1:25527 inet n - n - - smtpd -o smtpd_sasl_auth_enable=yes -o smtpd_tls_auth_only=yes -o { smtpd_relay_restrictions = permit_sasl_authenticated reject } -o { smtpd_recipient_restrictions = permit_sasl_authenticated reject }"
    echo '127.0.0.1:25528 inet n - n - - smtpd -o smtpd_tls_wrappermode=yes'
    number=25530
    for mechanism in $offered; do
        others=$(printf '!%s\n' $offered | grep -vx "!$mechanism" | tr '\n' ' ')
        echo "127.0.0.1:$number inet n - n - - smtpd -o smtpd_sasl_auth_enable=yes -o { smtpd_sasl_mechanism_filter = $others static:rest }"
        number=$((number + 1))
    done
} >"$here/etc/master.cf"
cat >"$here/etc/main.cf" <<END
compatibility_level = 3.6
queue_directory = $here/spool
data_directory = $here/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
shlib_directory = /usr/lib/postfix
meta_directory = $here/etc
mail_owner = postfix
setgid_group = postdrop
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = mx.peer.test
mydestination =
alias_maps =
relay_domains = peer.test
transport_maps = inline:{peer.test=discard:}
smtpd_tls_security_level = may
smtpd_tls_chain_files = $here/ec.pem, $here/rsa.pem
smtpd_tls_received_header = yes
maillog_file = $here/log
maillog_file_prefixes = /
$sasl
END
postfix -c "$here/etc" start >"$here/started" 2>&1 || { skip "this Postfix does not start privately: $(tail -n 1 "$here/started")"; done_here; }
send trusting 25526 0 'Postfix, -s' -s
said 'C: \[TLSv1.3'
send requiring 25526 0 'Postfix, require'
said 'C: \[TLSv1.3'
send distrusting 25526 75 'Postfix, a certificate of nobody we know' -s
unsaid 'C: MAIL'
send distrusting 25526 0 'Postfix, -o' -so
send trusting 25528 0 'Postfix, TLS from the first octet' -t
if [ -n "$offered" ]; then
    send trusting 25527 0 'Postfix, the strongest' -a -u joe
    said 'C: AUTH SCRAM-SHA-256 '
    said 'S: 235 '
    send trusting 25527 69 'Postfix, nobody said who' -s
    send guessing 25527 77 'Postfix, a wrong password' -a -u joe
    unsaid 'C: MAIL'
    number=25530
    for mechanism in $offered; do
        send trusting $number 0 "Postfix, $mechanism" -a -u joe
        said "C: AUTH $mechanism"
        said 'S: 235 '
        number=$((number + 1))
    done
else
    skip 'Dovecot, who keeps users for Postfix, is not installed'
fi
done_here
