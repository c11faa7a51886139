// The vectors of the RFCs, and our own client against our own server.
#include "tests/support/sasl.hh"
#include "base/base64.hh"
#include "client/digests.hh"
#include "sasl/client.hh"
#include "sasl/server.hh"
#include "tests/support/must.hh"
#include "tests/support/test.hh"

using namespace greylag;
using namespace greylag::test;
using sasl::Mechanism;

namespace {

// What a step says, for comparing.
std::string show(const sasl::Step& s) {
    if (const auto* c = std::get_if<sasl::step::Challenge>(&s)) return "challenge " + c->text;
    if (const auto* c = std::get_if<sasl::step::Check>(&s)) return "check " + c->user + " " + c->password.get();
    if (const auto* f = std::get_if<sasl::step::Find>(&s)) return "find " + f->user;
    if (const auto* f = std::get_if<sasl::step::Success>(&s)) return "success " + f->user;
    const auto& f = std::get<sasl::step::Failure>(s);
    return std::string(f.unreadable ? "unreadable " : "failure ") + std::string(word(f.why));
}

// The server's end with one user "joe" whose password is "secret".
class Desk {
public:
    explicit Desk(Mechanism m, sasl::Bindings bindings = {}, bool plus_offered = false)
        : server_(m, {digests, "servernonce", "<1.2@mx.example>", std::move(bindings), plus_offered}) {}

    std::string begin(std::optional<std::string> initial) {
        return settle(initial ? server_.begin(std::string_view(*initial)) : server_.begin(std::nullopt));
    }
    std::string respond(std::string_view text) { return settle(server_.respond(text)); }

private:
    std::string settle(sasl::Step s) {
        static const sasl::User joe = user_with("joe", "secret");
        if (const auto* find = std::get_if<sasl::step::Find>(&s)) return settle(server_.found(joe, find->user == "joe"));
        if (const auto* check = std::get_if<sasl::step::Check>(&s))
            return settle(server_.checked(check->user == "joe" && check->password.get() == "secret"));
        return show(s);
    }
    sasl::Server server_;
};

std::string exchange(Mechanism m, const std::string& user, const std::string& password, const sasl::Bindings& theirs = {},
                     const sasl::Bindings& ours = {}, bool send_initial = true) {
    Desk desk(m, ours, ours.any());
    sasl::Client client(m, {digests, "clientnonce", theirs}, user, password);
    std::string said = desk.begin(send_initial ? client.initial() : std::nullopt);
    for (int i = 0; i < 5 && said.starts_with("challenge "); ++i) {
        const auto answer = client.respond(said.substr(10));
        if (!answer) return answer.error().text;
        said = desk.respond(*answer);
    }
    if (said.starts_with("success"))
        if (const auto proven = client.succeeded(); !proven) return proven.error().text;
    return said;
}

constexpr Mechanism scram = Mechanism::scram_sha_256;
constexpr Mechanism plus = Mechanism::scram_sha_256_plus;

}  // namespace

TEST_CASE("sasl: RFC 7677, the client") {
    sasl::Client client(scram, {digests, "rOprNGfwEbeRWgbNEkqO", {}}, "user", "pencil");
    CHECK(client.initial() == "n,,n=user,r=rOprNGfwEbeRWgbNEkqO");
    const auto final = client.respond("r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096");
    CHECK(must(final) ==
          "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=");
    CHECK_FALSE(client.succeeded().has_value());
    CHECK(must(client.respond("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=")).empty());
    CHECK(client.succeeded().has_value());
}

