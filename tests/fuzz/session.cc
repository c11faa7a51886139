// Whole sessions against a scripted world: verdicts of policy, of the mailer and of DNS, ends of TLS handshakes and of AUTH steps
// are octets of the input. The invariants are those of lib/smtp/server.hh; and pieces change nothing.
#include "smtp/conversation.hh"

#include <algorithm>
#include <cstdlib>
#include <string>

using namespace greylag;
using namespace greylag::smtp;

namespace {

void must(bool holds) {
    if (!holds) std::abort();
}

struct Outcome {
    std::string said;
    std::string given;  // to the mailer, one behind the other
    bool closed = false;
    bool operator==(const Outcome&) const = default;
};

class Run {
public:
    Run(unsigned char flags, std::string_view world) : world_(world), conversation_(facts(flags), limits(flags)) { drain({}); }

    void feed(std::string_view octets) { drain(octets); }
    Outcome end() {
        if (!out_.closed) {
            conversation_.tell(event::Gone{event::Gone::Why::eof});
            drain({});
            must(out_.closed);
        }
        std::string_view more = "QUIT\r\n";
        must(std::holds_alternative<step::NeedInput>(conversation_.next(more)));  // after Close no effect
        return std::move(out_);
    }

private:
    static ServerFacts facts(unsigned char flags) {
        ServerFacts facts{.domain = "mx.example", .size_limit = 300, .recipient_limit = 4, .error_limit = 12};
        facts.tls_offered = (flags & 1) != 0;
        if ((flags & 2) != 0) facts.mechanisms = {"PLAIN", "LOGIN"};
        facts.auth_required = (flags & 4) != 0;
        facts.mechanisms_under_tls = {"PLAIN"};
        return facts;
    }
    static DotDecoder::Limits limits(unsigned char flags) {
        return {100, (flags & 8) != 0 ? DotDecoder::BareLf::normalize : DotDecoder::BareLf::fault};
    }

    unsigned next_word() {
        if (world_.empty()) return 0;
        const auto word = static_cast<unsigned char>(world_.front());
        world_.remove_prefix(1);
        return word;
    }
    mail::Verdict verdict() {
        using mail::Verdict;
        using mail::Why;
        switch (next_word() % 8) {
            case 4: return Verdict::later(Why::sender_dns, "\x1b\r\n250 ok");
            case 5: return Verdict::later(Why::greylisted, "300");
            case 6: return Verdict::never(Why::dialup);
            case 7: return Verdict::never(Why::mailer_failed, std::string(600, '\xff'));
            default: return Verdict::pass();
        }
    }

    void drain(std::string_view input) {
        // Every octet and every question may cost a few steps, and no more.
        std::size_t fuel = 64 + 32 * input.size();
        for (bool hungry = false; !hungry && !out_.closed;) {
            must(fuel-- > 0);
            Step step = conversation_.next(input);
            hungry = std::holds_alternative<step::NeedInput>(step);
            must(!hungry || input.empty());
            std::visit([&](const auto& s) { perform(s, input); }, step);
        }
    }

    void perform(const step::NeedInput&, std::string_view) {}
    void perform(const step::Store& s, std::string_view) {
        must(!conversation_.envelope().recipients.empty());  // nothing is kept for nobody
        body_ += s.bytes;
        must(body_.size() <= 300 + 300);  // what was already decoded when it became too much
    }
    void perform(const effect::Watch&, std::string_view) { conversation_.tell(event::Watched{false}); }
    void perform(const effect::Say& s, std::string_view) {
        const std::string text = wire(s.reply);
        must(text.ends_with("\r\n") && s.reply.code >= 200 && s.reply.code < 600);
        if (s.reply.code == 354) must(!conversation_.envelope().recipients.empty());
        if (s.reply.enhanced == "2.6.0") must(std::exchange(delivered_, false));  // 250 after the dot only after Delivered{ok}
        out_.said += text;
    }
    void perform(const effect::Ask& e, std::string_view) {
        const auto& q = e.question;
        if (std::holds_alternative<question::Auth>(q) || std::holds_alternative<question::AuthResponse>(q))
            return conversation_.tell(event::Auth{static_cast<event::Auth::Step>(next_word() % 5), "joe"});
        if (!std::holds_alternative<question::Deliver>(q)) return conversation_.tell(event::Answer{verdict()});
        const auto& envelope = conversation_.envelope();
        must(!envelope.recipients.empty() && envelope.recipients.size() <= 4);
        must(body_.size() <= 300);
        out_.given += envelope.sender.text() + '\0';
        for (const auto& to : envelope.recipients) out_.given += to.text() + '\0';
        out_.given += body_ + '\0';
        auto answer = verdict();
        delivered_ = answer.ok();
        conversation_.tell(event::Delivered{std::move(answer), "id"});
    }
    void perform(const effect::Wait& w, std::string_view) { must(w.wait.count() > 0 && w.wait.count() <= 10'000); }
    void perform(const effect::TakeBody& take, std::string_view) {
        if (take.begins || take.keep) must(!conversation_.envelope().recipients.empty());
        if (take.begins) body_.clear();
    }
    void perform(const effect::StartTls&, std::string_view input) {
        must(input.empty());
        conversation_.tell(event::TlsUp{next_word() % 2 == 0, "TLSv1.3", {"PLAIN"}});
        must(conversation_.envelope().recipients.empty() && conversation_.session().user().empty());
    }
    void perform(const effect::Log&, std::string_view) {}
    void perform(const effect::Close&, std::string_view) { out_.closed = true; }

    std::string_view world_;
    Outcome out_;
    std::string body_;
    bool delivered_ = false;
    Conversation conversation_;
};

Outcome run(unsigned char flags, std::string_view world, std::string_view octets, std::size_t step) {
    Run session(flags, world);
    for (; !octets.empty(); octets.remove_prefix(std::min(step, octets.size()))) session.feed(octets.substr(0, step));
    return session.end();
}

}  // namespace

// The first octet holds what is offered, the second the length of the world's script, which follows; the rest is the client's.
extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    if (size < 2 || size < 2u + data[1]) return 0;
    const std::string world(data + 2, data + 2 + data[1]);
    const std::string octets(data + 2 + data[1], data + size);
    const Outcome whole = run(data[0], world, octets, octets.size() + 1);
    const Outcome single = run(data[0], world, octets, 1);
    // What waits behind a refused DATA, an AUTH or STARTTLS ends the session; byte by byte nothing waits there.
    if (whole.said.find("554 5.5.0 ") == std::string::npos) must(whole == single);
    return 0;
}
