#include "base/event.hh"

#include <algorithm>

#include "base/ascii.hh"
#include "base/escape.hh"

namespace greylag::base {
namespace {

std::string shown(const Field& field) {
    const auto bare = [](char c) { return is_printable(c) && c != ' ' && c != '"'; };
    if (field.from_peer || field.value.empty() || !std::all_of(field.value.begin(), field.value.end(), bare))
        return quoted(field.value);
    return field.value;
}

// Ours before the stranger's: whatever a peer writes, a reader has seen our words by then.
template <class F>
void each_field(const Event& event, F f) {
    for (const bool from_peer : {false, true})
        for (const Field& field : event.fields)
            if (field.from_peer == from_peer) f(field);
}

}  // namespace

std::string_view name(Word word) {
    switch (word) {
        case Word::connect: return "connect";
        case Word::accept: return "accept";
        case Word::reject: return "reject";
        case Word::greylist: return "greylist";
        case Word::whitelist: return "whitelist";
        case Word::auth_ok: return "auth-ok";
        case Word::auth_failed: return "auth-failed";
        case Word::tls: return "tls";
        case Word::deliver: return "deliver";
        case Word::deliver_failed: return "deliver-failed";
        case Word::drop: return "drop";
        case Word::disconnect: return "disconnect";
        case Word::note: return "note";
    }
    return "note";
}

Event& Event::with(std::string_view key, std::string value) {
    fields.push_back({key, std::move(value), false});
    return *this;
}

Event& Event::with_peer(std::string_view key, std::string value) {
    fields.push_back({key, std::move(value), true});
    return *this;
}

std::string show_text(const Event& event, std::string_view id) {
    std::string line{name(event.word)};
    const auto add = [&](const Field& field) { line.append(" ").append(field.key).append("=").append(shown(field)); };
    if (!id.empty()) add({"id", std::string{id}, false});
    each_field(event, add);
    return line;
}

std::string show_json(const Event& event, std::string_view id) {
    std::string line = "{\"event\":" + json_string(name(event.word));
    const auto add = [&](const Field& field) {
        line.append(",").append(json_string(field.key)).append(":").append(json_string(field.value));
    };
    if (!id.empty()) add({"id", std::string{id}, false});
    each_field(event, add);
    return line += '}';
}

}  // namespace greylag::base
