// Replies at a glance.
#pragma once
#include <string>
#include <string_view>

namespace greylag::test {

// The codes of all replies' last lines, in order: "250 250 354".
inline std::string codes(std::string_view said) {
    std::string out;
    while (!said.empty()) {
        const auto line = said.substr(0, said.find("\r\n"));
        if (line.size() < 4 || line[3] != '-') out += (out.empty() ? "" : " ") + std::string(line.substr(0, 3));
        said.remove_prefix(line.size() + 2);
    }
    return out;
}

}  // namespace greylag::test
