// What goes from smtpd to smtpd-tls, and when the one becomes the other.
#include "cmd/smtpd/sibling.hh"
#include "tests/support/test.hh"

using namespace greylag;

TEST_CASE("sibling: what is handed over arrives") {
    smtpd::Begun begun;
    begun.id = "abc123";
    begun.messages = 3;
    begun.elapsed = base::Millis{4567};
    begun.counts.commands[2] = 9;
    begun.counts.messages = 2;
    begun.counts.errors = 7;
    const std::string text = smtpd::show(begun);
    const auto got = smtpd::parse_begun(text);
    REQUIRE(got.has_value());
    CHECK(got->id == "abc123");
    CHECK(got->messages == 3);
    CHECK(got->elapsed == base::Millis{4567});
    CHECK(got->counts.commands == begun.counts.commands);
    CHECK(got->counts.messages == 2);
    CHECK(got->counts.errors == 7);
    CHECK_FALSE(got->debug);
}

TEST_CASE("sibling: what is no handover is none") {
    smtpd::Begun begun;
    begun.id = "abc123";
    const std::string good = smtpd::show(begun);
    for (std::size_t cut = 0; cut + 2 < good.size(); ++cut) CHECK_FALSE(smtpd::parse_begun(good.substr(0, cut)).has_value());
    CHECK_FALSE(smtpd::parse_begun(good + "more=1\n").has_value());
    CHECK_FALSE(smtpd::parse_begun("id=a\ncommands=1\n").has_value());
}

TEST_CASE("sibling: who needs OpenSSL from the start") {
    smtpd::Setup plain;
    CHECK_FALSE(smtpd::needs_sibling(plain, true));
    smtpd::Setup certificate;
    certificate.settings.tls.certificate = "/x.pem";
    CHECK_FALSE(smtpd::needs_sibling(certificate, false));
    CHECK(smtpd::needs_sibling(certificate, true));
    smtpd::Setup first = certificate;
    first.tls_first = true;
    CHECK(smtpd::needs_sibling(first, false));
    smtpd::Setup md5;
    md5.settings.auth.mechanisms = {"CRAM-MD5"};
    CHECK_FALSE(smtpd::needs_sibling(md5, false));
    md5.settings.auth.users = "/users";
    CHECK(smtpd::needs_sibling(md5, false));
}