TEST_CASE("sasl: RFC 7677, the server") {
    sasl::Server server(scram, {digests, "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0", "", {}, false});
    CHECK(show(server.begin("n,,n=user,r=rOprNGfwEbeRWgbNEkqO")) == "find user");
    sasl::User user;
    user.scram = sasl::make_verifier(digests, "pencil", *base::base64_decode("W22ZaJ0SNY7soEsUEjb6gQ=="), 4096);
    CHECK(show(server.found(user, true)) ==
          "challenge r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096");
    CHECK(show(server.respond("c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
                              "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=")) ==
          "challenge v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
    CHECK(show(server.respond("")) == "success user");
}

TEST_CASE("sasl: RFC 2195") {
    sasl::Client client(Mechanism::cram_md5, {digests, "", {}}, "tim", "tanstaaftanstaaf");
    CHECK_FALSE(client.initial().has_value());
    CHECK(must(client.respond("<1896.697170952@postoffice.reston.mci.net>")) == "tim b913a602c7eda7a495b4e6e7334d3890");
    sasl::Server server(Mechanism::cram_md5, {digests, "", "<1896.697170952@postoffice.reston.mci.net>", {}, false});
    CHECK(show(server.begin(std::nullopt)) == "challenge <1896.697170952@postoffice.reston.mci.net>");
    CHECK(show(server.respond("tim b913a602c7eda7a495b4e6e7334d3890")) == "find tim");
    sasl::User tim;
    tim.cram_md5 = "tanstaaftanstaaf";
    CHECK(show(server.found(tim, true)) == "success tim");
}

TEST_CASE("sasl: client and server understand each other, and only the right password passes") {
    const sasl::Bindings none, tls{"exported", "the certificate"}, old{"", "the certificate"};
    struct Row {
        Mechanism mechanism;
        sasl::Bindings bindings;
    };
    const Row rows[] = {
        {Mechanism::plain, none}, {Mechanism::login, none}, {Mechanism::cram_md5, none}, {scram, none}, {plus, tls}, {plus, old}};
    for (const Row& row : rows) {
        INFO(sasl::name(row.mechanism));
        CHECK(exchange(row.mechanism, "joe", "secret", row.bindings, row.bindings) == "success joe");
        CHECK(exchange(row.mechanism, "joe", "secret", row.bindings, row.bindings, false) == "success joe");
        CHECK(exchange(row.mechanism, "joe", "Secret", row.bindings, row.bindings) == "failure password");
        CHECK(exchange(row.mechanism, "ann", "secret", row.bindings, row.bindings) == "failure password");
    }
    CHECK(exchange(scram, "j=o,e", "secret") == "failure password");
}

TEST_CASE("sasl: a channel in between is seen") {
    const sasl::Bindings tls{"exported", "the certificate"}, other{"other", "another"};
    CHECK(exchange(plus, "joe", "secret", other, tls) == "failure binding");
    // The offer of -PLUS was taken away on the way.
    CHECK(exchange(scram, "joe", "secret", tls, tls) == "failure binding");
    // A client that cannot bind may go without.
    CHECK(exchange(scram, "joe", "secret", {}, tls) == "success joe");
    CHECK(exchange(plus, "joe", "secret", tls, {}) == "failure binding");
}

TEST_CASE("sasl: first messages that are none") {
    struct Row {
        Mechanism mechanism;
        std::string message, answer;
    };
    const std::string nul(1, '\0');
    const Row rows[] = {
        {Mechanism::plain, "", "unreadable malformed"},
        {Mechanism::plain, "joe", "unreadable malformed"},
        {Mechanism::plain, "joe" + nul + "secret", "unreadable malformed"},
        {Mechanism::plain, nul + nul + nul + nul, "unreadable malformed"},
        {Mechanism::plain, nul + "joe" + nul + "secret" + nul, "unreadable malformed"},
        {Mechanism::plain, nul + nul + "secret", "failure malformed"},
        {Mechanism::plain, nul + "joe" + nul, "failure malformed"},
        {Mechanism::plain, nul + "jo\xff" + nul + "secret", "failure malformed"},
        {Mechanism::plain, nul + "jo\ne" + nul + "secret", "failure malformed"},
        {Mechanism::plain, nul + std::string(256, 'j') + nul + "secret", "failure malformed"},
        {Mechanism::plain, "ann" + nul + "joe" + nul + "secret", "failure authzid"},
        {Mechanism::plain, "joe" + nul + "joe" + nul + "secret", "success joe"},
        {Mechanism::login, "", "failure malformed"},
        {Mechanism::login, "joe" + nul, "challenge Password:"},
        {Mechanism::login, nul, "failure malformed"},
        {Mechanism::cram_md5, "joe 0123", "unreadable malformed"},
        {scram, "", "failure malformed"},
        {scram, "n", "failure malformed"},
        {scram, "n,", "failure malformed"},
        {scram, "n,,", "failure malformed"},
        {scram, "n,,n=joe", "failure malformed"},
        {scram, "n,,n=joe,", "failure malformed"},
        {scram, "n,,n=joe,r=", "failure malformed"},
        {scram, "n,,r=abc,n=joe", "failure malformed"},
        {scram, "n,,n=,r=abc", "failure malformed"},
        {scram, "n,,n=j=o,r=abc", "failure malformed"},
        {scram, "n,,n=jo=2,r=abc", "failure malformed"},
        {scram, "n,,n=jo=2c,r=abc", "failure malformed"},
        {scram, "n,,n=jo\xff,r=abc", "failure malformed"},
        {scram, "n,,m=x,n=joe,r=abc", "failure malformed"},
        {scram, "n,,n=joe,r=a b", "failure nonce"},
        {scram, "n,,n=joe,r=a\x01", "failure nonce"},
        {scram, "x,,n=joe,r=abc", "failure binding"},
        {scram, "p=tls-exporter,,n=joe,r=abc", "failure binding"},
        {scram, "n,a=ann,n=joe,r=abc", "failure authzid"},
        {scram, "n,joe,n=joe,r=abc", "failure authzid"},
        {plus, "n,,n=joe,r=abc", "failure binding"},
        {plus, "y,,n=joe,r=abc", "failure binding"},
        {plus, "p=tls-unique,,n=joe,r=abc", "failure binding"},
        {plus, "p=,,n=joe,r=abc", "failure binding"},
        {plus, "p=tls-exporter,,n=joe,r=abc", "failure binding"},  // there is no TLS to be bound to
    };
    for (const Row& row : rows) {
        INFO(sasl::name(row.mechanism) << " " << row.message);
        CHECK(Desk(row.mechanism).begin(row.message) == row.answer);
    }
    const std::string first = Desk(scram).begin("n,a=joe,n=joe,r=abc,x=later");
    CHECK(first == "challenge r=abcservernonce,s=MDEyMzQ1Njc4OWFiY2RlZg==,i=4096");
}

TEST_CASE("sasl: SCRAM's last message") {
    const std::string proof = ",p=" + base::base64_encode(std::string(32, 'x'));
    struct Row {
        std::string message, answer;
    };
    const Row rows[] = {
        {"", "failure malformed"},
        {"*", "failure malformed"},
        {"c=biws,r=abcservernonce", "failure malformed"},
        {"r=abcservernonce,c=biws" + proof, "failure malformed"},
        {"c=biws" + proof, "failure malformed"},
        {"c=biws,r=abcservernonce,p=", "failure malformed"},
        {"c=biws,r=abcservernonce,p=####", "failure malformed"},
        {"c=biws,r=abcservernonce,p=YWJj", "failure malformed"},
        {"c=biws,r=abc" + proof, "failure nonce"},
        {"c=biws,r=xbcservernonce" + proof, "failure nonce"},
        {"c=biws,r=abcservernonc" + proof, "failure nonce"},
        {"c=biws,r=abcanothernonce" + proof, "failure nonce"},  // of an exchange before
        {"c=eSws,r=abcservernonce" + proof, "failure binding"},
        {"c=!,r=abcservernonce" + proof, "failure binding"},
        {"c=,r=abcservernonce" + proof, "failure binding"},
        {"c=biws,r=abcservernonce" + proof, "failure password"},
        {"c=biws,r=abcservernonce,x=y" + proof, "failure password"},
    };
    for (const Row& row : rows) {
        INFO(row.message);
        Desk desk(scram);
        REQUIRE(desk.begin("n,,n=joe,r=abc").starts_with("challenge r=abcservernonce"));
        CHECK(desk.respond(row.message) == row.answer);
        CHECK(desk.respond("") == "unreadable malformed");
    }
}

TEST_CASE("sasl: CRAM-MD5 answers that are none") {
    for (const char* message : {"", "joe", "joe ", " ", "joe 0123456789abcdef", " 0123456789abcdef0123456789abcdef"}) {
        INFO(message);
        Desk desk(Mechanism::cram_md5);
        REQUIRE(desk.begin(std::nullopt) == "challenge <1.2@mx.example>");
        CHECK(desk.respond(message).find("malformed") != std::string::npos);
    }
}

TEST_CASE("sasl: a client does not believe the server") {
    const auto answer = [](std::string_view challenge) {
        sasl::Client client(scram, {digests, "abc", {}}, "joe", "secret");
        client.initial();
        const auto got = client.respond(challenge);
        return got ? *got : got.error().text;
    };
    const std::string weak = "authentication: the server keeps passwords too weakly (fewer than 4096 iterations)";
    const std::string none = "authentication: the server sent no SCRAM challenge";
    const std::string nonce = "authentication: the server answered another nonce than ours";
    CHECK(answer("r=abcdef,s=c2FsdA==,i=1") == weak);
    CHECK(answer("r=abcdef,s=c2FsdA==,i=4095") == weak);
    CHECK(answer("r=abcdef,s=c2FsdA==,i=99999999") == "authentication: the server asks for too much work");
    CHECK(answer("r=abcdef,s=c2FsdA==,i=99999999999999") == none);
    CHECK(answer("r=abcdef,s=c2FsdA==,i=-1") == none);
    CHECK(answer("r=abcdef,s=!,i=4096") == none);
    CHECK(answer("r=abcdef,s=,i=4096") == none);
    CHECK(answer("r=abcdef,s=c2FsdA==") == none);
    CHECK(answer("s=c2FsdA==,i=4096") == none);
    CHECK(answer("m=x,r=abcdef,s=c2FsdA==,i=4096") == none);
    CHECK(answer("e=no") == none);
    CHECK(answer("") == none);
    CHECK(answer("r=abc,s=c2FsdA==,i=4096") == nonce);
    CHECK(answer("r=xyzdef,s=c2FsdA==,i=4096") == nonce);

    sasl::Client client(scram, {digests, "abc", {}}, "joe", "secret");
    client.initial();
    must(client.respond("r=abcdef,s=c2FsdA==,i=4096"));
    CHECK_FALSE(client.respond("v=" + base::base64_encode(std::string(32, 'x'))).has_value());
    CHECK_FALSE(client.succeeded().has_value());
    sasl::Client plain(Mechanism::plain, {digests, "", {}}, "joe", "secret");
    plain.initial();
    CHECK_FALSE(plain.respond("more?").has_value());
}

TEST_CASE("sasl: the strongest that may be used") {
    const std::vector<std::string> all{"LOGIN", "PLAIN", "cram-md5", "SCRAM-SHA-256", "SCRAM-SHA-256-PLUS", "GSSAPI"};
    const sasl::Digests plain_digests = client::digests();
    CHECK(sasl::strongest(all, {digests, true, true}) == plus);
    CHECK(sasl::strongest(all, {plain_digests, false, true}) == scram);
    CHECK(sasl::strongest(std::span(all).first(3), {digests, true, true}) == Mechanism::cram_md5);
    CHECK(sasl::strongest(std::span(all).first(3), {plain_digests, true, true}) == Mechanism::plain);
    CHECK_FALSE(sasl::strongest(std::span(all).first(2), {digests, true, false}).has_value());
    CHECK(sasl::strongest(std::span(all).first(1), {digests, true, true}) == Mechanism::login);
    CHECK_FALSE(sasl::strongest({}, {digests, true, true}).has_value());
    // A sender has no more than SCRAM-SHA-256 and CRAM-MD5 to prove a password with.
    const std::vector<std::string> old{"SCRAM-SHA-1", "DIGEST-MD5", "PLAIN"};
    CHECK(sasl::strongest(old, {client::digests(digests.hmac_md5), true, true}) == Mechanism::plain);
    CHECK(sasl::strongest(old, {digests, true, true}) == Mechanism::scram_sha_1);
    for (const auto m : sasl::mechanisms) CHECK(sasl::find(sasl::name(m)) == m);
    CHECK_FALSE(sasl::find("PLAINX").has_value());
}
