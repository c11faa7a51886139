# Checks #include lines against lib/LAYERS: awk -f layers.awk lib/LAYERS file...
# A room includes its own headers, those of the rooms in its row, and a foreign header only where that has its home.
FILENAME ~ /LAYERS$/ {
    if ($0 ~ /^#/ || NF == 0) next
    room = $1
    rooms[room] = 1
    line = $0
    sub(/^[a-z]+ +[0-9]+ +/, "", line)
    n = split(line, columns, /   +/)
    split(columns[1], may, " ")
    for (i in may) allowed[room, may[i]] = 1
    split(columns[n], homes, " ")
    if (n > 1) for (i in homes) if (homes[i] != "-") home[homes[i]] = room
    next
}
FNR == 1 {
    room = FILENAME
    sub(/^.*(lib|tests\/support\/house\/[a-z]+\/lib)\//, "", room)
    sub(/\/.*/, "", room)
    if (FILENAME ~ /^grey\//) room = "grey"
    if (FILENAME ~ /^cmd\//) room = "cmd"
    if (!(room in rooms)) bad("is in no room of lib/LAYERS")
}
/^[ \t]*#[ \t]*include[ \t]*"/ {
    split($0, part, "\"")
    target = part[2]
    sub(/\/.*/, "", target)
    if (part[2] !~ /\//) bad("includes \"" part[2] "\" without naming its room")
    else if (!(target in rooms)) bad("includes \"" part[2] "\", which is in no room")
    else if (target != room && !((room, target) in allowed) && !((room, "*") in allowed)) bad("includes \"" part[2] "\": " room " may not use " target)
}
/^[ \t]*#[ \t]*include[ \t]*</ {
    header = $0
    sub(/^[^<]*</, "", header); sub(/>.*/, "", header)
    for (pattern in home) {
        p = pattern
        gsub(/\./, "\\.", p); gsub(/\*/, ".*", p)
        if (header ~ "^" p "$" && home[pattern] != room && !foreign_in_cmd(header)) bad("includes <" header ">, whose home is " home[pattern])
    }
}
# A program's driver may speak to the operating system, never to a package.
function foreign_in_cmd(header) { return room == "cmd" && home_is_sys(header) }
function home_is_sys(header, pattern, p) {
    for (pattern in home) {
        p = pattern
        gsub(/\./, "\\.", p); gsub(/\*/, ".*", p)
        if (header ~ "^" p "$") return home[pattern] == "sys"
    }
    return 0
}
function bad(what) { print FILENAME ":" FNR ": " what; faults++ }
END { exit faults > 0 }
