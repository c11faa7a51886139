#include "smtp/dialogue_run.hh"

#include <utility>

#include "base/ascii.hh"
#include "base/escape.hh"

namespace greylag::smtp::dialogue {

namespace {

using Wrong = std::optional<std::string>;

template <class T>
Wrong wrong(const Result<T>& result) {
    return result ? std::nullopt : Wrong(result.error().text);
}

// One step; what it found wrong. `reply` is the last one read.
Wrong take(const Step& step, Channel& channel, std::string& reply) {
    switch (step.verb) {
        case Verb::send: return wrong(channel.send(step.text));
        case Verb::cut: return wrong(channel.cut());
        case Verb::reply:
        case Verb::reply_begins:
        case Verb::reply_contains: {
            auto got = channel.read_reply();
            if (!got) return "expected a reply: " + base::printable(got.error().text);
            reply = *std::move(got);
            return mismatch(step, reply);
        }
        case Verb::has:
        case Verb::has_not: return mismatch(step, reply);
        case Verb::tls: return wrong(channel.start_tls());
        case Verb::auth: return wrong(channel.authenticate(step.words));
        case Verb::wait: {
            const auto speaks = channel.speaks_or_closes();
            if (speaks && !*speaks) return "the server neither speaks nor closes";
            return wrong(speaks);
        }
        case Verb::close: return wrong(channel.half_close());
        case Verb::closed: {
            const auto rest = channel.read_to_end();
            if (rest && !rest->empty()) return "expected the server to close, got \"" + base::printable(*rest) + "\"";
            return wrong(rest);
        }
    }
    return "no step";
}

}  // namespace

std::optional<Fault> run(const Script& script, Channel& channel) {
    std::string reply;
    for (const Step& step : script.steps)
        if (auto what = take(step, channel, reply)) return Fault{step.line, *std::move(what)};
    return std::nullopt;
}

std::vector<Section> sections(std::string_view text) {
    constexpr std::string_view mark = "=== ";
    std::vector<Section> out(1);
    std::string common, blanks;
    bool begun = false;
    for (const std::string_view line : base::split(text, '\n')) {
        if (line.starts_with(mark)) {
            if (!std::exchange(begun, true)) {
                common = std::exchange(out[0].text, {});
                out.clear();
            }
            out.push_back({std::string(line.substr(mark.size())), common + blanks + "\n"});
        } else {
            out.back().text.append(line).append("\n");
        }
        if (begun) blanks += '\n';
    }
    return out;
}

}  // namespace greylag::smtp::dialogue
