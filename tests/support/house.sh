#!/bin/sh
# The house holds: rooms include only what lib/LAYERS allows, a foreign header has one home, headers compile alone.
set -u
passed=0 failed=0
result() {  # status name
    if [ "$1" -eq 0 ]; then passed=$((passed + 1)); else failed=$((failed + 1)); echo "FAILED: $2"; fi
}

awk -f tests/support/layers.awk lib/LAYERS $(find lib grey cmd -name '*.cc' -o -name '*.hh' | sort)
result $? "lib/LAYERS: rooms and layers"

# A rule that never fires proves nothing: a tree with each fault must be refused.
for fault in upward foreign unknown; do
    awk -f tests/support/layers.awk lib/LAYERS "tests/support/house/$fault/lib/base/bad.cc" >/dev/null
    [ $? -ne 0 ]
    result $? "lib/LAYERS: refuses $fault"
done

# The sanitizers' build has the compiler of another run, and nothing to add here. A header that a .cc of its name includes first
# was compiled alone there.
if [ "${MODE:-release}" = release ]; then
    find lib grey cmd tests -name '*.hh' | sort | while read -r header; do
        first=$(sed -n '/^#include/{p;q}' "${header%.hh}.cc" 2>/dev/null)
        [ "$first" = "#include \"${header#lib/}\"" ] || echo "$header"
    done | xargs -P "$(getconf _NPROCESSORS_ONLN)" -I{} sh -c '
        echo "#include \"${1#lib/}\"" | ${CXX:-c++} -std=c++23 -Ilib -I. -fsyntax-only -x c++ - || { echo "$1 does not compile alone"; exit 1; }' - {}
    result $? "headers compile alone"
fi

long=$(find lib grey cmd tests -name '*.cc' -o -name '*.hh' | xargs wc -l | awk '$2 != "total" && $1 > 500 { print $2 ": " $1 " lines" }')
[ -z "$long" ]
result $? "no file over 500 lines: $long"

echo "count $passed $failed 0"
[ "$failed" -eq 0 ]
