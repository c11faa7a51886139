// The block list: what a line means, which line decides, when the client hears of it.
#include "policy/blocklist.hh"

#include "tests/support/must.hh"
#include "tests/support/test.hh"

using namespace greylag;
using namespace greylag::policy;
using test::must;

namespace {

std::string_view word(std::optional<Action> action) {
    if (!action) return "-";
    switch (*action) {
        case Action::allow: return "allow";
        case Action::block: return "block";
        case Action::deny: return "deny";
        case Action::dial: return "dial";
        case Action::delay: return "delay";
    }
    return "?";
}

struct Case {
    std::string_view list, peer, sender, action;
};

void check(const Case& c) {
    INFO(c.list, " | ", c.peer, " | ", c.sender);
    const auto list = BlockList::parse(c.list);
    CHECK(list.faults().empty());
    const auto peer = c.peer.empty() ? std::nullopt : std::optional(must(mail::IpAddress::parse(c.peer)));
    CHECK(word(list.find(peer, must(mail::Path::parse(c.sender)))) == c.action);
}

}  // namespace

TEST_CASE("block list: peers") {
    const Case cases[] = {
        {"", "192.0.2.7", "a@b.example", "-"},
        {"block 192.0.2.7", "192.0.2.7", "", "block"},
        {"BLOCK 192.0.2.7", "192.0.2.7", "", "block"},
        {"block 192.0.2.7", "192.0.2.8", "", "-"},
        {"block 192.0.2.7", "", "", "-"},  // a peer nobody knows
        {"relay 192.0.2.0/24", "192.0.2.255", "", "block"},
        {"deny 192.0.2", "192.0.2.1", "", "deny"},
        {"deny 192.0", "192.0.3.1", "", "deny"},
        {"dial 10", "10.9.8.7", "", "dial"},
        {"dial 10", "11.9.8.7", "", "-"},
        {"delay 2001:db8::/32", "2001:db8:1::1", "", "delay"},
        {"delay 2001:db8::/32", "2001:db9::1", "", "-"},
        {"delay 2001:DB8::1", "2001:db8::1", "", "delay"},
        {"block 192.0.2.7", "::ffff:192.0.2.7", "", "block"},
        {"block 192.0.2.1,192.0.2.2\t192.0.2.3", "192.0.2.3", "", "block"},
        {"block 192.0.2.1 # 192.0.2.3", "192.0.2.3", "", "-"},
        {"\r\n  # nothing\r\n  block 192.0.2.1\r\n", "192.0.2.1", "", "block"},
        {"block 192.0.2.1", "192.0.2.1", "", "block"},  // a last line without an end
        {"allow 192.0.2.1\nblock 192.0.2", "192.0.2.1", "", "allow"},
        {"accept 192.0.2.1\nblock 192.0.2", "192.0.2.1", "", "allow"},
        {"block 192.0.2\nallow 192.0.2.1", "192.0.2.1", "", "block"},  // too late
    };
    for (const auto& c : cases) check(c);
}

TEST_CASE("block list: senders") {
    const Case cases[] = {
        {"*block b.example!a", "", "a@b.example", "block"},
        {"* block b.example!a", "", "a@b.example", "block"},
        {"*Block B.Example!A", "", "a@b.example", "block"},
        {"*block b.example!a", "", "A@B.EXAMPLE", "block"},
        {"*block b.example!a", "", "ab@b.example", "-"},
        {"*block b.example!a", "", "a@c.b.example", "-"},
        {"*block b.example!a*", "", "Abc@b.example", "block"},
        {"*block b.example!a*", "", "ba@b.example", "-"},
        {"*block b.example!*", "", "anybody@b.example", "block"},
        {"*block *.b.example!*", "", "x@b.example", "block"},
        {"*block *.b.example!*", "", "x@deep.er.b.example", "block"},
        {"*block *.b.example!*", "", "x@ab.example", "-"},
        {"*block *!offers", "", "offers@anywhere.example", "block"},
        {"*block [192.0.2.7]!*", "", "a@[192.0.2.7]", "block"},
        {"*block [192.0.2.7]!*", "", "a@[192.0.2.8]", "-"},
        {"*block b.example!*", "", "a@[192.0.2.7]", "-"},
        {"*block b.example!x!a", "", "x!a@b.example", "block"},
        {"*block b.example!a", "", "\"a\"@b.example", "block"},
        {"*block *!m*", "", "", "-"},  // the null sender is nobody
        {"*allow b.example!a\n*deny b.example!*", "", "a@b.example", "allow"},
        {"*allow b.example!a\n*deny b.example!*", "", "c@b.example", "deny"},
        // Both kinds are one list.
        {"allow 192.0.2.7\n*deny b.example!*", "192.0.2.7", "a@b.example", "allow"},
        {"*deny b.example!*\nallow 192.0.2.7", "192.0.2.7", "a@b.example", "deny"},
    };
    for (const auto& c : cases) check(c);
}

