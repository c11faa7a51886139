// Tickets for questions, and what c-ares says about them as values.
#include "dns/resolver.hh"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/escape.hh"
#include "dns/channel.hh"

namespace greylag::dns {

using sys::Deadline;

namespace {

constexpr std::uint16_t type_soa = 6;

std::string_view word(Type type) {
    switch (type) {
        case Type::a: return "A";
        case Type::ptr: return "PTR";
        case Type::mx: return "MX";
        case Type::txt: return "TXT";
        case Type::aaaa: return "AAAA";
        case Type::tlsa: return "TLSA";
    }
    return "";
}

}  // namespace

std::string NameServer::text() const {
    const std::string ip = address.text();
    return (address.is_v4() ? ip : '[' + ip + ']') + ':' + std::to_string(port);
}

struct Resolver::State {
    explicit State(Settings s) : settings(std::move(s)) {}

    std::size_t ask(std::string_view name, Type type);
    void start();

    Settings settings;
    std::vector<std::unique_ptr<Question>> questions;  // in front of the channel: it must go first
    Channel channel;
    bool started = false, believed = false;
    std::optional<Error> failed;
};

void Resolver::State::start() {
    if (std::exchange(started, true)) return;
    if (auto opened = channel.open(settings, 0); !opened) {
        failed = std::move(opened).error();
        return;
    }
    // The AD bit of a name server that is reached over a network is anybody's claim.
    const auto servers = settings.nameservers.empty() ? servers_of(channel.get()) : settings.nameservers;
    believed = settings.trust_ad ||
               std::all_of(servers.begin(), servers.end(), [](const NameServer& server) { return server.address.is_loopback(); });
}

std::size_t Resolver::State::ask(std::string_view name, Type type) {
    start();
    questions.push_back(std::make_unique<Question>());
    Question& question = *questions.back();
    question.type = type;
    question.what = std::string(word(type)) + ' ' + base::printable(name);
    question.until = Deadline::in(settings.timeout);
    if (failed) {
        question.done = true;
        return questions.size() - 1;
    }
    if (const auto packet = make_question(name, static_cast<std::uint16_t>(type))) {
        channel.send(*packet, question);
    } else {
        question.done = true;
        question.status = ARES_ENOTFOUND;
    }
    return questions.size() - 1;
}

Resolver::Resolver(Settings settings) : state_(std::make_unique<State>(std::move(settings))) {}
Resolver::~Resolver() = default;
Resolver::Resolver(Resolver&&) noexcept = default;
Resolver& Resolver::operator=(Resolver&&) noexcept = default;

Query<Mx> Resolver::ask_mx(std::string_view name) { return {state_->ask(name, Type::mx)}; }
Query<mail::IpAddress> Resolver::ask_a(std::string_view name) { return {state_->ask(name, Type::a)}; }
Query<mail::IpAddress> Resolver::ask_aaaa(std::string_view name) { return {state_->ask(name, Type::aaaa)}; }
Query<Name> Resolver::ask_ptr(const mail::IpAddress& address) { return {state_->ask(reverse_name(address), Type::ptr)}; }
Query<Text> Resolver::ask_txt(std::string_view name) { return {state_->ask(name, Type::txt)}; }
Query<Tlsa> Resolver::ask_tlsa(std::string_view name) { return {state_->ask(name, Type::tlsa)}; }

template <class Record>
Result<Answer<Record>> Resolver::take(Query<Record> query, Deadline deadline) {
    State& state = *state_;
    Question& question = *state.questions.at(query.number);
    const auto about = [&](Error error) {
        error.text = question.what + ": " + error.text;
        return std::unexpected(std::move(error));
    };
    if (state.failed) return about(*state.failed);
    if (const auto waited = state.channel.wait(question, deadline); !waited) return about(waited.error());
    if (question.packet.empty()) {
        switch (question.status) {
            case ARES_ENOTFOUND: return Answer<Record>{.found = Found::no_name};
            case ARES_ENODATA: return Answer<Record>{.found = Found::no_data};
            default: return about({Kind::unavailable, Lasting::temporary, question.status, reason(question.status)});
        }
    }
    auto answer = read_answer<Record>(question.packet, question.type);
    if (!answer) return about(answer.error());
    answer->authentic = answer->authentic && state.believed;
    return answer;
}

template Result<Answer<Mx>> Resolver::take(Query<Mx>, Deadline);
template Result<Answer<Name>> Resolver::take(Query<Name>, Deadline);
template Result<Answer<Text>> Resolver::take(Query<Text>, Deadline);
template Result<Answer<Tlsa>> Resolver::take(Query<Tlsa>, Deadline);
template Result<Answer<mail::IpAddress>> Resolver::take(Query<mail::IpAddress>, Deadline);

Result<Answer<mail::IpAddress>> Resolver::addresses(std::string_view name) {
    const auto a = ask_a(name), aaaa = ask_aaaa(name);
    auto first = take(a);
    return join(std::move(first), take(aaaa));
}

Result<Answer<mail::IpAddress>> join(Result<Answer<mail::IpAddress>> a, Result<Answer<mail::IpAddress>> aaaa) {
    const auto found = [](const auto& answer) { return answer && answer->found == Found::records; };
    if (!found(a) || !found(aaaa)) {
        if (found(a) || (!a && !found(aaaa))) return a;
        if (found(aaaa) || !aaaa) return aaaa;
        // A name that is there for one type is there.
        return a->found == Found::no_data ? a : aaaa;
    }
    a->authentic = a->authentic && aaaa->authentic;
    a->records.insert(a->records.end(), aaaa->records.begin(), aaaa->records.end());
    return a;
}

std::vector<Error> Resolver::silent(const Settings& settings) {
    struct Asked {
        NameServer server;
        Question question{};
        Channel channel{};
    };
    std::vector<NameServer> servers = settings.nameservers;
    if (servers.empty()) {
        Channel channel;
        if (auto opened = channel.open(settings, 0); !opened) return {std::move(opened).error()};
        servers = servers_of(channel.get());
    }
    std::vector<std::unique_ptr<Asked>> asked;
    for (const auto& server : servers) {
        auto& one = *asked.emplace_back(new Asked{server});
        Settings alone = settings;
        alone.nameservers = {server};
        one.question.until = Deadline::in(settings.timeout);
        // Who says SERVFAIL or REFUSED is there.
        const auto opened = one.channel.open(alone, ARES_FLAG_NOCHECKRESP);
        if (opened) {
            one.channel.send(*make_question(".", type_soa), one.question);
        } else {
            one.question.done = true;
            one.question.status = opened.error().code;
        }
    }
    std::vector<Error> out;
    for (auto& one : asked) {
        const auto waited = one->channel.wait(one->question, Deadline::never());
        if (waited && one->question.status == ARES_SUCCESS) continue;
        out.push_back({Kind::unavailable, Lasting::temporary, 0, "name server " + one->server.text() + ": no answer"});
    }
    return out;
}

}  // namespace greylag::dns
