// What each message says, and to whom. Pure: made once from the order and the bytes of its files; then, message by message,
// octets for the wire (CRLF; dots stuffed unless they go by BDAT) without asking for memory.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "cmd/smtp-source/order.hh"

namespace greylag::source {

// The recipient's address with its number, as -N and -r ask for. `message` and `index` count from 0.
//   prefix  -N: 1foo@x, 2foo@x ... through all messages; -r 3 alone: 3foo@x, 2foo@x, foo@x in each (the seed's)
//   suffix  both: foo0@x, foo1@x ... through all messages (Postfix since September 2023)
void append_recipient(std::string& out, const Order& order, std::uint64_t message, unsigned index);

struct Files {
    std::string message;   // of -F
    std::string form;      // of --template
    std::string date;      // RFC 5322, of now
    std::string identity;  // the left part of message identifiers begins with it: another for each run
};

// One message as it travels, in this order. The views live until the next message of the same Buffer.
struct Octets {
    std::string_view body, rest, end;  // behind the header in Buffer::head; `end` completes the last line
};
struct Buffer {
    std::string head;  // appended to
    std::string plain, filled;
};

class Content {
public:
    // The error (Kind::usage) names a word of the template that is none.
    static Result<Content> make(const Order& order, Files files);

    // Appends the header to `buffer.head`. Its size and those of the views are the message's.
    Octets write(std::uint64_t message, unsigned session, Dice& dice, Buffer& buffer) const;
    // What stays as it is for as long as this lives: most of `body` is a piece of it.
    std::string_view lasting() const { return generated_ ? lines_ : fixed_; }

private:
    enum class Word : std::uint8_t { text, number, session, from, to, date, id, random, payload };
    struct Part {
        Word word = Word::text;
        std::string text;
    };

    explicit Content(const Order& order) : order_(order) {}
    Result<void> read_form(std::string_view form);
    void fill(const Part& part, std::uint64_t message, unsigned session, Dice& dice, std::string& out) const;
    void header(std::uint64_t message, unsigned session, std::string& out) const;
    void id(std::uint64_t message, unsigned session, std::string& out) const;
    Octets payload(std::uint64_t size) const;

    Order order_;
    std::string date_, identity_;
    std::string front_, back_;  // of the generated header, around the identifier's numbers
    std::string lines_, line_;  // the payload's: full ones, and what the rest is made of
    std::string fixed_;         // a file's or the old text, encoded
    bool generated_ = false;    // a payload, not fixed_
    std::vector<Part> form_;
};

// Any line end to CRLF, the last one supplied; dots as they are.
std::string with_crlf(std::string_view text);

}  // namespace greylag::source
