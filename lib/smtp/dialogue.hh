// The dialogue language: a text that says what a client sends and what the server must answer. The same files drive the tests
// (tests/dialog) and `smtptest --script`. Pure: parsing and comparing; who moves the bytes is not known here.
//
// A script is lines; a CR before the line end is dropped. Blank lines and lines whose first non-blank is '#' say nothing.
// Blanks before the first word are ignored; one blank after it is dropped, what follows is taken to the letter.
//
//   c: TEXT        send TEXT and CRLF
//   c- TEXT        send TEXT, no line end
//   c+ TEXT        as c:, and a fault when nothing is sent directly before it: "this belongs to the same group"
//   data <<WORD    send the lines up to the line WORD, each with CRLF, dots stuffed, then the final dot; no escapes
//   raw <<WORD     send the lines up to the line WORD, nothing between or behind them: line ends are written \r\n
//   cut            what is sent before and after does not share a segment
//
// TEXT of c: c- c+ and of raw lines knows \r \n \t \0 \\ and \xNN; any other backslash is a fault. Sending lines that follow each
// other form one write (RFC 2920), whatever their words; any other step ends the group.
//
//   s: CODE        the next reply, with all its lines, has this code
//   s: CODE TEXT   and its first line's text begins with TEXT
//   s~ TEXT        the next reply's first line, as it came ("250-2.0.0 ok"), begins with TEXT
//   s~ ...TEXT     any line of the next reply, as it came, contains TEXT
//   s+ WORD...     the reply just matched has a line whose text after the code is WORD... or begins with it and a blank,
//                  ASCII case ignored: an EHLO keyword with its parameters
//   s! WORD...     it has no such line
//
//   tls            start TLS now (after the server's 220)
//   auth [MECHANISM [USER [PASSWORD]]]    one whole AUTH exchange, its last reply is compared by the next step
//   wait           until the server speaks or closes, whichever is first; silence up to the runner's deadline is a mismatch
//   close          the client will send nothing more (half-close)
//   closed         the server closes, without another octet
//
//   @NAME TEXT     the world around the server; read by the tests, ignored by smtptest
//   @NAME ... <<WORD    the same with a block of lines, kept with LF ends
//
// Every fault of a script is reported, with its line.
#pragma once
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace greylag::smtp::dialogue {

enum class Verb : std::uint8_t { send, cut, reply, reply_begins, reply_contains, has, has_not, tls, auth, wait, close, closed };

struct Step {
    Verb verb = Verb::send;
    unsigned line = 0;               // 1 is the first of the script; of a group its first line
    std::string text;                // send: the octets; reply, begins, contains, has, has_not: what to find
    std::uint16_t code = 0;          // reply
    std::vector<std::string> words;  // auth
};

struct WorldLine {
    unsigned line = 0;
    std::string name;                  // without the '@'
    std::string text;                  // the rest of the line, without the "<<WORD"
    std::optional<std::string> block;  // lines with LF, when one was given
};

struct Script {
    std::vector<Step> steps;
    std::vector<WorldLine> world;
};

struct Fault {
    unsigned line = 0;
    std::string what;  // no line end
};

std::expected<Script, std::vector<Fault>> parse(std::string_view text);

// Compares a step that looks at a reply (reply, reply_begins, reply_contains, has, has_not) with one whole reply as it came,
// line ends included. Nothing when it fits, else a sentence: `expected 250, got "550 5.1.1 no such user"`.
std::optional<std::string> mismatch(const Step& step, std::string_view reply);

// Consumes a reply of its own: reply, reply_begins, reply_contains.
constexpr bool takes_reply(Verb verb) {
    return verb == Verb::reply || verb == Verb::reply_begins || verb == Verb::reply_contains;
}

}  // namespace greylag::smtp::dialogue
