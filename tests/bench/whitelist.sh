# Is an address white? Asked by a fresh process, above one that asks nothing; a text of a thousand to ten million lines.

first=
for lines in 1000 100000 1000000 10000000; do
    "$tools/lookup" fill-white "$scratch/white" $lines || { row "whitelist of $lines lines" failed - '<= +50' no; continue; }
    set -- $("$tools/lookup" time "${LOOKUPS:-400}" $lines nop - white "$scratch/white")
    [ $# -eq 6 ] || { row "whitelist of $lines lines" failed - '<= +50' no; continue; }
    : "${first:=$(($4 - $1))}"
    row "whitelist of $lines lines, fresh process, CPU us (wall)" "+$(($4 - $1)) ($(($5 - $2)))" "nop $1 ($2)" '<= +50, flat' \
        "$(yes_if "$4 - $1 <= 50 && $4 - $1 <= $first + 25")"
    rm -rf "$scratch/white"
done
