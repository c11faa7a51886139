#!/bin/sh
# Runs every fuzzer of a directory for FUZZ_SECONDS each on a copy of its corpus, tests/fuzz/corpus/NAME, and counts.
# A crash is kept beside the fuzzers' directory; tests/fuzz/NAME.options may hold further libFuzzer flags.
set -u
if [ $# -ne 1 ] || [ ! -d "$1" ]; then
    echo "usage: tests/fuzz/run.sh DIR" >&2
    exit 64
fi
dir=$1 seconds=${FUZZ_SECONDS:-60}
here=$(dirname "$0")
found=$(dirname "$dir")/crashes
passed=0 failed=0 skipped=0
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
mkdir -p "$found" || exit 1

for fuzzer in "$dir"/*; do
    if [ ! -f "$fuzzer" ] || [ ! -x "$fuzzer" ]; then continue; fi
    name=$(basename "$fuzzer")
    # A target that is gone from the tree leaves its program behind.
    if [ ! -f "$here/$name.cc" ]; then
        echo "$name skipped: no tests/fuzz/$name.cc"
        skipped=$((skipped + 1))
        continue
    fi
    mkdir -p "$work/$name"
    [ -d "$here/corpus/$name" ] && cp -R "$here/corpus/$name/." "$work/$name/"
    options=-max_len=4096
    [ -f "$here/$name.options" ] && options=$(grep -v '^#' "$here/$name.options")
    began=$(date +%s)
    # shellcheck disable=SC2086 # the options are words
    "$fuzzer" -timeout=10 -rss_limit_mb=2048 $options -max_total_time="$seconds" -artifact_prefix="$found/$name-" \
        -print_final_stats=1 "$work/$name" >"$work/log" 2>&1
    status=$?
    took=$(($(date +%s) - began))
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$work/log")
    if [ "$status" -eq 0 ]; then
        echo "$name: ${runs:-0} runs, $took s, ok"
        passed=$((passed + 1))
    else
        artifact=$(sed -n 's/.*Test unit written to //p' "$work/log" | tail -n 1)
        echo "$name: ${runs:-?} runs, $took s, CRASH ${artifact:-(no input kept)}"
        tail -n 30 "$work/log"
        failed=$((failed + 1))
    fi
done
[ $((passed + failed)) -gt 0 ] || { echo "no fuzzer ran in $dir"; failed=1; }
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
