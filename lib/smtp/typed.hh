// Follows a dialogue that somebody types or pipes in, by the octets of both sides: when the connection must change under it, and
// when the next line has to wait for the server's word. Judges nothing; what is no SMTP passes by unseen.
//
// A line waits for the greeting (RFC 5321 4.3.1), behind STARTTLS (RFC 3207 4.2: it would be read as a handshake) and behind DATA
// (RFC 2920 3.1).
#pragma once
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

namespace greylag::smtp {

class Typed {
public:
    explicit Typed(bool greeted = false) : greeted_(greeted) {}

    // A whole line of ours without its end, just sent.
    void ours(std::string_view line);
    // Octets of the server's. Takes them up to the end of the reply that answers STARTTLS with 220, else all: how many.
    std::size_t theirs(std::string_view octets);

    // The server is ready for TLS: what comes next is a handshake. True once.
    bool tls_now();
    bool in_body() const { return in_body_; }  // lines are a message, up to the dot
    bool waits_for_tls() const { return !asked_.empty() && asked_.back() == Asked::tls; }
    bool waits() const { return !greeted_ || waits_for_tls() || (!asked_.empty() && asked_.back() == Asked::data); }
    unsigned unanswered() const { return static_cast<unsigned>(asked_.size()); }
    int last_code() const { return last_code_; }      // of the last whole reply; 0 before any
    bool mid_line() const { return !line_.empty(); }  // the server has begun a line

private:
    enum class Asked : std::uint8_t { plain, data, tls };
    void reply(int code);

    std::deque<Asked> asked_;
    std::string line_;  // the first octets of the server's line
    int last_code_ = 0;
    bool greeted_, in_body_ = false, tls_ = false;
};

}  // namespace greylag::smtp
