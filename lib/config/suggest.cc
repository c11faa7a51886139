#include "config/suggest.hh"

#include <algorithm>
#include <numeric>
#include <vector>

#include "base/ascii.hh"

namespace greylag::config {
namespace {

constexpr std::size_t reach = 2;

std::size_t distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 0; i < a.size(); ++i) {
        std::size_t diagonal = row[0];
        row[0] = i + 1;
        for (std::size_t j = 0; j < b.size(); ++j) {
            const std::size_t replaced = diagonal + (base::to_lower(a[i]) == base::to_lower(b[j]) ? 0 : 1);
            diagonal = row[j + 1];
            row[j + 1] = std::min({replaced, row[j] + 1, diagonal + 1});
        }
    }
    return row.back();
}

}  // namespace

std::string_view closest(std::string_view typed, std::span<const std::string_view> names) {
    std::string_view best;
    std::size_t best_distance = reach + 1;
    for (const std::string_view name : names) {
        const std::size_t lengths = std::max(typed.size(), name.size()) - std::min(typed.size(), name.size());
        if (lengths > reach) continue;
        const std::size_t d = distance(typed, name);
        if (d < best_distance && d <= name.size() / 2) {
            best = name;
            best_distance = d;
        }
    }
    return best;
}

}  // namespace greylag::config
