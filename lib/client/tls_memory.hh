// What makes the handshakes of a Connection, and what is kept between them. Not installed.
#pragma once
#include <functional>
#include <memory>
#include <string>

#include "base/result.hh"
#include "client/smtp_client.hh"
#include "client/wire.hh"
#include "sys/clock.hh"
#include "tls/client.hh"

namespace greylag::smtp_client {

struct Handshake {
    std::unique_ptr<client::Wire> wire;
    TlsReport report;
};

struct TlsMemory {
    // TLS over `fd`, which outlives the wire, with the server of this name. Where there is none, the context makes it.
    std::function<greylag::Result<Handshake>(int fd, const std::string& name, const TlsOptions& options, sys::Deadline deadline)>
        shake;
    std::unique_ptr<tls::ClientContext> context;
};

}  // namespace greylag::smtp_client
