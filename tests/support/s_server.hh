// openssl s_server as a peer: it sends each line back, its characters reversed.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "sys/child.hh"
#include "tests/support/scratch.hh"
#include "tests/support/spawn.hh"

namespace greylag::test {

class OpensslServer {
public:
    // `identity` is a PEM text, `more` are further options. Throws where it does not start.
    explicit OpensslServer(const std::string& identity, std::vector<std::string> more = {});
    static bool installed() { return !find_program("openssl").empty(); }
    std::uint16_t port() const { return port_; }

private:
    Scratch scratch_;
    std::vector<sys::Child> child_;  // one
    sys::Fd said_;                   // kept open: it goes on talking
    std::uint16_t port_ = 0;
};

}  // namespace greylag::test
