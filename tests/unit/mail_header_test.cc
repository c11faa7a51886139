#include <random>

#include "base/ascii.hh"
#include "mail/header.hh"
#include "tests/support/test.hh"

using namespace greylag;
using namespace greylag::mail;

namespace {

// "name=value|name=value end".
std::string shown(std::string_view message) {
    const Header header = parse_header(message);
    std::string out;
    for (const HeaderField& field : header.fields) out.append(field.name).append("=").append(field.value).append("|");
    return out + std::to_string(header.end);
}

unsigned received(std::string_view message) {
    FieldCounter counter("Received");
    counter.feed(message);
    return counter.count();
}

std::string found(std::string_view value) {
    std::string out;
    for (const std::string& address : addresses(value)) out.append(out.empty() ? "" : " ; ").append(address);
    return out;
}

}  // namespace

TEST_CASE("header: fields, folds, line ends, and where the header ends") {
    const std::pair<std::string_view, std::string_view> cases[] = {
        {"", "0"},
        {"\nbody", "1"},
        {"\r\nbody", "2"},
        {"a:b\n\nbody", "a=b|5"},
        {"a: b\r\n\r\nbody", "a= b|8"},
        {"a:b\n c\n\td\ne:\n\n", "a=b\n c\n\td|e=|14"},
        {"a:b\r\n c\r\ne:f\r\n", "a=b\r\n c|e=f|14"},
        {"a:b", "a=b|3"},
        {"a:b\n ", "a=b\n |5"},
        {"a \t:b\n", "a=b|6"},
        {"a:b\nno field\nc:d\n", "a=b|4"},
        {" a:b\n", "0"},
        {":b\n", "0"},
        {"a\n:b\n", "0"},
        {"a b:c\n", "0"},
        {"a\xc3:b\n", "0"},
        {"From x@y Sat Nov 21 23:44:04 2026\na:b\n", "0"},
        {"a:b\rc:d\n", "a=b\rc:d|8"},
        {"a:b:c\n", "a=b:c|6"},
        {"a:b\n\r\n", "a=b|6"},
        {"a:b\n \n\nx", "a=b\n |7"},
    };
    for (const auto& [message, want] : cases) {
        CAPTURE(message);
        CHECK(shown(message) == want);
    }
}

TEST_CASE("header: the wholes are the message, byte for byte") {
    constexpr std::string_view message = "A: b\r\n c\r\nD:\ne : f\n\nbody";
    std::string joined;
    const Header header = parse_header(message);
    for (const HeaderField& field : header.fields) joined += field.whole;
    CHECK(joined + "\n" == message.substr(0, header.end));
}

TEST_CASE("header: folds undone") {
    CHECK(unfold(" a\r\n b\n\tc \r\n") == "a b\tc");
    CHECK(unfold("a\nb") == "a\nb");
    CHECK(unfold("a\r\r\n b") == "a\r b");
    CHECK(unfold("") == "");
}

TEST_CASE("header: addresses of a field") {
    const std::pair<std::string_view, std::string_view> cases[] = {
        {"", ""},
        {"a@b", "a@b"},
        {"a@b, c@d", "a@b ; c@d"},
        {"Bob <a@b>", "a@b"},
        {"\"B, ob\" <a@b>, J. R. Public <c@d>", "a@b ; c@d"},
        {"a@b (Bob, the (nested) one)", "a@b"},
        {"(x) a (y) @ (z) b . c", "a@b.c"},
        {"Friends: a@b, Carl <c@d>;, e@f", "a@b ; c@d ; e@f"},
        {"undisclosed-recipients:;", ""},
        {"<@x,@y:a@b>", "a@b"},
        {"\"a b\"@c", "\"a b\"@c"},
        {"\"a\\\"@x, \"@c", "\"a\\\"@x, \"@c"},
        {"a@[1.2.3.4]", "a@[1.2.3.4]"},
        {"Bob a@b, c@d", "c@d"},
        {"bob, c@d", "c@d"},
        {"<>, c@d", "c@d"},
        {"a@b@c, d@e", "d@e"},
        {"\"open, a@b", ""},
        {"(open a@b", ""},
        {"<a@b, c@d", ""},
        {"Bob <a@b> words, c@d", "a@b ; c@d"},
        {"a@b,\r\n c@d", "a@b ; c@d"},
        {",,a@b,,", "a@b"},
        {"\xc3\xa9@b", "\xc3\xa9@b"},
        {"\xe9@b, c@d", "c@d"},
        {"@b, a@, c@d", "c@d"},
        {"a\x01@b, c@d", "c@d"},
        {"\"a\x01\"@b, c@d", "c@d"},
    };
    for (const auto& [value, want] : cases) {
        CAPTURE(value);
        CHECK(found(value) == want);
        CHECK(found(want) == want);
    }
}

TEST_CASE("header: Received fields are counted until the blank line") {
    const std::pair<std::string_view, unsigned> cases[] = {
        {"", 0},
        {"Received: x\n\n", 1},
        {"received:\r\nRECEIVED :x\r\n\r\nReceived: body\r\n", 2},
        {"X-Received: x\nReceivedX: x\nReceive: x\n", 0},
        {"Subject: x\n Received: folded\n", 0},
        {"Received\n: x\n", 0},
        {"Received", 0},
        {"a:b\n\nReceived: x\n", 0},
        {"\rReceived: x\n", 0},
        {"a:b\n\r\nReceived: x\n", 0},
        {"a:b\r\r\nReceived: x\n", 1},
        {"no field\nReceived: x\n", 1},
    };
    for (const auto& [message, count] : cases) {
        CAPTURE(message);
        CHECK(received(message) == count);
    }
}

TEST_CASE("header: the count does not depend on how the message is cut") {
    std::mt19937 random(10);
    constexpr std::string_view pieces[] = {"Received:", "Received", "received : ", "\n", "\r\n", "\r", " ", "\t", "x", "Re", ":"};
    for (int i = 0; i < 20000; ++i) {
        std::string message;
        for (auto n = random() % 12; n > 0; --n) message += pieces[random() % std::size(pieces)];
        const unsigned whole = received(message);
        FieldCounter counter("RECEIVED");
        for (std::string_view rest = message; !rest.empty();) {
            const std::size_t size = 1 + random() % rest.size();
            counter.feed(rest.substr(0, size));
            rest.remove_prefix(size);
        }
        REQUIRE(counter.count() == whole);

        // Where every line is a field, the counter and the parser agree.
        const Header header = parse_header(message);
        unsigned parsed = 0;
        for (const HeaderField& field : header.fields) parsed += base::iequals(field.name, "received") ? 1u : 0u;
        REQUIRE(counter.count() >= parsed);
        if (header.end == message.size()) REQUIRE(counter.count() == parsed);
        if (counter.in_header()) REQUIRE(message.find("\n\n") == std::string::npos);
    }
}
