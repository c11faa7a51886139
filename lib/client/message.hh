// A message from a user or a mailer made fit for the wire, while it streams by (RFC 5322, RFC 6409 8, and upas' conversion):
//
//   a first line "From sender date" is taken off; Message-ID, From, To and Date are supplied where they are missing; Bcc and
//   Resent-Bcc are left out; addresses without a host get one; lines end in CRLF, whatever ended them (a bare CR, too).
//
// Nothing else changes. Pure: time, names and identity come in as values; memory is the header's size.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hh"
#include "base/time.hh"
#include "mail/path.hh"
#include "smtp/client.hh"

namespace greylag::client {

struct Conversion {
    std::string host;       // qualifies addresses; the right side of Message-ID
    std::string suffix;     // ".example.org" for hosts without a dot; or empty
    std::string full_name;  // of a sender on this host, for From; or empty
    std::string unique;     // the left side of Message-ID
    base::WallTime now;
    mail::Path sender = mail::Path::null();
    std::vector<mail::Path> recipients;  // empty: no To is supplied
};

class MessageConverter {
public:
    static constexpr std::size_t header_limit = 4 << 20;

    explicit MessageConverter(Conversion how) : how_(std::move(how)) {}

    // Appends what is ready to `out`, CRLF lines, no dot stuffed. The error: a header over header_limit.
    Result<void> feed(std::string_view bytes, std::string& out);
    Result<void> finish(std::string& out);  // completes the last line, and the header where there was no body

    const smtp::ClientFacts::Message& traits() const { return traits_; }  // of everything that was put out

private:
    enum class At : std::uint8_t { start, header, body };
    void take_run(std::string_view& bytes, std::string& out);
    void lines(std::string_view text, std::string& out);
    void piece(std::string_view text, std::string& out);
    void end_line(std::string& out);
    void header_line(std::string& out);
    void end_header(std::string& out);
    std::string supplied(std::string_view header) const;
    std::string from_field() const;
    std::string to_field() const;
    void emit(std::string_view crlf_lines, std::string& out);

    Conversion how_;
    smtp::ClientFacts::Message traits_{.dots = false};
    At at_ = At::start;
    bool cr_ = false;         // the last octet ended a line as CR: an LF that follows belongs to it
    std::string line_;        // an incomplete line of the header
    std::string header_;      // complete fields
    std::size_t octets_ = 0;  // of the line of the body in hand
    std::optional<base::WallTime> from_line_date_;
    bool too_long_ = false;
};

// The date of "From sender Sat Nov 21 23:44:04 2026 [remote from x]", a zone before or behind the year included; without one
// it is in the zone of `now`.
std::optional<base::WallTime> from_line_date(std::string_view line, base::WallTime now);

// Lines over 998 octets cut for a server that takes neither 8BITMIME nor BDAT (RFC 5321 4.5.3.1.6): a field at its last blank,
// else with a new fold; the body between two characters. CRLF lines in any pieces.
class LineFolder {
public:
    static constexpr std::size_t limit = 998;
    void feed(std::string_view bytes, std::string& out);
    void finish(std::string& out);

private:
    void cut(std::string& out);
    std::string line_;
    bool in_header_ = true, continued_ = false;
};

}  // namespace greylag::client
