// The one table of settings, as the parser uses it. all_settings() is its public face.
#pragma once
#include <span>
#include <string_view>

#include "config/settings.hh"

namespace greylag::config {

struct Row {
    Setting setting;
    // A scalar's value, or one item of a list, from its text; false when the text is not what the setting expects.
    bool (*set)(Settings&, std::string_view text);
    void (*clear)(Settings&);  // lists only: what the file gives replaces the default
};
std::span<const Row> table();

// What a value must keep to besides its form: bounds, and one value against another.
struct Rule {
    std::string_view section, key;
    std::string_view other;  // the second key of the section that has a part in it, or empty
    std::string_view what;   // the sentence after "'key' in [section] "
    bool (*holds)(const Settings&);
};
std::span<const Rule> rules();

}  // namespace greylag::config
