#!/bin/sh
# Runs the house checks and the test programs given, all at once since they mostly wait, shows them one after the other, and
# ends with the one line that counts them all. A test program prints "count PASSED FAILED SKIPPED" as its last word; one that
# does not has failed.
set -u
export B CXX MODE
total_passed=0 total_failed=0 total_skipped=0
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
# What runs in the background does not hear an interrupt by itself.
trap 'trap - TERM; kill 0; exit 1' HUP INT TERM

tally() {  # name output
    line=$(sed -n 's/^count \([0-9]* [0-9]* [0-9]*\)$/\1/p' "$2" | tail -n 1)
    if [ -z "$line" ]; then
        echo "FAILED: $1 ended without its count"
        total_failed=$((total_failed + 1))
        return
    fi
    set -- $line
    total_passed=$((total_passed + $1)) total_failed=$((total_failed + $2)) total_skipped=$((total_skipped + $3))
}

# The parts, a line each; a program that mostly waits is run as three.
parts() {
    echo sh tests/support/house.sh
    for program; do
        case $program in
            */e2e)
                cases=$("$program" --count | sed -n 's/.*current filters: *//p')
                third=$(((${cases:-0} + 2) / 3))
                echo "$program --last=$third"
                echo "$program --first=$((third + 1)) --last=$((2 * third))"
                echo "$program --first=$((2 * third + 1))"
                ;;
            *) echo "$program" ;;
        esac
    done
}

parts "$@" >"$work/parts"
number=0
while read -r part; do
    number=$((number + 1))
    (
        $part >"$work/$number" 2>&1 </dev/null
        echo $? >"$work/$number.status"
    ) &
done <"$work/parts"
wait
number=0
while read -r part; do
    number=$((number + 1))
    echo "== $part"
    sed '/^count [0-9]/d' "$work/$number"
    tally "$part" "$work/$number"
    status=$(cat "$work/$number.status")
    if [ "$status" -ne 0 ] && [ "$total_failed" -eq 0 ]; then
        echo "FAILED: $part exited with $status"
        total_failed=1
    fi
done <"$work/parts"
[ $((total_passed + total_failed)) -gt 0 ] || { echo "no test ran"; total_failed=1; }
echo "$total_passed passed, $total_failed failed, $total_skipped skipped"
[ "$total_failed" -eq 0 ]
