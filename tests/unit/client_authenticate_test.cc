// AUTH by a sending session: mechanisms in their order, published vectors, and servers that lie.
#include "client/authenticate.hh"

#include "base/ascii.hh"
#include "base/base64.hh"
#include "sasl/server.hh"
#include "tests/support/sasl.hh"
#include "tests/support/test.hh"

using namespace greylag;
namespace c = smtp::client;
using Step = c::Auth::Step;

namespace {

struct Wish {
    std::string user = "joe", password = "secret";
    bool tls = true, without_tls = false, binding = true, md5 = true, has_password = true;
    std::string (*nonce)() = [] { return std::string("rOprNGfwEbeRWgbNEkqO"); };
};

client::Authenticator::Facts facts(const Wish& wish) {
    client::Authenticator::Facts f;
    f.digests = test::digests;
    if (!wish.md5) f.digests.hmac_md5 = nullptr;
    if (wish.binding) f.bindings = {"exported", "certificate"};
    f.nonce = wish.nonce;
    f.user = wish.user;
    f.password = [wish] { return wish.has_password ? std::optional(base::Secret(std::string(wish.password))) : std::nullopt; };
    f.without_tls = wish.without_tls;
    return f;
}

smtp::Reply reply_of(std::string_view text) {
    smtp::Reply reply;
    reply.code = base::parse_number<std::uint16_t>(text.substr(0, 3)).value_or(0);
    reply.lines.emplace_back(text.size() > 4 ? text.substr(4) : "");
    return reply;
}

// What is said line by line, and the end: "done", "done: NOTE", "later: TEXT", "never 535: TEXT".
std::string run(const Wish& wish, std::string_view offered, const std::vector<std::string>& replies) {
    client::Authenticator authenticator(facts(wish));
    c::AskAuth ask;
    for (const auto word : base::words(offered)) ask.mechanisms.emplace_back(word);
    ask.tls = wish.tls;
    std::string said;
    for (std::size_t i = 0;; ++i) {
        const c::Auth answer = authenticator.on(ask);
        if (answer.step == Step::done) return said + "done" + (authenticator.note().empty() ? "" : ": " + authenticator.note());
        if (answer.step == Step::give_up) {
            const auto& o = answer.outcome;
            const std::string code = o.code == 0 ? "" : " " + std::to_string(o.code);
            return said + (o.state == smtp::Outcome::State::later ? "later" : "never") + code + ": " + o.text;
        }
        said += answer.text + " | ";
        if (i == replies.size()) return said + "<waits>";
        ask.reply = reply_of(replies[i]);
    }
}

const std::string plain = "AUTH PLAIN " + base::base64_encode(std::string("\0joe\0secret", 11));

}  // namespace

TEST_CASE("authenticate: the strongest that both have") {
    const std::string all = "LOGIN PLAIN CRAM-MD5 SCRAM-SHA-256 SCRAM-SHA-256-PLUS GSSAPI XOAUTH2";
    const Wish bound;
    Wish unbound;
    unbound.binding = false;
    Wish poor = unbound;
    poor.md5 = false;
    CHECK(run(bound, all, {}).starts_with("AUTH SCRAM-SHA-256-PLUS cD10bHMtZXhwb3J0ZXIsLG49am9lLHI9"));
    CHECK(run(unbound, all, {}).starts_with("AUTH SCRAM-SHA-256 biwsbj1qb2Us"));          // "n,,n=joe,"
    CHECK(run(bound, "PLAIN SCRAM-SHA-256", {}).starts_with("AUTH SCRAM-SHA-256 eSws"));  // "y,,": we could have bound
    CHECK(run(bound, "login plain cram-md5", {}) == "AUTH CRAM-MD5 | <waits>");
    CHECK(run(poor, "LOGIN PLAIN CRAM-MD5", {}) == plain + " | <waits>");
    CHECK(run(bound, "LOGIN", {}) == "AUTH LOGIN | <waits>");
    CHECK(run(bound, "GSSAPI XOAUTH2", {}) == "done: the server offers no mechanism that is known here");
    CHECK(run(bound, "", {}) == "done: the server offers no authentication");
}

TEST_CASE("authenticate: without TLS nothing is said, unless it was asked for") {
    Wish open;
    open.tls = open.binding = false;
    CHECK(run(open, "PLAIN SCRAM-SHA-256", {}) == "done: there is no TLS: no password is sent");
    open.without_tls = true;
    CHECK(run(open, "PLAIN", {"235 ok"}) == plain + " | done");
    CHECK(run(open, "PLAIN SCRAM-SHA-256", {}).starts_with("AUTH SCRAM-SHA-256 "));
}

