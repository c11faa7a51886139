#include <random>

#include "mail/date.hh"
#include "mail/verdict.hh"
#include "tests/support/test.hh"

using namespace greylag;
using namespace greylag::mail;

TEST_CASE("date: written") {
    CHECK(rfc5322_date({1795301044, 60}) == "Sat, 21 Nov 2026 23:44:04 +0100");
    CHECK(rfc5322_date({0, 0}) == "Thu, 01 Jan 1970 00:00:00 +0000");
    CHECK(rfc5322_date({0, -210}) == "Wed, 31 Dec 1969 20:30:00 -0330");
    CHECK(rfc5322_date({0, -30}) == "Wed, 31 Dec 1969 23:30:00 -0030");
    CHECK(ctime_date({1795301044, 60}) == "Sat Nov 21 23:44:04 2026");
    CHECK(ctime_date({0, 0}) == "Thu Jan  1 00:00:00 1970");
}

TEST_CASE("date: read") {
    const struct {
        std::string_view text;
        base::WallTime when;
    } cases[] = {
        {"Sat, 21 Nov 2026 23:44:04 +0100", {1795301044, 60}},
        {"21 Nov 2026 23:44:04 +0100", {1795301044, 60}},
        {"sat,21 nov 2026 23:44:04 +0100", {1795301044, 60}},
        {" Thu, 1 Jan 1970 00:00 +0000 ", {0, 0}},
        {"Thu, 1 Jan 1970 00:00:00 GMT", {0, 0}},
        {"Thu, 1 Jan 1970 00:00:00 ut", {0, 0}},
        {"1 Jan 1970 00:00:00 Z", {0, 0}},
        {"1 Jan 1970 00:00:00 EST", {18000, -300}},
        {"1 Jan 70 00:00:00 PDT", {25200, -420}},
        {"1 Jan 070 00:00:00 -0000", {0, 0}},
        {"1 Jan 00 00:00:00 +0000", {946684800, 0}},
        {"1 Jan 49 00:00:00 +0000", {2493072000, 0}},
        {"1 Jan 1970 00:00:00 CEST", {0, 0}},
        {"1 Jan 1970 00:00:00 +0000 (UTC)", {0, 0}},
        {"Thu (a (nested \\) one)), 1 Jan(x)1970 00 : 00 : 00 +0000", {0, 0}},
        {"Thu,\r\n 1 Jan 1970\n 00:00:00 +0000", {0, 0}},
        {"31 Dec 2016 23:59:60 +0000", {1483228800, 0}},
        {"29 Feb 2024 00:00:00 +0000", {1709164800, 0}},
    };
    for (const auto& c : cases) {
        CAPTURE(c.text);
        CHECK(parse_date(c.text) == c.when);
    }
    for (const std::string_view bad : {"",
                                       "now",
                                       "Sat Nov 21 23:44:04 2026",
                                       "1 Jan 1970",
                                       "1 Jan 1970 00:00:00",
                                       "32 Jan 1970 00:00:00 +0000",
                                       "0 Jan 1970 00:00:00 +0000",
                                       "29 Feb 2023 00:00:00 +0000",
                                       "31 Apr 2023 00:00:00 +0000",
                                       "1 Foo 1970 00:00:00 +0000",
                                       "1 Jan 1970 24:00:00 +0000",
                                       "1 Jan 1970 00:60:00 +0000",
                                       "1 Jan 1970 00:00:61 +0000",
                                       "1 Jan 1970 00:00:00 +2400",
                                       "1 Jan 1970 00:00:00 +0060",
                                       "1 Jan 1970 00:00:00 +000",
                                       "1 Jan 1970 00:00:00 0000",
                                       "1 Jan 1899 00:00:00 +0000",
                                       "1 Jan 19700 00:00:00 +0000",
                                       "1 Jan 7 00:00:00 +0000",
                                       "Xyz, 1 Jan 1970 00:00:00 +0000",
                                       "Thu 1 Jan 1970 00:00:00 +0000",
                                       "1 Jan 1970 00:00:00 +0000 x",
                                       "1 Jan 1970 0:0:0 +0000",
                                       "99999999999 Jan 1970 00:00:00 Z",
                                       "1 Jan 1970 00:00:00 + 0000 1",
                                       "(1 Jan 1970 00:00:00 +0000",
                                       "1 Jan 1970 00.00.00 +0000"}) {
        CAPTURE(bad);
        CHECK_FALSE(parse_date(bad));
    }
}

TEST_CASE("date: what is written is read back") {
    std::mt19937_64 random(9);
    constexpr std::int64_t first = -2208988800 + 86400, last = 253402300799 - 86400;  // 1900 to 9999
    for (int i = 0; i < 20000; ++i) {
        const base::WallTime when{first + static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(last - first)),
                                  static_cast<int>(random() % 2879) - 1439};
        REQUIRE(parse_date(rfc5322_date(when)) == when);
    }
}

TEST_CASE("verdict: reasons have names of their own") {
    CHECK(name(Why::none) == "none");
    CHECK(name(Why::relay_denied) == "relay-denied");
    CHECK(name(Why::mailer_later) == "mailer-later");
    for (int a = 0; a <= static_cast<int>(Why::mailer_answer); ++a)
        for (int b = 0; b < a; ++b) CHECK(name(static_cast<Why>(a)) != name(static_cast<Why>(b)));
    CHECK(Verdict::pass().ok());
    CHECK_FALSE(Verdict::later(Why::greylisted, "300").ok());
    CHECK(Verdict::never(Why::too_big).kind == Verdict::Kind::never);
}
