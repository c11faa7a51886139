// A mailer that does as it is told and writes down what it was given. The program is a script whose interpreter is the test
// program itself (main.cc calls fake_mailer_main): its environment is exactly what the server gave.
//
// What it does, a line each, in this order whatever the order of the lines:
//
//   deaf           does not read its standard input
//   out TEXT       a line on standard output      (\r \n \t \\ \xNN are taken as such)
//   err TEXT       a line on standard error
//   chatter N      N octets on standard output and N on standard error
//   linger         leaves a child behind that holds its descriptors open for a minute
//   hang           never ends by itself
//   signal N       ends by that signal
//   exit N         ends with that status; 0 is the default
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/must.hh"
#include "tests/support/scratch.hh"

namespace greylag::test {

struct MailerRun {
    std::vector<std::string> arguments;    // argv[1...]
    std::vector<std::string> environment;  // NAME=value, in the order given
    std::string message;                   // standard input from where it stood to its end
    bool seekable = false;                 // and:
    std::int64_t offset = -1;              // where it stood at the start
    bool writable = false;                 // the message could be changed through fd 0
    bool own_group = false;                // it leads its process group
    std::string open;                      // descriptors open at the start: "0 1 2"

    std::optional<std::string> variable(std::string_view name) const;
};

class FakeMailer {
public:
    FakeMailer(const Scratch& scratch, std::string_view does, std::string_view name = "fake-mailer");

    const std::string& path() const { return path_; }
    void now(std::string_view does);  // what the next runs do

    // The runs whose record is complete (a mailer that will hang or die writes its record first), in order.
    std::vector<MailerRun> runs() const;
    bool wait_for(std::size_t runs, sys::Deadline deadline = soon()) const;

private:
    std::string name_;
    std::string path_;
    const Scratch& scratch_;
};

// The other side: argv is {program, "--fake-mailer", script, arguments...}.
int fake_mailer_main(int argc, char** argv);

}  // namespace greylag::test
