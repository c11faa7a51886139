// One connection: a ClientSession and the bytes that belong to it. Every group of commands is one write, a small message with
// it; a large message passes in blocks, so memory stays flat.
#pragma once
#include <string_view>

#include "base/time.hh"
#include "smtp/client.hh"
#include "sys/clock.hh"

namespace greylag::client {

// How long the server may take (RFC 5321 4.5.3.2); `whole` bounds all of it.
struct Timing {
    base::Millis greeting{300'000}, hello{300'000}, tls{60'000}, mail{300'000}, rcpt{300'000}, data{120'000}, block{180'000},
        final{600'000}, quit{5'000};
    sys::Deadline whole = sys::Deadline::never();
    static Timing hasty();  // -p: ten seconds a step, thirty in all
};

// Where a dialogue is shown, line by line without its end; the body is counted, not shown.
struct Trace {
    void (*show)(bool ours, std::string_view line) = nullptr;
};

// Runs the session to its end. `message` is a seekable descriptor with the message from offset 0, CRLF lines, no dot stuffed.
// What cannot be read of it ends the session before the final dot.
void exchange(smtp::ClientSession& session, int connection, int message, const Timing& timing, const Trace& trace);

}  // namespace greylag::client
