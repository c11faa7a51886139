// The dialogue of one connection in a file of its own (-d): both directions, each line stamped with the seconds since its start.
#pragma once
#include <chrono>
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

    void client(std::string_view bytes) { write("< ", bytes); }
    void server(std::string_view bytes) { write("> ", bytes); }

private:
    void write(std::string_view mark, std::string_view bytes);
    sys::Fd fd_;
    std::chrono::steady_clock::time_point start_;
};

}  // namespace greylag::smtpd
