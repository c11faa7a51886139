// STARTTLS and AUTH as the pure session sees them: what is forgotten, what fails, what waits.
#include "tests/support/memory_session.hh"
#include "tests/support/test.hh"

using namespace greylag;
using namespace greylag::test;
using smtp::event::Auth;

namespace {
smtp::ServerFacts facts() {
    smtp::ServerFacts f;
    f.domain = "mx.example";
    f.tls_offered = true;
    f.mechanisms = {"SCRAM-SHA-256"};
    f.mechanisms_under_tls = {"SCRAM-SHA-256", "PLAIN"};
    return f;
}
}  // namespace

TEST_CASE("server: where TLS cannot begin the session goes on with all it knows") {
    MemoryWorld world;
    world.answer = [](const smtp::Question& q) {
        return std::holds_alternative<smtp::question::Tls>(q) ? mail::Verdict::later(mail::Why::none) : mail::Verdict::pass();
    };
    MemorySession session(facts(), world);
    session.feed("EHLO c.example\r\n");
    CHECK(session.feed("STARTTLS\r\n") == "454 4.7.0 TLS is not available for now\r\n");
    CHECK(session.feed("MAIL FROM:<a@b.example>\r\n").starts_with("250 "));
}

TEST_CASE("server: TLS forgets the name and the offers; a failed handshake ends it") {
    MemoryWorld world;
    world.tls = {.ok = true, .description = "TLSv1.3", .mechanisms = {"PLAIN"}};
    MemorySession session(facts(), world);
    session.feed("EHLO c.example\r\n");
    CHECK(session.feed("STARTTLS\r\n").starts_with("220 2.0.0 "));
    CHECK(session.feed("MAIL FROM:<a@b.example>\r\n").starts_with("503 "));
    const std::string ehlo = session.feed("EHLO c.example\r\n");
    CHECK(ehlo.find("STARTTLS") == std::string::npos);
    CHECK(ehlo.find("AUTH PLAIN\r\n") != std::string::npos);

    MemorySession broken(facts());
    broken.feed("EHLO c.example\r\n");
    CHECK(broken.feed("STARTTLS\r\n").starts_with("220 "));
    CHECK(broken.closed());
}

TEST_CASE("server: a session begun elsewhere starts with the answer to STARTTLS and its counts") {
    auto f = facts();
    f.starttls_asked = true;
    f.counted.errors = 19;
    MemoryWorld world;
    world.tls = {.ok = true, .description = "TLSv1.3", .mechanisms = {}};
    MemorySession session(f, world);
    CHECK(session.greeting() == "220 2.0.0 ready to start TLS\r\n");
    CHECK(session.feed("XYZZY\r\n").starts_with("421 4.7.0 "));
}

TEST_CASE("server: each refused password waits longer, the fifth ends the session") {
    MemorySession session(facts());
    session.feed("EHLO c.example\r\n");
    base::Millis before{0}, last{0};
    for (int i = 0; i < 4; ++i) {
        CHECK(session.feed("AUTH SCRAM-SHA-256 AA==\r\n").starts_with("535 5.7.8 "));
        const auto waited = session.waited() - before;
        CHECK(waited > last);
        last = waited;
        before = session.waited();
    }
    CHECK(session.feed("AUTH SCRAM-SHA-256 AA==\r\n").starts_with("421 4.7.0 "));
    CHECK(session.closed());
}

TEST_CASE("server: who is told 'later' and asks again in the same session waits longer each time, and the fifth ends it") {
    MemoryWorld world;
    world.auth = [](const std::string&, bool) { return Auth{Auth::Step::later, {}}; };
    MemorySession session(facts(), world);
    session.feed("EHLO c.example\r\n");
    // A client that is locked out by its network's guesses, or came while every place was taken, loses nothing.
    CHECK(session.feed("AUTH SCRAM-SHA-256 AA==\r\n").starts_with("454 4.7.0 "));
    CHECK(session.waited() == base::Millis{0});
    base::Millis before{0}, last{0};
    for (int i = 0; i < 3; ++i) {
        CHECK(session.feed("AUTH SCRAM-SHA-256 AA==\r\n").starts_with("454 4.7.0 "));
        const auto waited = session.waited() - before;
        CHECK(waited > last);
        last = waited;
        before = session.waited();
    }
    CHECK(session.feed("AUTH SCRAM-SHA-256 AA==\r\n").starts_with("421 4.7.0 "));
    CHECK(session.closed());
}

TEST_CASE("server: what AUTH's steps sound like") {
    struct Case {
        Auth::Step step;
        std::string_view reply;
    };
    const Case cases[] = {{Auth::Step::success, "235 2.7.0 "},
                          {Auth::Step::failed, "535 5.7.8 "},
                          {Auth::Step::malformed, "501 5.5.2 malformed"},
                          {Auth::Step::later, "454 4.7.0 "},
                          {Auth::Step::challenge, "334 am9l"}};
    for (const Case& c : cases) {
        MemoryWorld world;
        world.auth = [&](const std::string&, bool) { return Auth{c.step, "joe"}; };
        MemorySession session(facts(), world);
        session.feed("EHLO c.example\r\n");
        CHECK(session.feed("AUTH SCRAM-SHA-256 AA==\r\n").starts_with(c.reply));
    }
}
