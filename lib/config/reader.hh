// The bytes of a configuration file as entries with line numbers. Knows the grammar, no section and no key.
//
// inih splits the lines, but never sees one it would bend: it cuts lines after 199 bytes and reads the rest as a new line, takes
// an indented key for more of the previous value, cuts at NUL and at " ;", ignores what follows "]", goes on in the old section
// after a broken header, and takes ':' for '='. Such a line becomes a remark, or reaches inih in the form the administrator
// meant.
#pragma once
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace greylag::config {

// Bytes of "key = value" written with one blank on each side of '='. Comments may have any length.
inline constexpr std::size_t line_limit = 190;

struct Opening {  // a section header
    unsigned line;
    std::string section;
};
struct Entry {
    unsigned line;
    std::string section, key, value;  // without blanks around; value may be empty
};
struct Remark {
    unsigned line;
    std::string what;
};

struct Reading {
    std::vector<Opening> openings;
    std::vector<Entry> entries;
    std::vector<Remark> remarks;  // lines refused; in file order
};

Reading read_entries(std::string_view bytes);

}  // namespace greylag::config