TEST_CASE("authenticate: no password is our fault, not the server's") {
    Wish none;
    none.has_password = false;
    client::Authenticator authenticator(facts(none));
    const auto answer = authenticator.on({{"PLAIN"}, true, std::nullopt});
    REQUIRE(answer.step == Step::give_up);
    CHECK(answer.outcome.cause == smtp::Outcome::Cause::unprepared);
    CHECK(answer.outcome.text == "no password of joe for this server");
}

TEST_CASE("authenticate: published vectors") {
    Wish tim;
    tim.user = "tim";
    tim.password = "tanstaaftanstaaf";
    CHECK(run(tim, "CRAM-MD5", {"334 PDE4OTYuNjk3MTcwOTUyQHBvc3RvZmZpY2UucmVzdG9uLm1jaS5uZXQ+", "235 ok"}) ==
          "AUTH CRAM-MD5 | dGltIGI5MTNhNjAyYzdlZGE3YTQ5NWI0ZTZlNzMzNGQzODkw | done");  // RFC 2195 2
    Wish user;
    user.user = "user";
    user.password = "pencil";
    user.binding = false;
    const std::string nonce = "rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
    const auto b64 = [](const std::string& text) { return base::base64_encode(text); };
    CHECK(run(user, "SCRAM-SHA-256",
              {"334 " + b64("r=" + nonce + ",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"),
               "334 " + b64("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="), "235 ok"}) ==
          "AUTH SCRAM-SHA-256 " + b64("n,,n=user,r=rOprNGfwEbeRWgbNEkqO") + " | " +
              b64("c=biws,r=" + nonce + ",p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=") + " |  | done");  // RFC 7677 3
}

TEST_CASE("authenticate: the server's word decides") {
    const Wish joe;
    const struct {
        const char* offered;
        std::vector<std::string> replies;
        std::string said;
    } cases[] = {
        {"PLAIN", {"235 ok"}, plain + " | done"},
        {"PLAIN", {"535 no"}, plain + " | never 535: no"},
        {"PLAIN LOGIN", {"535 no"}, plain + " | never 535: no"},  // not shown again
        {"PLAIN", {"454 busy"}, plain + " | later 454: busy"},
        {"PLAIN", {"530 more"}, plain + " | never 530: more"},
        {"PLAIN LOGIN", {"504 what"}, plain + " | AUTH LOGIN | <waits>"},
        {"SCRAM-SHA-256 SCRAM-SHA-256-PLUS",
         {"504 what"},
         "AUTH SCRAM-SHA-256-PLUS " + base::base64_encode("p=tls-exporter,,n=joe,r=rOprNGfwEbeRWgbNEkqO") +
             " | AUTH SCRAM-SHA-256 " + base::base64_encode("n,,n=joe,r=rOprNGfwEbeRWgbNEkqO") +
             " | <waits>"},  // not "y": it could have bound
        {"PLAIN", {"504 what"}, plain + " | never 504: what"},
        {"CRAM-MD5 PLAIN", {"534 weak", "235 ok"}, "AUTH CRAM-MD5 | " + plain + " | done"},
        {"LOGIN", {"334 VXNlcm5hbWU6", "334 UGFzc3dvcmQ6", "235 ok"}, "AUTH LOGIN | am9l | c2VjcmV0 | done"},
        {"LOGIN", {"334 Username:", "334 Password:", "235 ok"}, "AUTH LOGIN | am9l | c2VjcmV0 | done"},
        {"LOGIN", {"334 ", "334", "535 no"}, "AUTH LOGIN | am9l | c2VjcmV0 | never 535: no"},
    };
    for (const auto& one : cases) CHECK(run(joe, one.offered, one.replies) == one.said);
}

