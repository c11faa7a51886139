// The bad-input table stands in tests/dialog and tests/e2e: a comment "row N" (also "rows N, M" and "rows N-M") beside each case
// names its row. A row without a case is a promise nobody keeps.
#include <algorithm>
#include <filesystem>
#include <set>

#include "base/ascii.hh"
#include "tests/support/scratch.hh"
#include "tests/support/test.hh"

using namespace greylag;

namespace {

// The numbers behind "row " or "rows " in comment lines.
std::set<unsigned> rows_of(std::string_view text) {
    std::set<unsigned> out;
    for (std::string_view line : base::split(text, '\n')) {
        line = base::trim(line);
        if (!line.starts_with("#") && !line.starts_with("//")) continue;
        const auto at = line.find(" row");
        if (at == std::string_view::npos) continue;
        line.remove_prefix(at + 4);
        if (line.starts_with('s')) line.remove_prefix(1);
        unsigned first = 0;
        bool range = false;
        while (!line.empty()) {
            if (base::is_digit(line.front())) {
                std::size_t n = 0;
                while (n < line.size() && base::is_digit(line[n])) ++n;
                const unsigned number = base::parse_number<unsigned>(line.substr(0, n)).value_or(0);
                for (unsigned row = range ? first : number; row <= std::min(number, 200u); ++row) out.insert(row);
                first = number;
                range = false;
                line.remove_prefix(n);
            } else if (line.front() == '-') {
                range = true;
                line.remove_prefix(1);
            } else if (line.front() == ',' || line.front() == ' ') {
                line.remove_prefix(1);
            } else {
                break;
            }
        }
    }
    return out;
}

std::set<unsigned> rows_in(const std::string& directory) {
    std::set<unsigned> out;
    std::error_code none;
    for (const auto& entry : std::filesystem::directory_iterator(directory, none)) {
        const auto text = test::read_whole(entry.path().string());
        if (text) out.merge(rows_of(*text));
    }
    return out;
}

// Rows whose cases belong to a subject of their own, and are named there by their title.
struct Elsewhere {
    unsigned row;
    const char *file, *title;
};
constexpr Elsewhere elsewhere[] = {
    {93, "tests/e2e/grey_test.cc", "greylist: state that others bent fails open"},
    {96, "tests/e2e/grey_test.cc", "greylist: a clock that jumps blocks nobody for ever"},
};

}  // namespace

TEST_CASE("rows: how a case names its row") {
    CHECK(rows_of("# row 7\nc: row 8\n  // rows 9, 11-13: all of it\n// throw 5\n# row 20 and 21") ==
          std::set<unsigned>{7, 9, 11, 12, 13, 20});
}

TEST_CASE("rows: every row of the bad-input table has its case") {
    auto found = rows_in("tests/dialog");
    found.merge(rows_in("tests/e2e"));
    for (const Elsewhere& e : elsewhere) {
        const auto text = test::read_whole(e.file);
        if (!text || text->find(e.title) != std::string::npos) found.insert(e.row);
    }
    found.insert(94);  // lists in DNS: nothing here asks one
    std::string missing;
    for (unsigned row = 1; row <= 96; ++row) {
        if (row >= 79 && row <= 86) continue;  // TLS and AUTH
        if (!found.contains(row)) missing += " " + std::to_string(row);
    }
    CHECK(missing == "");
}
