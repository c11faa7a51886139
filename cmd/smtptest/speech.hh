// What a line of the client's side means, when a person types it, a pipe brings it or a file holds it. Pure: the state of the
// dialogue is known by the lines and by the codes of the replies.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace greylag::smtptest {

struct Deed {
    enum class What : std::uint8_t {
        command,   // send `text`; replies follow
        starttls,  // send it; after 220 the handshake
        auth,      // an exchange of ours; `words` are mechanism, user and password, as far as they were given
        body,      // a line of the message: send it as it is
        last,      // the dot; replies follow
        chunk,     // BDAT: send `text`, then `octets` octets of the input as they are; replies follow
        skip,      // part of a message that the server did not want: not sent
        tell,      // a word of our own: show `text`
        nothing
    };
    What what = What::nothing;
    std::string text;
    std::vector<std::string> words;
    std::size_t octets = 0;
    unsigned replies = 1;  // LMTP: one for each recipient after the dot and after BDAT LAST
};

class Speech {
public:
    // `lmtp`: see Deed::replies. `skips`: a body after a refused DATA is not sent as commands; else a line is a line.
    Speech(bool lmtp, bool skips) : lmtp_(lmtp), skips_(skips) {}

    Deed line(std::string_view line);
    // The last reply to what line() said; 0: none came.
    void replied(int code);
    // The input is at its end: a message that was begun is ended first.
    Deed end();
    bool in_body() const { return state_ == State::body; }

private:
    enum class State : std::uint8_t { commands, body, skipping };
    enum class Asked : std::uint8_t { other, mail, rcpt, data, last };
    Deed command(std::string_view line);
    Deed last();
    Deed word(std::string_view line);

    bool lmtp_, skips_;
    State state_ = State::commands;
    Asked asked_ = Asked::other;
    unsigned recipients_ = 0;
};

// The text of a PROXY header (version 1, or 2 for "local") as -H asks for it: an address of the client, "unknown" or "local". Our
// ends of the connection are filled in where the address is one. Empty: it is none of these.
std::string proxy_header(std::string_view client, std::string_view local, std::string_view remote);

}  // namespace greylag::smtptest
