#!/bin/sh
# Release check: testssl.sh against STARTTLS of smtpd -l, with an EC and an RSA certificate in one file. Every finding above LOW
# fails; the certificate is self-signed, so what testssl.sh says about its trust is left out. Takes minutes, therefore no part of
# check-peers. LOG=file keeps everything it said.
set -u
cd "$(dirname "$0")/../../.." || exit 1
: "${B:=build/release-g++}"
. tests/peers/site.sh.inc
testssl=$(command -v testssl || command -v testssl.sh) || { skip 'testssl.sh is not installed'; count; exit 0; }
have openssl || { skip 'openssl is not installed'; count; exit 0; }

for kind in 'ec -pkeyopt ec_paramgen_curve:P-256' rsa:2048; do
    # shellcheck disable=SC2086
    openssl req -x509 -newkey $kind -nodes -keyout "$scratch/key" -subj '/CN=localhost' -addext 'subjectAltName=DNS:localhost' \
        -addext 'keyUsage=digitalSignature' -addext 'extendedKeyUsage=serverAuth' -days 90 2>>"$scratch/errors"
    cat "$scratch/key"
done >"$scratch/mx.pem"
start_server send "[tls]
certificate = $scratch/mx.pem
[limits]
per_source = 200" || { bad 'smtpd does not listen'; count; exit 1; }

timeout 1500 "$testssl" --quiet --color 0 --warnings off --ip one --starttls smtp --csvfile "$scratch/found.csv" "localhost:$port" \
    >"${LOG:-$scratch/said}" 2>&1 </dev/null
# id, host, port, severity, finding: trust, lifetime and revocation are the certificate's, not the server's.
awk -F'","' '$4 ~ /^(MEDIUM|HIGH|CRITICAL|FATAL)$/ && $1 !~ /cert_(chain_of_trust|trust|expirationStatus|notAfter|revocation|crlDistributionPoints|extlifeSpan|caIssuers)|OCSP|DNS_CAArecord|overall_grade|grade_cap/ { print "FAILED: " $0 }' \
    "$scratch/found.csv" >"$scratch/bad"
cat "$scratch/bad"
if [ "$(wc -l <"$scratch/found.csv")" -lt 50 ]; then
    bad "testssl.sh did not get through: $(tail -n 3 "${LOG:-$scratch/said}" | tr '\n' ' ')"
elif [ -s "$scratch/bad" ]; then
    failed=$(wc -l <"$scratch/bad")
else
    ok
fi
[ -z "${CSV:-}" ] || cp "$scratch/found.csv" "$CSV"
count
