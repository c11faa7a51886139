// A real authoritative name server with zones of the test's own: nsd or knot where they are installed, else the tests' own
// responder, which answers the same records.
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sys/child.hh"
#include "tests/support/dns_responder.hh"
#include "tests/support/scratch.hh"

namespace greylag::test {

// Names without the final dot. `data` is "10 mx.example" for MX, a name for CNAME and PTR, an address for A and AAAA. The owner
// of a PTR is the address.
struct ZoneRecord {
    std::string owner, type, data;
};
void add(DnsResponder& to, const ZoneRecord& record);

class NameServer {
public:
    enum class Kind { nsd, knot, responder };
    static std::vector<Kind> here();  // the responder is always here, and last
    static const char* name(Kind kind);

    // Answers at `address`, port 53, when it is constructed; a record outside of all zones throws.
    NameServer(Kind kind, const std::string& address, const std::vector<std::string>& zones,
               const std::vector<ZoneRecord>& records);

private:
    void start(Kind kind, const std::string& address, const std::vector<std::string>& zones);

    Scratch scratch_;
    std::unique_ptr<DnsResponder> responder_;
    std::optional<sys::Child> child_;
};

}  // namespace greylag::test
