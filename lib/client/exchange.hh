// One connection: a ClientSession and the bytes that belong to it. Every group of commands is one write, a small message with
// it; a large message passes in blocks, so memory stays flat.
#pragma once
#include <memory>
#include <string>
#include <string_view>

#include "base/time.hh"
#include "client/authenticate.hh"
#include "client/wire.hh"
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

// Where a dialogue is shown, line by line without its end; the body is counted, not shown, what AUTH says is masked.
struct Trace {
    void (*show)(bool ours, std::string_view line) = nullptr;
    void (*note)(std::string_view sentence) = nullptr;  // what the caller asked for and did not get
};

// Who can make TLS of a connection: a program that has none of it has nobody.
class Security {
public:
    virtual ~Security() = default;
    // The handshake; `host` is the name that was dialled, or the address. Neither closes the descriptor.
    virtual Result<std::unique_ptr<Wire>> secure(int fd, const std::string& host, sys::Deadline deadline) const = 0;
    using Digest = std::string(std::string_view key, std::string_view text);
    virtual Digest* hmac_md5() const = 0;  // for CRAM-MD5
};

// A message: CRLF lines, no dot stuffed. In memory, or from offset 0 of a seekable descriptor.
struct Content {
    std::string_view text;
    int fd = -1;  // -1: all of it is in text
};

struct Link {
    int fd = -1;
    std::string host;                     // as it was dialled
    const Security* security = nullptr;   // nullptr: TLS cannot be had
    Authenticator::Facts authentication;  // where the session is to authenticate; bindings are filled in
};

// Runs the session to its end. What cannot be read of the message ends the session before the final dot.
void exchange(smtp::ClientSession& session, Link link, const Content& message, const Timing& timing, const Trace& trace);

}  // namespace greylag::client
