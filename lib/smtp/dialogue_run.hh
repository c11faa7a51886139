// Runs a dialogue (smtp/dialogue.hh) over an abstract channel. Pure: who moves the octets, and how long they are waited for, is
// the channel's affair.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hh"
#include "smtp/dialogue.hh"

namespace greylag::smtp::dialogue {

class Channel {
public:
    virtual ~Channel() = default;
    // A server that has closed already is no error here: the next step that looks at it sees that.
    virtual Result<void> send(std::string_view octets) = 0;
    virtual Result<void> cut() = 0;                 // what is sent before and after shares no segment
    virtual Result<std::string> read_reply() = 0;   // as it came, line ends included
    virtual Result<bool> speaks_or_closes() = 0;    // false: silence up to the deadline
    virtual Result<std::string> read_to_end() = 0;  // what came before the server closed
    virtual Result<void> half_close() = 0;
    virtual Result<void> start_tls() = 0;
    // One whole exchange but for its last reply: read_reply() gives that.
    virtual Result<void> authenticate(const std::vector<std::string>& words) = 0;
};

// All steps in their order; the first mismatch, if there is one.
std::optional<Fault> run(const Script& script, Channel& channel);

// A file may hold several dialogues: a line "=== TITLE" begins a connection of its own. What stands before the first one comes
// before the steps of each. Without such a line the whole is one, without a title.
struct Section {
    std::string title;
    std::string text;  // to be parsed; every line at its number in the file
};
std::vector<Section> sections(std::string_view text);

}  // namespace greylag::smtp::dialogue
