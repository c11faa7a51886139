// Addresses with a tag: mail for user+tag is user's where nobody has the whole name.
#pragma once
#include <string_view>

namespace greylag::mail {

// A local part without its tag, or all of it where it has none. Points into `local`.
constexpr std::string_view untagged(std::string_view local) {
    const std::size_t plus = local.find('+');
    return plus == 0 ? local : local.substr(0, plus);
}

}  // namespace greylag::mail
