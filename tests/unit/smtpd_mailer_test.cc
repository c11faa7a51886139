// The mailer's command line, environment and exit status as values (smtpd(8), MAILER).
#include "cmd/smtpd/mailer.hh"

#include "tests/support/test.hh"

using namespace greylag;
using namespace greylag::smtpd;
using Words = std::vector<std::string>;

namespace {

smtp::Envelope envelope() {
    smtp::Envelope e;
    e.helo.text = "client.example";
    e.sender = *mail::Path::parse("a@b.example");
    e.recipients = {*mail::Path::parse("c@d.example"), *mail::Path::parse("-x@d.example")};
    return e;
}

}  // namespace

TEST_CASE("mailer: a template is words, never a shell") {
    const auto e = envelope();
    const Handover handover{e, *mail::IpAddress::parse("192.0.2.7"), "", "ESMTP", "id1", 42, "/etc/x.conf"};
    struct Case {
        std::string_view text;
        std::string program;
        Words words;
    };
    const Case cases[] = {
        {"send", "/lib/send", {"-r", "--", "c@d.example", "-x@d.example"}},
        {"/bin/deliver -v", "/bin/deliver", {"-v", "-r", "--", "c@d.example", "-x@d.example"}},
        {"/bin/deliver -f %s -- %r", "/bin/deliver", {"-f", "a@b.example", "--", "c@d.example", "-x@d.example"}},
        {"/bin/x 'a b' \"c d\" e\\ f ''", "/bin/x", {"a b", "c d", "e f", "", "-r", "--", "c@d.example", "-x@d.example"}},
        {"/bin/x ip=%i,%h 100%% u=%u %r", "/bin/x", {"ip=192.0.2.7,client.example", "100%", "u=", "c@d.example", "-x@d.example"}},
        {"/bin/x ;rm `x` $(y) | z %r", "/bin/x", {";rm", "`x`", "$(y)", "|", "z", "c@d.example", "-x@d.example"}},
    };
    for (const auto& c : cases) {
        const auto mailer = parse_mailer(c.text, "/lib");
        REQUIRE_MESSAGE(mailer.has_value(), c.text);
        CHECK(mailer->program == c.program);
        CHECK_MESSAGE(arguments(*mailer, handover) == c.words, c.text);
    }
}

TEST_CASE("mailer: a template that cannot be meant is refused") {
    for (const std::string_view text : {"", "   ", "dir/send", "..", "x 'open", "x \"open", "x end\\", "x %", "x %z", "x a%r"})
        CHECK_MESSAGE(!parse_mailer(text, "/lib"), text);
}

TEST_CASE("mailer: an address like an option needs protection") {
    struct Case {
        std::string_view text;
        bool recipients, sender;
    };
    const Case cases[] = {
        {"send", true, true},
        {"/bin/x %r", false, true},
        {"/bin/x -- %r", true, true},
        {"/bin/x -f %s %r", false, true},
        {"/bin/x %s -- %r", true, false},
        {"/bin/x -- %s %r", true, true},
        {"/bin/x --from=%s -- %r", true, true},
    };
    for (const auto& c : cases) {
        const auto mailer = parse_mailer(c.text, "/lib");
        CHECK_MESSAGE(protects_recipients(*mailer) == c.recipients, c.text);
        CHECK_MESSAGE(protects_sender(*mailer) == c.sender, c.text);
    }
}

TEST_CASE("mailer: the environment is exactly this") {
    auto e = envelope();
    const auto mailer = parse_mailer("send", "/lib");
    const Handover handover{e, std::nullopt, "joe", "ESMTPSA", "id1", 42, "/etc/x.conf"};
    CHECK(environment(*mailer, handover) == Words{"PATH=/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin", "LANG=C",
                                                  "SENDER=a@b.example", "RECIPIENTS=c@d.example\n-x@d.example",
                                                  "REMOTEIP=", "HELO=client.example", "AUTHUSER=joe", "PROTOCOL=ESMTPSA",
                                                  "SIZE=42", "ID=id1", "GREYLAG_CONF=/etc/x.conf"});
    e.sender = mail::Path::null();
    CHECK(environment(*mailer, handover)[2] == "SENDER=");
    Handover told = handover;
    told.domain = "dom.example";
    CHECK(environment(*mailer, told).back() == "DOMAIN=dom.example");
}

TEST_CASE("mailer: what its end means") {
    using How = sys::Ending::How;
    struct Case {
        sys::Ending ending;
        std::string_view said;
        mail::Why why;
        mail::Verdict::Kind kind;
    };
    constexpr auto pass = mail::Verdict::Kind::pass, later = mail::Verdict::Kind::later, never = mail::Verdict::Kind::never;
    using mail::Why;
    const Case cases[] = {
        {{How::exited, 0}, "", Why::none, pass},
        {{How::exited, 0}, "mail refused", Why::none, pass},
        {{How::exited, 67}, "", Why::mailer_no_user, never},
        {{How::exited, 68}, "", Why::mailer_no_host, never},
        {{How::exited, 77}, "", Why::mailer_denied, never},
        {{How::exited, 65}, "", Why::mailer_failed, never},
        {{How::exited, 69}, "", Why::mailer_failed, never},
        {{How::exited, 76}, "", Why::mailer_failed, never},
        {{How::exited, 69}, "mail refused: spam", Why::mailer_refused, never},
        {{How::exited, 1}, "mail refused", Why::mailer_refused, never},
        {{How::exited, 75}, "mail refused", Why::mailer_later, later},
        {{How::signalled, 9}, "mail refused", Why::mailer_later, later},
        {{How::timed_out, 0}, "mail refused", Why::mailer_later, later},
    };
    for (const auto& c : cases) {
        const auto got = verdict(c.ending, c.said);
        CHECK(got.kind == c.kind);
        CHECK(got.why == c.why);
    }
    // Every status that is not in the table is temporary.
    for (int status = 1; status < 256; ++status) {
        const bool final = status == 65 || (status >= 67 && status <= 69) || status == 76 || status == 77;
        CHECK((verdict({How::exited, status}, "").kind == never) == final);
    }
}

TEST_CASE("mailer: an LMTP server in its place") {
    struct Case {
        std::string_view text;
        std::string path, host;
        std::uint16_t port;
    };
    const Case cases[] = {
        {"lmtp:/run/dovecot/lmtp", "/run/dovecot/lmtp", "", 0},
        {"lmtp:127.0.0.1:24", "", "127.0.0.1", 24},
        {"lmtp:[::1]:2424", "", "::1", 2424},
        {"lmtp:store.example:24", "", "store.example", 24},
        {"'lmtp:/with a blank'", "/with a blank", "", 0},
    };
    for (const auto& c : cases) {
        const auto mailer = parse_mailer(c.text, "/lib");
        REQUIRE_MESSAGE(mailer.has_value(), c.text);
        REQUIRE(mailer->lmtp.has_value());
        CHECK(mailer->lmtp->path == c.path);
        CHECK(mailer->lmtp->host == c.host);
        CHECK(mailer->lmtp->port == c.port);
        CHECK(!mailer->upas);
        CHECK(!mailer->is_send());
        CHECK(protects_recipients(*mailer));
        CHECK(protects_sender(*mailer));
    }
    for (const std::string_view text : {"lmtp:", "lmtp:host", "lmtp:host:", "lmtp:host:0", "lmtp:host:65536", "lmtp:::1:24",
                                        "lmtp:[host]:24", "lmtp::24", "lmtp:ho st:24", "lmtp:/run/lmtp %r", "lmtp:../x"})
        CHECK_MESSAGE(!parse_mailer(text, "/lib"), text);
}
