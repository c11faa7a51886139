// A mail server's site in a folder of its own: configuration, state, one user; and what a listener needs to serve it.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sys/child.hh"
#include "tests/support/scratch.hh"
#include "tests/support/stream.hh"

namespace greylag::test {

// A sample of conf/ as it is shipped.
std::string shipped(std::string_view name);
// Every occurrence replaced; throws when there is none: a sample that lost the words a test fills in is no longer tested.
std::string replaced(std::string text, std::string_view what, std::string_view with);
// The first line that begins so; throws when there is none.
std::string line_of(std::string_view text, std::string_view beginning);
std::string our_user();

class Site {
public:
    Site();

    // "--": the real program missing.
    bool built() const { return !smtpd.empty(); }
    std::vector<std::string> environment() const;  // ours, and where the configuration is
    // A port nobody had a moment ago.
    std::uint16_t free_port(const std::string& address = "127.0.0.1") const;
    // Every file in the user's new/, and takes them out; waits for one.
    std::string take_message();

    Scratch scratch;
    std::string smtpd, configuration;
};

// A listener that was started; the whole group goes with it.
struct Listener {
    std::optional<sys::Child> child;
    std::uint16_t port = 0;
    std::string address = "127.0.0.1";
    Stream connect() const;  // as soon as it answers
};
Listener started(const Site& site, const std::string& program, std::vector<std::string> arguments, std::uint16_t port,
                 const std::string& address = "127.0.0.1");

}  // namespace greylag::test
