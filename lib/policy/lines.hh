// Inside of the policy files (block list, senders, names.blocked): one line a rule, '#' begins a comment anywhere, words are
// separated by blanks and commas (upas).
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "base/ascii.hh"

namespace greylag::policy {

struct LineFault {
    unsigned line = 0;
    std::string what;
};

// Calls take(words, line) for every line that says anything. DOS line ends are no fault.
template <class Take>
void for_each_line(std::string_view bytes, Take take) {
    for (unsigned number = 1; !bytes.empty(); ++number) {
        std::string_view line = bytes.substr(0, bytes.find('\n'));
        bytes.remove_prefix(std::min(line.size() + 1, bytes.size()));
        line = line.substr(0, line.find('#'));
        const auto words = base::words(base::trim(line), ",");
        if (!words.empty()) take(words, number);
    }
}

}  // namespace greylag::policy
