#!/bin/sh
# Runs every fuzzer of a directory for FUZZ_SECONDS each on a copy of its corpus, tests/fuzz/corpus/NAME, one a processor, and
# counts. A crash is kept beside the fuzzers' directory; tests/fuzz/NAME.options may hold further libFuzzer flags.
#   run.sh DIR           all of them
#   run.sh DIR NAME OUT  one, its verdict in the file OUT
set -u
if [ $# -lt 1 ] || [ ! -d "$1" ]; then
    echo "usage: tests/fuzz/run.sh DIR [NAME OUT]" >&2
    exit 64
fi
dir=$1 seconds=${FUZZ_SECONDS:-60}
here=$(dirname "$0")
found=$(dirname "$dir")/crashes
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
mkdir -p "$found" || exit 1

one() {  # NAME: a line, and the log of a crash
    # A target that is gone from the tree leaves its program behind.
    [ -f "$here/$1.cc" ] || { echo "$1 skipped: no tests/fuzz/$1.cc"; return; }
    mkdir -p "$work/$1"
    [ -d "$here/corpus/$1" ] && cp -R "$here/corpus/$1/." "$work/$1/"
    options=-max_len=4096
    [ -f "$here/$1.options" ] && options=$(grep -v '^#' "$here/$1.options")
    began=$(date +%s)
    # shellcheck disable=SC2086 # the options are words
    "$dir/$1" -timeout=10 -rss_limit_mb=2048 $options -max_total_time="$seconds" -artifact_prefix="$found/$1-" \
        -print_final_stats=1 "$work/$1" >"$work/log" 2>&1
    status=$?
    took=$(($(date +%s) - began))
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$work/log")
    if [ "$status" -eq 0 ]; then
        echo "$1: ${runs:-0} runs, $took s, ok"
    else
        artifact=$(sed -n 's/.*Test unit written to //p' "$work/log" | tail -n 1)
        echo "$1: ${runs:-?} runs, $took s, CRASH ${artifact:-(no input kept)}"
        tail -n 30 "$work/log"
    fi
}

if [ $# -eq 3 ]; then
    one "$2" >"$3"
    exit
fi
find "$dir" -type f -perm -100 | sed 's|.*/||' | sort |
    xargs -P "$(getconf _NPROCESSORS_ONLN)" -I{} sh "$0" "$dir" {} "$work/{}.out"
cat "$work"/*.out
passed=$(grep -lE '^[^ ]*: .* ok$' "$work"/*.out | wc -l)
skipped=$(grep -lE '^[^ ]* skipped: ' "$work"/*.out | wc -l)
failed=$(($(find "$dir" -type f -perm -100 | wc -l) - passed - skipped))
[ $((passed + failed)) -gt 0 ] || { echo "no fuzzer ran in $dir"; failed=1; }
echo "$((passed)) passed, $failed failed, $((skipped)) skipped"
[ "$failed" -eq 0 ]
