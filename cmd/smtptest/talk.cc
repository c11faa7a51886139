#include "cmd/smtptest/talk.hh"

#include <cstdio>

#include "base/ascii.hh"

namespace greylag::smtptest {

using smtp_client::Failure;
using smtp_client::Reply;

namespace {
constexpr std::size_t at_once = 32 << 10;
}

Meanwhile Talk::meanwhile() {
    return {round_.server().descriptor(), [this] { return server_speaks(); }, [this] { return round_.server().pending(); }};
}

bool Talk::run(Source& source) {
    while (!over_) {
        const auto line = source.line(speech_.in_body());
        if (!line) {
            std::fprintf(stderr, "smtptest: %s\n", harmless(line.error().text).c_str());
            report_.worst(75);
            break;
        }
        if (!*line || over_) break;
        if (style_.instead && !speech_.in_body() && style_.instead(**line)) continue;
        if (!perform(speech_.line(**line), source)) return false;
    }
    return !over_;
}

bool Talk::perform(const Deed& deed, Source& source) {
    switch (deed.what) {
        case Deed::What::command: return command(deed.text);
        case Deed::What::starttls: return start_tls(deed.text);
        case Deed::What::auth: return authenticate(deed);
        case Deed::What::body:
            if (style_.echo) report_.dialogue(true, harmless(deed.text));
            return put(deed.text + "\r\n");
        case Deed::What::last:
            if (style_.echo) report_.dialogue(true, ".");
            report_.begin("message");
            return put(".\r\n") && flush() && listen(deed.replies, ".");
        case Deed::What::chunk: {
            const auto octets = source.octets(deed.octets);
            if (!octets) return false;
            if (style_.echo) report_.dialogue(true, harmless(deed.text));
            report_.begin("chunk");
            return put(deed.text + "\r\n" + *octets) && flush() && listen(deed.replies, deed.text);
        }
        case Deed::What::tell: report_.say(harmless(deed.text)); return true;
        case Deed::What::skip:
        case Deed::What::nothing: break;
    }
    return true;
}

bool Talk::put(std::string octets) {
    body_ += octets;
    return body_.size() < at_once || flush();
}

bool Talk::flush() {
    std::string octets;
    octets.swap(body_);
    if (octets.empty()) return true;
    const auto sent = round_.server().write(octets);
    return sent ? true : lost(sent.error());
}

bool Talk::lost(const Failure& failure) {
    // A line that cannot be sent was not: the dialogue stands.
    if (failure.kind == Failure::Kind::usage) {
        std::fprintf(stderr, "smtptest: %s\n", harmless(failure.text).c_str());
        report_.worst(64);
        return true;
    }
    over_ = true;
    report_.failed(failure);
    return false;
}

bool Talk::hear(const smtp_client::Result<Reply>& reply, const std::string& command) {
    if (!reply) {
        speech_.replied(0);
        return lost(reply.error());
    }
    // What stands behind the mechanism is nobody's business.
    const auto words = base::words(command);
    const bool secret = words.size() > 2 && base::iequals(words[0], "AUTH");
    report_.done(*reply, secret ? "AUTH " + std::string(words[1]) : command);
    report_.judge(*reply, style_.last_counts);
    speech_.replied(reply->code);
    if (style_.heard) style_.heard(*reply);
    return true;
}

bool Talk::command(const std::string& text) {
    report_.begin("command");
    if (!hear(round_.server().command(text), text)) return false;
    if (!base::iequals(base::trim(text), "QUIT")) return true;
    over_ = true;
    round_.server().close();
    return false;
}

bool Talk::listen(unsigned replies, const std::string& command) {
    for (unsigned i = 0; i < replies; ++i) {
        if (i > 0) report_.begin("message");
        if (!hear(round_.server().read_reply(), command)) return false;
    }
    return true;
}

bool Talk::start_tls(const std::string& text) {
    report_.begin("command");
    const auto reply = round_.server().command(text);
    if (!hear(reply, text)) return false;
    if (reply->code != 220) return true;
    if (round_.tls()) return true;
    over_ = true;
    return false;
}

bool Talk::authenticate(const Deed& deed) {
    // What is offered now may differ from what was at the beginning.
    if (deed.words.empty() && !round_.learn()) {
        over_ = true;
        return false;
    }
    report_.begin("auth");
    const auto reply = round_.authenticate_by(deed.words);
    if (reply) return hear(reply, "AUTH");
    report_.failed(reply.error());
    over_ = !Round::goes_on(reply.error());
    return !over_;
}

bool Talk::server_speaks() {
    if (!round_.server().readable(0)) return true;
    const auto reply = round_.server().read_reply();
    if (reply) {
        report_.judge(*reply, style_.last_counts);
        if (style_.heard) style_.heard(*reply);
        return true;
    }
    // It has said what it wanted to say, and left.
    over_ = true;
    if (report_.status() == 0) report_.worst(smtp_client::exit_status(reply.error().kind));
    return false;
}

bool Talk::quit() {
    if (over_) return false;
    Text none("");
    const auto end = speech_.end();
    if (end.what == Deed::What::last && !perform(end, none)) return false;
    return command("QUIT");
}

}  // namespace greylag::smtptest
