#include "policy/sender.hh"

namespace greylag::policy {

using mail::Verdict;
using mail::Why;

bool needs_address(Records mx) { return mx == Records::none; }

Verdict sender_domain(Records mx, Records address) {
    switch (needs_address(mx) ? address : mx) {
        case Records::some: return Verdict::pass();
        case Records::null_mx: return Verdict::never(Why::sender_null_mx);
        case Records::none:
        case Records::no_name: return Verdict::never(Why::sender_no_domain);
        case Records::unknown: break;
    }
    return Verdict::later(Why::sender_dns);
}

}  // namespace greylag::policy
