// A command line of smtptest understood. Pure: nothing is opened and nobody asked.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/options.hh"
#include "client/smtp_client.hh"

namespace greylag::smtptest {

struct Order {
    bool lmtp = false;
    smtp_client::Endpoint to;
    smtp_client::DialOptions dial;
    std::string hello;  // empty: the host's name, or our address
    std::string proxy;  // -H; empty: no header

    enum class Tls : std::uint8_t { none, starttls, implicit };
    Tls tls = Tls::none;
    smtp_client::TlsOptions tls_options;

    enum class Auth : std::uint8_t { none, offered, demanded };  // offered: where the server has it; a failure to have it is none
    Auth auth = Auth::offered;
    std::string mechanism;             // upper case; empty: the strongest
    std::vector<std::string> allowed;  // of these only; empty: any
    std::string user, authorization, realm;
    std::optional<std::string> password;
    std::string password_file;
    unsigned least_bits = 0;
    bool challenge = false, initial_response = true;

    unsigned rounds = 1;
    std::string file, script, socket, pid_file;
    bool background = false;
    bool verbose = false, time = false, json = false;
    std::vector<std::string> notes;  // for standard error, a line each
};

// `program` is argv[0], `login` our login name. The error is of Kind::usage.
Result<Order> make_order(const base::CommandLine& given, std::string_view program, const std::string& login);

}  // namespace greylag::smtptest
