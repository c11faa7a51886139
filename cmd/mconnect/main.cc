// mconnect: a line to a mail server (mconnect(1)). Arguments and exit status.
#include <algorithm>

#include "base/escape.hh"
#include "base/time.hh"
#include "cmd/mconnect/options.hh"
#include "cmd/mconnect/session.hh"
#include "sys/fd.hh"
#include "tls/process.hh"

using namespace greylag;

namespace {

Result<mconnect::Order> make_order(const base::CommandLine& given) {
    mconnect::Order order;
    if (given.operands.size() > 1) return base::fail(Kind::usage, "one host is enough");
    if (!given.operands.empty()) order.to.host = given.operands.front();
    if (order.to.host.starts_with("unix:")) {
        order.to.path = order.to.host.substr(5);
        if (order.to.path.empty()) return base::fail(Kind::usage, "unix: needs a path");
    }
    order.to.service = given.value('p', "25");
    order.raw = given.has('r');
    order.tls = given.has('t');
    order.transcript = given.value('x');
    order.dial.source = given.value('b');
    if (given.has('4') && given.has('6')) return base::fail(Kind::usage, "-4 and -6 exclude each other");
    if (given.has('4')) order.dial.family = smtp_client::Family::v4;
    if (given.has('6')) order.dial.family = smtp_client::Family::v6;
    if (given.has("timeout")) {
        const auto wait = base::parse_duration(given.value("timeout"));
        if (!wait || wait->count() == 0 || *wait > base::Seconds(86'400))
            return base::fail(Kind::usage, "--timeout takes a duration like 30s, a day at most");
        order.dial.timeout_ms = static_cast<std::uint32_t>(wait->count());
    }
    return order;
}

}  // namespace

int main(int argc, char** argv) {
    sys::sane_process();
    const auto given = mconnect::program.arguments(argc, argv, {}, true);
    if (!given) return given.error();
    const auto order = make_order(*given);
    if (!order) return mconnect::program.usage(order.error().text);
    tls::own_process();
    return mconnect::run(*order);
}
