#!/bin/sh
# make check-peers: other people's clients and servers against ours. Each file beside this one is a part; it prints
# "count PASSED FAILED SKIPPED" as its last word, and one that does not has failed.
set -u
: "${B:=build/release-g++}"
export B
passed=0 failed=0 skipped=0
out=$(mktemp) || exit 1
trap 'rm -f "$out"' EXIT

for part in tests/peers/*.sh; do
    [ "$part" != tests/peers/run.sh ] || continue
    echo "== $part"
    sh "$part" >"$out" 2>&1
    grep -v '^count ' "$out"
    set -- $(sed -n 's/^count \([0-9]* [0-9]* [0-9]*\)$/\1/p' "$out" | tail -n 1)
    if [ $# -eq 3 ]; then
        passed=$((passed + $1)) failed=$((failed + $2)) skipped=$((skipped + $3))
    else
        echo "FAILED: $part ended without its count"
        failed=$((failed + 1))
    fi
done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