TEST_CASE("authenticate: servers that lie are left with an asterisk, and it is later") {
    Wish joe;
    joe.binding = false;
    const auto b64 = [](const std::string& text) { return "334 " + base::base64_encode(text); };
    const std::string r = "r=rOprNGfwEbeRWgbNEkqO";
    const struct {
        const char* label;
        const char* offered;
        std::vector<std::string> replies;
    } cases[] = {
        {"another challenge to PLAIN", "PLAIN", {"334 ", "501 bye"}},
        {"a third question of LOGIN", "LOGIN", {"334 ", "334 ", "334 ", "501 bye"}},
        {"no base64", "CRAM-MD5", {"334 ****", "501 bye"}},
        {"another code", "CRAM-MD5", {"354 PDE+", "501 bye"}},
        {"another code behind it", "SCRAM-SHA-256", {"350 x", "501 bye"}},
        {"no challenge of SCRAM", "SCRAM-SHA-256", {b64("hello"), "501 bye"}},
        {"an empty one", "SCRAM-SHA-256", {"334 ", "501 bye"}},
        {"an extension that is mandatory", "SCRAM-SHA-256", {b64("m=x," + r + "yy,s=c2FsdA==,i=4096"), "501 bye"}},
        {"another nonce", "SCRAM-SHA-256", {b64("r=abc,s=c2FsdA==,i=4096"), "501 bye"}},
        {"our nonce alone", "SCRAM-SHA-256", {b64(r + ",s=c2FsdA==,i=4096"), "501 bye"}},
        {"no salt", "SCRAM-SHA-256", {b64(r + "yy,i=4096"), "501 bye"}},
        {"an empty salt", "SCRAM-SHA-256", {b64(r + "yy,s=,i=4096"), "501 bye"}},
        {"a salt that is none", "SCRAM-SHA-256", {b64(r + "yy,s=*,i=4096"), "501 bye"}},
        {"one round", "SCRAM-SHA-256", {b64(r + "yy,s=c2FsdA==,i=1"), "501 bye"}},
        {"no round", "SCRAM-SHA-256", {b64(r + "yy,s=c2FsdA==,i="), "501 bye"}},
        {"rounds for a week", "SCRAM-SHA-256", {b64(r + "yy,s=c2FsdA==,i=4294967295"), "501 bye"}},
        {"more rounds than a number holds", "SCRAM-SHA-256", {b64(r + "yy,s=c2FsdA==,i=99999999999999999999"), "501 bye"}},
        {"less than no rounds", "SCRAM-SHA-256", {b64(r + "yy,s=c2FsdA==,i=-4096"), "501 bye"}},
        {"a wrong proof of its own", "SCRAM-SHA-256", {b64(r + "yy,s=c2FsdA==,i=4096"), b64("v=AAAA"), "501 bye"}},
        {"no proof of its own", "SCRAM-SHA-256", {b64(r + "yy,s=c2FsdA==,i=4096"), b64("e=other-error"), "501 bye"}},
        {"on and on", "PLAIN", {"334 ", "334 "}},
    };
    for (const auto& one : cases) {
        CAPTURE(one.label);
        const std::string said = run(joe, one.offered, one.replies);
        CHECK(said.find("| * | later: ") != std::string::npos);
        CHECK(said.find(base::base64_encode("secret")) ==
              (one.offered == std::string("LOGIN") ? said.find("c2VjcmV0") : std::string::npos));
    }
    // Success without the proof is none, and no other mechanism is tried.
    for (const auto& replies :
         {std::vector<std::string>{"235 welcome"}, std::vector<std::string>{b64(r + "yy,s=c2FsdA==,i=4096"), "235 welcome"}})
        CHECK(run(joe, "SCRAM-SHA-256 PLAIN", replies).find("later: authentication: the server did not prove") !=
              std::string::npos);
}

TEST_CASE("authenticate: an answer too long for the command waits for the question") {
    Wish longest;
    longest.user = std::string(255, 'u');
    longest.password = std::string(255, 'p');
    const std::string said = run(longest, "PLAIN", {"334 ", "235 ok"});
    CHECK(said ==
          "AUTH PLAIN | " + base::base64_encode(std::string(1, '\0') + longest.user + '\0' + longest.password) + " | done");
}

TEST_CASE("authenticate: SCRAM-PLUS with our own server, by both bindings") {
    for (const bool exporter : {true, false}) {
        sasl::Bindings bindings{exporter ? "exported" : "", "certificate"};
        auto f = facts({});
        f.bindings = bindings;
        client::Authenticator authenticator(std::move(f));
        const auto user = test::user_with("joe", "secret");
        sasl::Server server(sasl::Mechanism::scram_sha_256_plus, {test::digests, "server", "", bindings, true});
        c::AskAuth ask{{"SCRAM-SHA-256-PLUS"}, true, std::nullopt};
        auto answer = authenticator.on(ask);
        const auto decode = [](std::string_view text) { return base::base64_decode(text).value_or("?"); };
        auto step = server.begin(decode(answer.text.substr(answer.text.rfind(' ') + 1)));
        REQUIRE(std::holds_alternative<sasl::step::Find>(step));
        step = server.found(user, true);
        for (int i = 0; i < 2; ++i) {
            REQUIRE(std::holds_alternative<sasl::step::Challenge>(step));
            ask.reply = reply_of("334 " + base::base64_encode(std::get<sasl::step::Challenge>(step).text));
            answer = authenticator.on(ask);
            REQUIRE(answer.step == Step::send);
            step = server.respond(decode(answer.text));
        }
        CHECK(std::holds_alternative<sasl::step::Success>(step));
        ask.reply = reply_of("235 ok");
        CHECK(authenticator.on(ask).step == Step::done);
    }
}
