// The header of a message, read and never rewritten (RFC 5322 2.2). Linear in its input, lines end in LF or CRLF.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace greylag::mail {

struct HeaderField {
    std::string_view name;   // "Received", as written
    std::string_view value;  // behind the colon, folds and all, without the last line end
    std::string_view whole;  // the field with its line end, byte for byte
};

struct Header {
    std::vector<HeaderField> fields;  // point into the message
    std::size_t end = 0;              // offset of the blank line's end, or where the header stopped being one
};

// The fields of `message` until the blank line, the first line that is no field (the body begins there), or its end.
Header parse_header(std::string_view message);

// The value with folds undone (each CRLF or LF before a blank removed) and trimmed.
std::string unfold(std::string_view value);

// The addr-spec texts of an address field (From, To ...), in order: display names, comments and groups left out. What
// cannot be read is left out, too.
std::vector<std::string> addresses(std::string_view value);

// The same for whoever must not lose one in silence: `unread` counts what holds something and is no address, and a '>' too many.
struct AddressList {
    std::vector<std::string> found;
    unsigned unread = 0;
};
AddressList address_list(std::string_view value);

// Counts header fields of a name while the message streams by in any pieces: for Received (loops).
class FieldCounter {
public:
    explicit FieldCounter(std::string_view name);
    void feed(std::string_view bytes);  // LF or CRLF line ends; stops for good at the blank line
    unsigned count() const { return count_; }
    std::uint64_t octets() const { return octets_; }  // up to the blank line, with it
    bool in_header() const { return in_header_; }

private:
    enum class At : std::uint8_t { line_start, carriage_return, name, colon, rest };
    void step(char c);
    std::string name_;  // lower case
    At at_ = At::line_start;
    std::size_t matched_ = 0;  // characters of the name seen
    unsigned count_ = 0;
    std::uint64_t octets_ = 0;
    bool in_header_ = true;
};

}  // namespace greylag::mail
