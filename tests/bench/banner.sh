# exec to the first octet of the greeting on a socketpair, beside the least program of the same kind.

"$tools/banner" "${RUNS:-400}" "$scratch/bin/floor" "$smtpd -C $scratch/discard.conf" "$smtpd -C /dev/null -h $domain" >"$scratch/banner"
{
    read -r floor_median floor_least floor_cpu floor_faults rest
    for what in 'shipped smtpd.conf' 'no smtpd.conf'; do
        read -r wall least cpu faults rest
        row "exec to banner, $what, us: median (least)" "$wall ($least)" "floor $floor_median ($floor_least)" '<= 350' "$(yes_if "$wall <= 350")"
        row "  the same above a trivial static C++ program, us" "$((wall - floor_median)) ($((least - floor_least)))" '-' '<= 13 (337 + 13)' \
            "$(yes_if "$least - $floor_least <= 13")"
        row "  CPU of 220 and QUIT, us; minor faults" "$cpu; $faults" "floor $floor_cpu; $floor_faults" '-' -
    done
} <"$scratch/banner"
