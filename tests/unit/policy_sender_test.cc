#include "policy/sender.hh"

#include "tests/support/test.hh"

using namespace greylag;
using mail::Why;
using policy::Records;

TEST_CASE("policy: a sender's domain has a mail exchanger or an address") {
    struct Case {
        Records mx, address;
        Why why;
    };
    const Case cases[] = {
        {Records::some, Records::unknown, Why::none},
        {Records::null_mx, Records::some, Why::sender_null_mx},
        {Records::none, Records::some, Why::none},
        {Records::none, Records::none, Why::sender_no_domain},
        {Records::none, Records::no_name, Why::sender_no_domain},
        {Records::none, Records::unknown, Why::sender_dns},
        {Records::no_name, Records::some, Why::sender_no_domain},
        {Records::unknown, Records::some, Why::sender_dns},
        {Records::unknown, Records::no_name, Why::sender_dns},
    };
    using Kind = mail::Verdict::Kind;
    for (const auto& c : cases) {
        const auto verdict = policy::sender_domain(c.mx, c.address);
        CHECK(verdict.why == c.why);
        CHECK(verdict.kind == (c.why == Why::none ? Kind::pass : c.why == Why::sender_dns ? Kind::later : Kind::never));
        CHECK(policy::needs_address(c.mx) == (c.mx == Records::none));
    }
}
