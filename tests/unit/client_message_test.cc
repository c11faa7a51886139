#include "client/message.hh"

#include "mail/qualify.hh"
#include "tests/support/pieces.hh"
#include "tests/support/test.hh"

using namespace greylag;
using namespace greylag::client;

namespace {

mail::Path path(std::string_view text) { return *mail::Path::parse_argument(text); }

Conversion plain() {
    Conversion how;
    how.host = "box.example";
    how.unique = "0123";
    how.now = {1795304644, 60};
    how.sender = path("joe@box.example");
    how.recipients = {path("you@there.example")};
    return how;
}

std::string convert(std::string_view text, const Conversion& how, unsigned seed = 0,
                    smtp::ClientFacts::Message* traits = nullptr) {
    MessageConverter converter(how);
    std::string out;
    for (const auto piece : test::pieces(text, seed)) {
        auto fed = converter.feed(piece, out);
        if (!fed) return fed.error().text;
    }
    static_cast<void>(converter.finish(out));
    if (traits != nullptr) *traits = converter.traits();
    return out;
}

const std::string id = "Message-ID: <0123@box.example>\r\n", from = "From: joe@box.example\r\n", to = "To: you@there.example\r\n",
                  date = "Date: Sun, 22 Nov 2026 00:44:04 +0100\r\n";
const std::string full = "Message-ID: <1@x.y>\r\nFrom: a@b.c\r\nTo: d@e.f\r\nDate: Sun, 22 Nov 2026 00:44:04 +0100\r\n";

std::string lf(std::string text) {
    std::erase(text, '\r');
    return text;
}

}  // namespace

TEST_CASE("message: what is supplied, what goes, what stays") {
    struct Case {
        const char* what;
        std::string in, out;
    };
    const Case cases[] = {
        {"nothing is missing", lf(full) + "\nbody\n", full + "\r\nbody\r\n"},
        {"CRLF input stays CRLF", full + "\r\nbody\r\n", full + "\r\nbody\r\n"},
        {"everything is missing", "Subject: s\n\nbody\n", id + from + to + date + "Subject: s\r\n\r\nbody\r\n"},
        {"no header at all", "hello, world\nmore\n", id + from + to + date + "\r\nhello, world\r\nmore\r\n"},
        {"nothing at all", "", id + from + to + date + "\r\n"},
        {"a header without a body", "Subject: s\n", id + from + to + date + "Subject: s\r\n\r\n"},
        {"a header that is cut", "Subject: s", id + from + to + date + "Subject: s\r\n\r\n"},
        {"a first line that continues nothing", " x: y\n", id + from + to + date + "\r\n x: y\r\n"},
        {"the From line goes, its date stays", "From bob Sat Nov 21 20:00:01 2026 remote from far\nSubject: s\n\nb\n",
         id + from + to + "Date: Sat, 21 Nov 2026 20:00:01 +0100\r\nSubject: s\r\n\r\nb\r\n"},
        {"a From line in the body stays", lf(full) + "\nFrom me\n", full + "\r\nFrom me\r\n"},
        {"a second From line is no header", "From bob\nFrom bob\n", id + from + to + date + "\r\nFrom bob\r\n"},
        {"Bcc goes with its folds", lf(full) + "Bcc: x@y.z,\n q@r.s\nSubject: s\nresent-BCC: a@b.c\n\nb\n",
         full + "Subject: s\r\n\r\nb\r\n"},
        {"Bcc alone is a destination", "From: a@b.c\nBcc: d@e.f\n\n", id + date + "From: a@b.c\r\n\r\n"},
        {"Cc alone is a destination", "From: a@b.c\nCc: d@e.f\n\n", id + date + "From: a@b.c\r\nCc: d@e.f\r\n\r\n"},
        {"unqualified addresses", "From: joe\nTo: \"J. Doe\" <mary>, (x) bob (y),\n  \"a b\"\n\n",
         id + date +
             "From: joe@box.example\r\nTo: \"J. Doe\" <mary@box.example>, (x) bob@box.example (y),\r\n  \"a "
             "b\"@box.example\r\n\r\n"},
        {"names that look alike are left", lf(full) + "Subject: joe\nX-To: joe\n\n", full + "Subject: joe\r\nX-To: joe\r\n\r\n"},
        {"a bare CR ends a line", lf(full) + "\na\rb\r\r\nc\n", full + "\r\na\r\nb\r\n\r\nc\r\n"},
        {"8 bits and NUL stay", lf(full) + std::string("\n\xff\0\xc3\xa4 x\n", 8),
         full + std::string("\r\n\xff\0\xc3\xa4 x\r\n", 10)},
        {"dots are the wire's affair", lf(full) + "\n.\n..x\n", full + "\r\n.\r\n..x\r\n"},
        {"the last line is completed", lf(full) + "\nend", full + "\r\nend\r\n"},
        {"an empty body", lf(full) + "\n", full + "\r\n"},
        {"odd fields are fields", lf(full) + "X : y\nEmpty:\n\tfold\n\n", full + "X : y\r\nEmpty:\r\n\tfold\r\n\r\n"},
    };
    for (const Case& c : cases) {
        for (unsigned seed = 0; seed < 12; ++seed) {
            INFO(c.what, " seed ", seed);
            smtp::ClientFacts::Message traits;
            const std::string out = convert(c.in, plain(), seed, &traits);
            CHECK(out == c.out);
            CHECK(traits.octets == out.size());
        }
    }
}

