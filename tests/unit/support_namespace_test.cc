#include <signal.h>
#include <unistd.h>

#include <stdexcept>

#include "tests/support/dns_responder.hh"
#include "tests/support/fake_smtp.hh"
#include "tests/support/namespace.hh"
#include "tests/support/scratch.hh"
#include "tests/support/stream.hh"
#include "tests/support/test.hh"

using namespace greylag;
using namespace greylag::test;

TEST_CASE("support: a namespace has port 25, port 53 and addresses of its own") {
    if (const std::string why = namespace_forbidden(); !why.empty()) SKIP(why);
    const Network network{{"198.51.100.10", "198.51.100.11", "2001:db8::11"}, {"192.0.2.0/24"}, "198.51.100.10"};
    CHECK(in_namespace(network, [] {
              DnsResponder dns("198.51.100.10", 53);
              const FakeSmtp server({FakeSmtp::accepting()}, "198.51.100.11", 25);
              const FakeSmtp six({FakeSmtp::accepting()}, "2001:db8::11", 25);
              const FakeSmtp many({FakeSmtp::accepting()}, "192.0.2.77", 25);
              std::string said = must(connect_to("198.51.100.11", 25)).reply() + must(connect_to("2001:db8::11", 25)).reply() +
                                 must(connect_to("192.0.2.77", 25)).reply();
              if (said != "220 fake.example ESMTP\r\n220 fake.example ESMTP\r\n220 fake.example ESMTP\r\n") return said;
              return read_whole("/etc/resolv.conf").value_or("").starts_with("nameserver 198.51.100.10\n")
                         ? ""
                         : std::string("resolv.conf");
          }) == "");
}

TEST_CASE("support: what goes wrong in a namespace is told outside") {
    if (const std::string why = namespace_forbidden(); !why.empty()) SKIP(why);
    CHECK(in_namespace({}, [] { return std::string("as returned"); }) == "as returned");
    CHECK(in_namespace({}, []() -> std::string { throw std::runtime_error("thrown"); }) == "thrown");
    CHECK(in_namespace({}, []() -> std::string { _exit(7); }) == "in the namespace: left early with status 7");
    CHECK(in_namespace({}, []() -> std::string {
              ::raise(SIGKILL);
              return {};
          }) == "in the namespace: died of signal 9");
    CHECK(in_namespace(
              {},
              []() -> std::string {
                  for (;;) ::pause();
              },
              sys::Deadline::in(base::Millis(500)))
              .starts_with("in the namespace: "));
    // Nothing leads out.
    CHECK(in_namespace({}, [] { return std::string(connect_to("192.0.2.1", 25) ? "connected" : ""); }) == "");
}
