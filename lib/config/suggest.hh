// "did you mean": the nearest of the names that exist.
#pragma once
#include <span>
#include <string_view>

namespace greylag::config {

// The name of `names` at most two letters (inserted, left out, replaced) from `typed`, case aside; empty when none is. Of a short
// name at most half may differ.
std::string_view closest(std::string_view typed, std::span<const std::string_view> names);

}  // namespace greylag::config
