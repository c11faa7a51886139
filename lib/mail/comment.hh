// Blanks and comments between the words of a structured header value (RFC 5322 3.2.2, CFWS).
#pragma once
#include <string_view>

#include "base/ascii.hh"

namespace greylag::mail {

// `text` behind its leading blanks, line ends and comments. A comment that never ends swallows the rest.
inline std::string_view skip_comments(std::string_view text) {
    std::size_t depth = 0, i = 0;
    for (; i < text.size(); ++i) {
        const char c = text[i];
        if (c == '(') {
            ++depth;
        } else if (depth == 0) {
            if (!base::is_blank(c) && c != '\r' && c != '\n') break;
        } else if (c == ')') {
            --depth;
        } else if (c == '\\' && i + 1 < text.size()) {
            ++i;
        }
    }
    return text.substr(i);
}

}  // namespace greylag::mail