TEST_CASE("message: From and To by who sends and who gets") {
    Conversion how = plain();
    how.sender = mail::Path::null();
    CHECK(convert("\n", how) == id + "From: Postmaster@box.example\r\n" + to + date + "\r\n");
    how.sender = path("joe@box.example");
    how.full_name = "Joe \"J\" Doe";
    CHECK(convert("\n", how) == id + "From: \"Joe \\\"J\\\" Doe\" <joe@box.example>\r\n" + to + date + "\r\n");
    how.full_name.clear();
    how.recipients.push_back(path("other@there.example"));
    CHECK(convert("\n", how) == id + from + "To: undisclosed-recipients:;\r\n" + date + "\r\n");
    how.recipients.clear();
    CHECK(convert("\n", how) == id + from + date + "\r\n");
}

TEST_CASE("message: what the server must be able to take") {
    struct Case {
        const char* what;
        std::string text;
        bool eight, utf8, lines, dots = false;
    };
    const Case cases[] = {
        {"plain", "Subject: x\n\nbody\n", false, false, false},
        {"8 bits in the body", "Subject: x\n\nb\xc3\xa4\n", true, false, false},
        {"UTF-8 in the header", "Subject: \xc3\xa4\n\nbody\n", true, true, false},
        {"Latin-1 in the header", "Subject: \xe4\n\nbody\n", true, false, false},
        {"998", "Subject: x\n\n" + std::string(998, 'x') + "\n", false, false, false},
        {"999", "Subject: x\n\n" + std::string(999, 'x') + "\n", false, false, true},
        {"a long field", "Subject: " + std::string(999, 'x') + "\n\n", false, false, true},
        {"999 by a line that ends later", "Subject: x\n\n" + std::string(999, 'x'), false, false, true},
        {"no dot in front", "Subject: .x\n\na.\n .\r\nb.\n", false, false, false},
        {"a dot in front", "Subject: x\n\na\n.b\n", false, false, false, true},
        {"first in the body", "Subject: x\n\n.\n", false, false, false, true},
        {"behind CRLF", "Subject: x\r\n\r\na\r\n.b\r\n", false, false, false, true},
        {"behind a bare CR", "Subject: x\n\na\r.b\n", false, false, false, true},
        {"at the end of all", "Subject: x\n\na\n.", false, false, false, true},
        {"in the name of a field", ".x: y\n\na\n", false, false, false, true},
    };
    for (const Case& c : cases) {
        for (unsigned seed = 0; seed < 5; ++seed) {
            INFO(c.what);
            smtp::ClientFacts::Message traits;
            convert(c.text, plain(), seed, &traits);
            CHECK(traits.eight_bit == c.eight);
            CHECK(traits.utf8_header == c.utf8);
            CHECK(traits.long_lines == c.lines);
            CHECK(traits.dots == c.dots);
        }
    }
}

TEST_CASE("message: half a megabyte, line ends of every kind, in any pieces") {
    std::string in = lf(full) + "\n", out = full + "\r\n";
    for (int i = 0; i < 9'000; ++i) {
        const std::string line = std::to_string(i) + " " + std::string(static_cast<std::size_t>(i % 97), 'x');
        in += line + (i % 1000 == 7 ? "\r" : i % 3 == 0 ? "\r\n" : "\n");
        out += line + "\r\n";
    }
    for (unsigned seed : {0u, 1u, 5u, 16u}) {
        INFO("seed ", seed);
        smtp::ClientFacts::Message traits;
        CHECK((convert(in, plain(), seed, &traits) == out));
        CHECK(traits.octets == out.size());
        CHECK(!traits.dots);
        CHECK(!traits.long_lines);
    }
}

TEST_CASE("message: a header without end is refused, not kept") {
    MessageConverter converter(plain());
    std::string out;
    const std::string block(1 << 20, 'x');
    CHECK(converter.feed("Subject: ", out));
    Result<void> fed;
    for (int i = 0; i < 5 && fed; ++i) fed = converter.feed(block, out);
    REQUIRE(!fed);
    CHECK(fed.error().kind == Kind::limit);
}

