#include "tests/support/dialogue_memory.hh"

#include <algorithm>

#include "base/ascii.hh"
#include "cmd/smtpd/mailer.hh"
#include "config/settings.hh"
#include "policy/blocklist.hh"
#include "policy/relay.hh"
#include "policy/tags.hh"
#include "tests/support/dialogue_program.hh"
#include "tests/support/memory_session.hh"

namespace greylag::test {

namespace {

using mail::Verdict;
using mail::Why;

// What "exit 75 the disk is full" or "signal 9" means to smtpd.
Verdict mailer_verdict(std::string_view orders) {
    sys::Ending ending;
    std::string said;
    for (const auto line : base::split(orders, '\n')) {
        const auto parts = base::cut(line, ' ').value_or(std::pair(line, std::string_view()));
        if (parts.first == "exit") ending.status = static_cast<int>(base::parse_number<unsigned>(parts.second).value_or(0));
        if (parts.first == "signal") ending.how = sys::Ending::How::signalled;
        if (parts.first == "err") said = parts.second;
    }
    return smtpd::verdict(ending, said);
}

class Memory : public Peer {
public:
    explicit Memory(const World& world) : world_(world) {}

    Result<void> start() {
        const auto loaded = config::parse("[smtpd]\ndomain = example.org\n" + with_world(world_.config, "/world"), "@config");
        if (!loaded.faults.empty()) return base::fail(Kind::config, loaded.faults.front().text());
        const auto& settings = loaded.settings;
        std::string domain = settings.smtpd.domain;
        for (std::size_t i = 0; i < world_.options.size(); i += 2) {
            if (world_.options[i] != "-h" || i + 1 == world_.options.size())
                return base::fail(Kind::usage, "@option " + world_.options[i] + " is not known in memory");
            domain = world_.options[i + 1];
        }
        ours_.domains = settings.smtpd.ourdomains;
        for (const auto& name : {std::string("example.org"), domain}) ours_.domains.push_back(*mail::DomainPattern::parse(name));
        if (!world_.peer.empty()) {
            ours_.address = *mail::IpAddress::parse("192.0.2.25");
            peer_ = *mail::IpAddress::parse(world_.peer);
        }

        MemoryWorld answers;
        answers.answer = [this](const smtp::Question& q) { return answer(q); };
        answers.may_deliver = [this](const smtp::Envelope&) { return policy::spoken(action_, policy::Moment::message); };
        answers.deliver = [this](const smtp::Envelope&, const std::string&) { return mailer_verdict(world_.mailer); };
        answers.meant = [this, domain](const mail::Path& path) { return policy::meant(path, ours_, peer_, domain); };
        for (const auto& file : world_.files)
            if (file.name == "blocked") blocked_ = policy::BlockList::parse(file.text);
        smtp::DotDecoder::Limits limits{settings.limits.line, smtp::DotDecoder::BareLf::fault};
        if (settings.smtpd.bare_newline == config::BareNewline::normalize) limits.bare_lf = smtp::DotDecoder::BareLf::normalize;
        smtp::ServerFacts facts{.domain = domain};
        facts.size_limit = settings.limits.size;
        facts.recipient_limit = settings.limits.recipients;
        facts.error_limit = settings.limits.errors;
        session_.emplace(std::move(facts), std::move(answers), limits);
        said_ = session_->greeting();
        return {};
    }

    Result<void> send(std::string_view octets) override {
        said_ += session_->feed(octets);
        return {};
    }
    Result<void> cut() override { return {}; }

    Result<std::string> read_reply(sys::Deadline) override {
        std::size_t end = 0;
        for (bool last = false; !last;) {
            const std::size_t line_end = said_.find("\r\n", end);
            if (line_end == std::string::npos) return base::fail(Kind::timeout, "no reply");
            last = said_.size() < end + 4 || said_[end + 3] != '-';
            end = line_end + 2;
        }
        std::string reply = said_.substr(0, end);
        said_.erase(0, end);
        return reply;
    }
    Result<bool> speaks_or_closes(sys::Deadline) override { return !said_.empty() || session_->closed(); }
    Result<std::string> read_to_end(sys::Deadline) override {
        if (!session_->closed()) return base::fail(Kind::timeout, "the session goes on");
        return std::exchange(said_, {});
    }
    void half_close() override {
        if (!session_->closed()) said_ += session_->gone(smtp::event::Gone::Why::eof);
    }

    Result<Aftermath> finish(sys::Deadline) override {
        half_close();
        Aftermath after;
        after.unread = std::exchange(said_, {});
        after.front = after.driver_log = false;
        if (!session_->given().empty()) {
            const auto& [envelope, body] = session_->given().back();
            after.delivered = policy::forgery_tags(envelope.sender, envelope.helo.host, body, ours_) + body;
        }
        for (const auto& event : session_->log()) after.log.push_back(base::show_text(event, ""));
        return after;
    }

private:
    Verdict answer(const smtp::Question& q) {
        if (const auto* sender = std::get_if<smtp::question::Sender>(&q)) {
            action_ = blocked_.find(peer_, sender->path);
            return policy::spoken(action_, policy::Moment::mail);
        }
        if (std::holds_alternative<smtp::question::Data>(q)) return policy::spoken(action_, policy::Moment::data);
        const auto* asked = std::get_if<smtp::question::Recipient>(&q);
        if (asked == nullptr) return Verdict::pass();
        if (auto verdict = policy::relay_right(asked->path, ours_); !verdict.ok()) return verdict;
        const auto path = policy::meant(asked->path, ours_, peer_, "example.org").value_or(asked->path);
        if (path.is_loopback()) return Verdict::never(Why::relay_denied);
        if (!ours_.holds(path.mailbox().host()) && path.mailbox().is_qualified()) return Verdict::pass();
        const auto& box = path.mailbox();
        if (box.is_postmaster()) return Verdict::pass();
        const std::string name = base::lower(box.local());
        const std::string user = name.substr(0, name.find('+')) + "@";
        const bool known =
            std::any_of(world_.users.begin(), world_.users.end(), [&](const auto& u) { return u.starts_with(user); });
        const bool alias =
            std::any_of(world_.aliases.begin(), world_.aliases.end(), [&](const auto& a) { return a.starts_with(name + ":"); });
        return known || alias ? Verdict::pass() : Verdict::never(Why::user_unknown);
    }

    const World& world_;
    policy::Ours ours_;
    std::optional<mail::IpAddress> peer_;
    policy::BlockList blocked_;
    std::optional<policy::Action> action_;
    std::optional<MemorySession> session_;
    std::string said_;
};

}  // namespace

Result<std::unique_ptr<Peer>> start_memory(const World& world) {
    auto peer = std::make_unique<Memory>(world);
    if (auto started = peer->start(); !started) return std::unexpected(std::move(started.error()));
    return peer;
}

}  // namespace greylag::test
