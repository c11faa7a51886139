// The dialogue of one connection in a file of its own (-d): both directions, each line stamped with the seconds since its start.
// What a client says to authenticate itself is never written, however it comes in pieces.
#pragma once
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hh"
#include "base/time.hh"
#include "sys/fd.hh"

namespace greylag::smtpd {

class Debug {
public:
    Debug() = default;  // writes nothing
    // STATE/log/smtpdb/ID, created anew, 0600.
    static Result<Debug> open(const std::string& state, const std::string& id);
    // One that another process has begun, so long ago.
    Debug(sys::Fd fd, base::Millis ago);
    sys::Fd share() const;  // a second descriptor for it; empty when there is none

    enum class Kind : std::uint8_t { command, secret, body };  // secret: an answer to an AUTH challenge
    // Octets as the session takes them.
    void client(std::string_view bytes, Kind kind);
    void server(std::string_view bytes) { write("> ", bytes); }

private:
    void client_line();
    void hide_secrets();
    void write(std::string_view mark, std::string_view bytes);
    std::string line_;  // of the client, without its end
    Kind kind_ = Kind::command;
    bool rest_hidden_ = false;    // of a long line whose beginning was written
    bool authenticates_ = false;  // AUTH was said: what is no command may be a password that came unasked
    sys::Fd fd_;
    std::chrono::steady_clock::time_point start_;
};

}  // namespace greylag::smtpd
