// What the command line asks for. Pure: no file is opened, nobody is asked.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "base/options.hh"
#include "client/smtp_client.hh"

namespace greylag::submitter {

struct Order {
    smtp_client::Options options;     // without password, policy and trace
    std::vector<std::string> policy;  // a command to be asked; empty: `insecure` says it
    bool insecure = false;
    std::string password_file;
    bool debug = false, json = false, text = false;
};

// The error (Kind::usage) names the fault.
Result<Order> make_order(const base::CommandLine& line);

// The words Tcl knows: 0 false no off, 1 true yes on, in any case of letters.
Result<bool> read_boolean(std::string_view option, std::string_view word);

// A body as a message: an empty header but for what says how the body is to be read.
std::string text_message(std::string_view body);

}  // namespace greylag::submitter
