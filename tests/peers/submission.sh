#!/bin/sh
# Submission: STARTTLS and AUTH of other people's clients into smtpd -l -a: msmtp with each mechanism it knows, a private Postfix
# with TLS and SASL, gnutls-cli. Stored byte for byte, and with the right word in Received.
set -u
. tests/peers/site.sh.inc
make_messages
have openssl || { skip 'submission: openssl is not installed'; count; exit 0; }
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$scratch/key" -out "$scratch/cert" -subj /CN=localhost \
    -addext subjectAltName=DNS:localhost -days 3 2>"$scratch/errors" || { bad "openssl: $(tail -n 1 "$scratch/errors")"; count; exit 1; }
cat "$scratch/cert" "$scratch/key" >"$scratch/mx.pem"
echo 'opens e same' | "$B/bin/smtpd-passwd" -f "$scratch/users" -m scram-sha-256,plain,cram-md5 you || bad 'smtpd-passwd'
secure='[smtpd]
authenticate = on
[tls]
certificate = '$scratch/mx.pem'
[auth]
users = '$scratch/users'
mechanisms = SCRAM-SHA-256-PLUS SCRAM-SHA-256 CRAM-MD5 PLAIN LOGIN'
start_server send "$secure" || { bad 'smtpd does not listen'; count; exit 1; }

sends_msmtp() {
    msmtp --host=127.0.0.1 --port="$port" --domain=client.home.arpa --from=stranger@example.org --auth="$mechanism" --user=you \
        --passwordeval="echo 'opens e same'" --tls=on --tls-starttls=on --tls-trust-file= --tls-certcheck=off -- "$2" <"$1"
}
if have msmtp; then
    knows=$(msmtp --version | sed -n 's/^Supported authentication methods://p;/^plain/p')
    utf8=no
    for mechanism in plain login cram-md5 scram-sha-256; do
        case " $(echo $knows) " in
        *" $mechanism "*) every_message "msmtp, STARTTLS, $mechanism" sends_msmtp ;;
        *) skip "msmtp is built without $mechanism" ;;
        esac
    done
    mechanism=plain
    [ "$(grep -c 'auth-ok .* auth=PLAIN ' "$scratch/log")" -ge 5 ] && ok || bad 'the log does not name PLAIN'
    if msmtp --host=127.0.0.1 --port="$port" --domain=client.home.arpa --from=stranger@example.org --auth=plain --user=you \
        --passwordeval='echo wrong' --tls=on --tls-trust-file= --tls-certcheck=off -- "you@$domain" <"$scratch/small.eml" >/dev/null 2>&1; then
        bad 'msmtp, wrong password: taken'
    else
        ok
    fi
else
    skip 'msmtp is not installed'
fi

. tests/peers/postfix.sh.inc
sends_postfix() { sendmail -C "$scratch/postfix/etc" -f stranger@example.org -i -- "$2" <"$1"; }
if postfix_is_there; then
    if start_postfix; then
        for setting in smtp_tls_security_level=secure smtp_tls_secure_cert_match=localhost "smtp_tls_CAfile=$scratch/cert" \
            smtp_sasl_auth_enable=yes smtp_sasl_security_options=noanonymous smtp_tls_loglevel=1 \
            "smtp_sasl_password_maps=inline:{{[127.0.0.1]:$port=you:opens e same}}" "relayhost=[127.0.0.1]:$port"; do
            postconf -c "$scratch/postfix/etc" -e "$setting"
        done
        postfix -c "$scratch/postfix/etc" reload >>"$scratch/errors" 2>&1
        utf8=yes
        before=$(grep -c ' auth-ok ' "$scratch/log")
        every_message 'Postfix, STARTTLS, SASL' sends_postfix
        [ "$(grep -c ' auth-ok ' "$scratch/log")" -gt "$before" ] && ok || bad 'Postfix did not authenticate'
        [ "$failed" -eq 0 ] || tail -n 5 /var/log/greylag-peers-postfix.log
        stop_postfix
    else
        bad "the private Postfix does not start: $(tail -n 2 "$scratch/errors" | tr '\n' ' ')"
    fi
else
    skip 'Postfix: root and an installed Postfix are needed'
fi

# GnuTLS itself: the certificate is verified by name, TLS 1.2 and 1.3.
if have gnutls-cli; then
    for version in 1.2 1.3; do
        { printf 'EHLO client.home.arpa\r\n'; sleep 1; printf 'QUIT\r\n'; sleep 1; } |
            timeout 20 gnutls-cli --starttls-proto=smtp --x509cafile="$scratch/cert" --priority="NORMAL:-VERS-ALL:+VERS-TLS$version" \
                --port="$port" --sni-hostname=localhost --verify-hostname=localhost 127.0.0.1 >"$scratch/said" 2>&1
        if grep -q 'The certificate is trusted' "$scratch/said" && grep -q '^250-AUTH SCRAM-SHA-256-PLUS' "$scratch/said" &&
            grep -q '^221 2.0.0' "$scratch/said" && grep -q "TLS$version" "$scratch/said"; then
            ok
        else
            bad "gnutls-cli, TLS $version: $(tail -n 3 "$scratch/said" | tr '\n' ' ')"
        fi
    done
else
    skip 'gnutls-cli is not installed'
fi
! grep -q 'opens e same' "$scratch/log" && ok || bad 'a password stands in the log'
count