TEST_CASE("block list: what cannot be read is skipped and named") {
    struct Bad {
        std::string_view line, says;
    };
    const Bad cases[] = {
        {"blok 192.0.2.1", "'blok' is no verb"},
        {"block", "expected addresses behind 'block'"},
        {"*block", "expected senders behind 'block'"},
        {"*", "'' is no verb"},
        {"block 192.0.2.300", "192.0.2.300"},
        {"block 192.0.2.9 192.0.2.1/33", "192.0.2.1/33"},
        {"block b.example!a", "b.example!a"},
        {"*block 192.0.2.1", "'192.0.2.1': expected domain!user"},
        {"*block a@b.example", "expected domain!user"},
        {"*block *", "expected domain!user"},
        {"*block !", "expected domain!user"},
        {"*block b.example!", "expected domain!user"},
        {"*block !a", "expected domain!user"},
        {"*block *!*", "would be every sender"},
        {"*block b.example!a*b", "'*' may only be the last"},
        {"*block b*.example!a", "b*.example"},
        {"*block [192.0.2!a", "[192.0.2"},
    };
    for (const auto& c : cases) {
        INFO(c.line);
        const auto list = BlockList::parse("# one\n" + std::string(c.line) + "\nblock 192.0.2.2\n");
        REQUIRE(list.faults().size() == 1);
        CHECK(list.faults().front().line == 2);
        CHECK(list.faults().front().what.find(c.says) != std::string::npos);
        CHECK(list.find(must(mail::IpAddress::parse("192.0.2.2")), mail::Path::null()));
        CHECK(!list.find(must(mail::IpAddress::parse("192.0.2.9")), mail::Path::null()));  // the whole line
    }
    const std::string hostile("block \0 1\n\xff\xfe\n*block \x01!\x02\n!!!\n,,,\n", 30);
    CHECK(!BlockList::parse(hostile).faults().empty());
}

TEST_CASE("block list: when it is spoken, and how") {
    using mail::Why;
    constexpr Moment moments[] = {Moment::mail, Moment::data, Moment::message};
    struct Row {
        std::optional<Action> action;
        Why at[3];
        mail::Verdict::Kind kind;
    };
    constexpr auto never = mail::Verdict::Kind::never, later = mail::Verdict::Kind::later;
    const Row rows[] = {
        {std::nullopt, {Why::none, Why::none, Why::none}, never},
        {Action::allow, {Why::none, Why::none, Why::none}, never},
        {Action::deny, {Why::sender_denied, Why::none, Why::none}, never},
        {Action::dial, {Why::none, Why::dialup, Why::none}, never},
        {Action::block, {Why::none, Why::none, Why::blocked}, never},
        {Action::delay, {Why::none, Why::none, Why::delayed}, later},
    };
    for (const Row& row : rows) {
        for (std::size_t i = 0; i < 3; ++i) {
            const auto verdict = spoken(row.action, moments[i]);
            CHECK(verdict.why == row.at[i]);
            CHECK(verdict.ok() == (row.at[i] == Why::none));
            if (!verdict.ok()) CHECK(verdict.kind == row.kind);
        }
    }
}