TEST_CASE("message: qualified addresses") {
    struct Case {
        const char* in;
        const char* out;
    };
    const Case cases[] = {
        {"joe", "joe@h.x"},
        {" joe , a@b.c,mary", " joe@h.x , a@b.c,mary@h.x"},
        {"joe@box", "joe@box.suf"},
        {"joe@box.y", "joe@box.y"},
        {"<joe@box>", "<joe@box.suf>"},
        {"joe@[192.0.2.1]", "joe@[192.0.2.1]"},
        {"Joe Doe", "Joe Doe"},
        {"Joe Doe <joe>", "Joe Doe <joe@h.x>"},
        {"J. R. Doe <joe> (x)", "J. R. Doe <joe@h.x> (x)"},
        {"joe.doe", "joe.doe@h.x"},
        {"joe. doe", "joe. doe@h.x"},
        {"\"a, b\"", "\"a, b\"@h.x"},
        {"\"un, closed", "\"un, closed"},
        {"friends: joe, <mary>;, bob", "friends: joe@h.x, <mary@h.x>;, bob@h.x"},
        {"undisclosed-recipients:;", "undisclosed-recipients:;"},
        {"<@a.b,@c.d:joe>", "<@a.b,@c.d:joe@h.x>"},
        {"host.y!joe", "host.y!joe"},
        {"host!joe", "host!joe@h.x"},
        {"<>", "<>"},
        {"<joe", "<joe"},
        {"a@b@c", "a@b@c"},
        {"@box", "@box"},
        {"joe@", "joe@"},
        {"(joe)", "(joe)"},
        {"\r\n joe\r\n\t, mary", "\r\n joe@h.x\r\n\t, mary@h.x"},
        {"j\xc3\xb6", "j\xc3\xb6@h.x"},
        {"", ""},
        {",,", ",,"},
        {"a\\b", "a\\b"},
    };
    for (const Case& c : cases) {
        INFO(c.in);
        CHECK(mail::qualify(c.in, "h.x", ".suf") == c.out);
        CHECK(mail::qualify(c.out, "h.x", ".suf") == c.out);  // once is enough
    }
    CHECK(mail::qualify("joe@box", "h.x") == "joe@box");
}

TEST_CASE("message: the date of a From line") {
    const base::WallTime now{1795304644, 60};
    const auto date_of = [&](std::string_view line) {
        const auto when = from_line_date(line, now);
        return when ? when->seconds : -1;
    };
    CHECK(date_of("From joe Sat Nov 21 23:44:04 2026") == 1795304644 - 3600);
    CHECK(date_of("From joe Sat Nov 21 23:44:04 2026 remote from far") == 1795304644 - 3600);
    CHECK(date_of("From joe Sat Nov 21 23:44:04 GMT 2026") == 1795304644);
    CHECK(date_of("From joe Sat Nov 21 23:44:04 2026 -0100") == 1795304644 + 3600);
    CHECK(date_of("From joe") == -1);
    CHECK(date_of("From joe Sat Nov 99 23:44:04 2026") == -1);
    CHECK(date_of("From joe Sat Nov 21 23:44:04 26") == -1);
}

TEST_CASE("message: long lines folded for an old server") {
    const auto fold = [](const std::string& text, unsigned seed) {
        LineFolder folder;
        std::string out;
        for (const auto piece : test::pieces(text, seed)) folder.feed(piece, out);
        folder.finish(out);
        return out;
    };
    const std::string words = "Subject:" + std::string(600, 'a') + " " + std::string(600, 'b') + "\r\n\r\n";
    const std::string solid = "Subject: " + std::string(2500, 'a') + "\r\n\r\n";
    const std::string body = "S: x\r\n\r\n" + std::string(2500, 'c') + "\r\n";
    for (unsigned seed = 0; seed < 30; ++seed) {
        CHECK(fold(words, seed) == "Subject:" + std::string(600, 'a') + "\r\n " + std::string(600, 'b') + "\r\n\r\n");
        for (const auto& text : {solid, body}) {
            const std::string out = fold(text, seed);
            std::string letters;
            std::size_t longest = 0, at = 0;
            for (std::size_t end = 0; (end = out.find("\r\n", at)) != std::string::npos; at = end + 2)
                longest = std::max(longest, end - at);
            for (const char c : out)
                if (c == text[text.size() / 2]) letters += c;
            CHECK(longest <= LineFolder::limit);
            CHECK(letters.size() == 2500);
            CHECK(at == out.size());
        }
        CHECK(fold(solid, seed) == fold(solid, 0));
        CHECK(fold(body, seed) == fold(body, 0));
    }
    std::string umlauts = "\r\n";
    for (int i = 0; i < 800; ++i) umlauts += "\xc3\xa4";
    const std::string out = fold(umlauts + "\r\n", 0);
    CHECK(out.find("\xc3\r\n") == std::string::npos);
    const std::string fits = "S: " + std::string(995, 'x') + "\r\n\r\n" + std::string(998, 'y') + "\r\n";
    CHECK(fold(fits, 3) == fits);
}
