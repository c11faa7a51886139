// What the command line asks for, as one value. Pure: files and the host's name come in, nothing is opened here.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/options.hh"
#include "base/time.hh"
#include "client/destination.hh"
#include "cmd/smtp-source/sizes.hh"
#include "mail/ip.hh"

namespace greylag::source {

enum class Family : std::uint8_t { any, v4, v6 };
enum class Numbering : std::uint8_t { prefix, suffix };
enum class Tls : std::uint8_t { none, starttls, smtps };

struct Order {
    client::Destination to;
    Family family = Family::any;

    // the seed's
    bool carry_on = false;                   // -A
    bool count = false;                      // -c
    unsigned attempts = 1;                   // -C
    std::uint64_t per_connection = 1;        // -d is without end; --connections-per
    std::string sender, recipient;           // -f -t, without angle brackets
    std::string file;                        // -F
    std::optional<std::uint64_t> length;     // -l
    bool lmtp = false;                       // -L
    std::uint64_t messages = 1;              // -m
    std::string name;                        // -M
    bool number_all = false;                 // -N
    bool old_mode = false;                   // -o
    unsigned recipients = 1;                 // -r
    base::Millis random_pause{0}, pause{0};  // -R -w
    unsigned sessions = 1;                   // -s
    std::string subject;                     // -S
    int window = 0;                          // -T
    bool verbose = false;                    // -v

    // ours
    Numbering numbering = Numbering::prefix;
    bool ehlo = false, pipelining = false, bdat = false;
    Tls tls = Tls::none;
    std::string ca;
    std::string user, password_file;
    bool password_in_clear = false;
    double rate = 0;           // messages a second; 0: as fast as it goes
    base::Millis duration{0};  // 0: until all are sent
    std::optional<SizeModel> size;
    std::string template_file;
    std::vector<mail::IpAddress> sources;
    unsigned threads = 0;  // 0: one a core
    base::Millis timeout{300'000};
    bool json = false;
    std::string csv;

    std::string server() const;  // as it was named: what a certificate must bear
};

// `host_name` is what -M replaces. Errors are Kind::usage.
Result<Order> make_order(const base::CommandLine& line, const std::string& host_name);

}  // namespace greylag::source
