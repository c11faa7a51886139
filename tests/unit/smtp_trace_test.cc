#include "smtp/trace.hh"

#include <string>

#include "mail/header.hh"
#include "tests/support/test.hh"

using namespace greylag;
using smtp::Trace;

namespace {

Trace example() {
    Trace trace;
    trace.helo = "mail.example.org";
    trace.peer_name = "out.example.org";
    trace.peer = *mail::IpAddress::parse("192.0.2.1");
    trace.by = "mx.example.net";
    trace.id = "1a2b3c";
    trace.extended = true;
    trace.when = {1795301044, 60};
    return trace;
}
mail::Path path(std::string_view text) { return *mail::Path::parse(text, mail::Domain::Allow::utf8); }

}  // namespace

TEST_CASE("with: RFC 3848 and RFC 6531") {
    Trace t;
    CHECK(smtp::with_protocol(t) == "SMTP");
    t.extended = true;
    CHECK(smtp::with_protocol(t) == "ESMTP");
    t.tls = true;
    CHECK(smtp::with_protocol(t) == "ESMTPS");
    t.authenticated = true;
    CHECK(smtp::with_protocol(t) == "ESMTPSA");
    t.tls = false;
    CHECK(smtp::with_protocol(t) == "ESMTPA");
    t.utf8 = true;
    CHECK(smtp::with_protocol(t) == "UTF8SMTPA");
    t.tls = true;
    CHECK(smtp::with_protocol(t) == "UTF8SMTPSA");
    t.authenticated = false;
    CHECK(smtp::with_protocol(t) == "UTF8SMTPS");
}

TEST_CASE("Received") {
    Trace t = example();
    CHECK(smtp::received_field(t) ==
          "Received: from mail.example.org (out.example.org [192.0.2.1])\n"
          "\tby mx.example.net with ESMTP id 1a2b3c; Sat, 21 Nov 2026 23:44:04 +0100\n");
    t.only_recipient = path("joe@example.net");
    t.tls = true;
    t.tls_description = "TLSv1.3 with cipher TLS_AES_256_GCM_SHA384";
    t.peer = *mail::IpAddress::parse("2001:db8::1");
    t.peer_name = "";
    CHECK(smtp::received_field(t) ==
          "Received: from mail.example.org ([IPv6:2001:db8::1])\n"
          "\t(using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384)\n"
          "\tby mx.example.net with ESMTPS id 1a2b3c for <joe@example.net>;\n"
          "\tSat, 21 Nov 2026 23:44:04 +0100\n");
    t = example();
    t.peer.reset();
    t.peer_name = "";
    t.extended = false;
    t.helo = "[192.0.2.7]";
    CHECK(smtp::received_field(t) ==
          "Received: from [192.0.2.7] (unknown)\n"
          "\tby mx.example.net with SMTP id 1a2b3c; Sat, 21 Nov 2026 23:44:04 +0100\n");
}

TEST_CASE("nothing in Received can make a second field or leave its place") {
    const std::string evil = "x\r\nBcc: all@example.org\n\n(a) <b>;\t\"c\\\xff";
    Trace t = example();
    t.helo = t.peer_name = t.by = t.id = t.tls_description = evil;
    t.only_recipient = path("\"a;\\\"b (c\"@example.net");
    const std::string field = smtp::received_field(t);
    const std::string message = field + "\nbody";
    const mail::Header header = mail::parse_header(message);
    REQUIRE(header.fields.size() == 1);
    CHECK(header.fields[0].name == "Received");
    CHECK(header.fields[0].whole == field);
    CHECK(field.find('\r') == std::string::npos);
    CHECK(field.find("\n\n") == std::string::npos);
    for (const char c : field) CHECK(static_cast<unsigned char>(c) < 0x7f);
    CHECK(field.ends_with("Sat, 21 Nov 2026 23:44:04 +0100\n"));
}

TEST_CASE("a recipient beyond ASCII is named in a UTF-8 message only") {
    Trace t = example();
    t.only_recipient = path("\xc3\xa9@example.net");
    CHECK(smtp::received_field(t).find("for <") == std::string::npos);
    t.utf8 = true;
    CHECK(smtp::received_field(t).find("for <\xc3\xa9@example.net>") != std::string::npos);
}

TEST_CASE("lines of Received stay short of 998 octets whatever the names") {
    Trace t = example();
    t.helo = t.peer_name = t.by = std::string(255, 'a');
    t.only_recipient = path(std::string(64, 'l') + "@" + std::string(60, 'd') + "." + std::string(60, 'e') + ".example");
    const std::string field = smtp::received_field(t);
    std::size_t line = 0;
    for (const char c : field) {
        line = c == '\n' ? 0 : line + 1;
        CHECK(line < 998);
    }
}

TEST_CASE("the From line of upas") {
    const base::WallTime when{1795301044, 60};
    CHECK(smtp::from_line(path("a@b.c"), false, when) == "From a@b.c Sat Nov 21 23:44:04 2026 remote from \n");
    CHECK(smtp::from_line(path("a@b.c"), true, when) == "From b.c!a Sat Nov 21 23:44:04 2026 remote from \n");
    CHECK(smtp::from_line(mail::Path::null(), false, when) == "From /dev/null Sat Nov 21 23:44:04 2026 remote from \n");
    CHECK(smtp::from_line(mail::Path::null(), true, when) == "From /dev/null Sat Nov 21 23:44:04 2026 remote from \n");
    CHECK(smtp::from_line(path("\"a b\"@c.d"), false, when) == "From \"a b\"@c.d Sat Nov 21 23:44:04 2026 remote from \n");
}
