# A DNS question in a fresh process: what the start of the resolver costs, and the question itself.

if "$tools/dns" "${RUNS:-200}" >"$scratch/dns" 2>>"$scratch/errors"; then
    {
        read -r first first_least cpu
        read -r second second_least cpu
        read -r hand hand_least hand_cpu
    } <"$scratch/dns"
    row 'DNS, start and first question, us: median (least)' "$first ($first_least)" "hand-made $hand ($hand_least)" '<= 270' "$(yes_if "$first <= 270")"
    row '  a further question, us: median (least)' "$second ($second_least)" "hand-made $hand ($hand_least)" '-' -
    row '  CPU of the whole process with both, us' "$cpu" "hand-made, one $hand_cpu" '<= 830' "$(yes_if "$cpu <= 830")"
else
    echo 'dns: no figures'
fi
