// A connection of smtp-source or smtp-sink: a socket that does not block, and perhaps TLS around it. Says what came and takes
// what it can; whoever has the loop waits.
#pragma once
#include <memory>
#include <span>
#include <string_view>

#include "sys/fd.hh"
#include "sys/lend.hh"
#include "tls/engine.hh"

namespace greylag::cmd {

class LoadWire {
public:
    sys::Fd fd;

    enum class Got { nothing, octets, end };
    // One read. Octets of the wire stand in `room`; those for the reader are handed to `heard`, under TLS in pieces of `plain`.
    template <class Heard>
    Result<Got> receive(std::span<char> room, std::span<char> plain, Heard heard);

    // How many of the octets were taken. Under TLS what was taken need not be on the wire yet: pending() says so, and a call
    // without pieces goes on with it.
    Result<std::size_t> send(std::span<const std::string_view> pieces, sys::Lender* lender = nullptr);
    bool pending() const { return tls_ && !tls_->to_wire().empty(); }

    Result<void> start_tls(tls::Engine engine);
    tls::Engine* tls() const { return tls_.get(); }
    bool secure() const { return tls_ && tls_->ready(); }

    // Says close_notify where it can without waiting; end() leaves the descriptor, close() closes it.
    void end();
    void close();

private:
    Result<Got> read_wire(std::span<char> room, std::string_view& octets);
    Result<void> drain();

    std::unique_ptr<tls::Engine> tls_;
};

template <class Heard>
Result<LoadWire::Got> LoadWire::receive(std::span<char> room, std::span<char> plain, Heard heard) {
    std::string_view octets;
    const Got got = TRY(read_wire(room, octets));
    if (got != Got::octets) return got;
    if (!tls_) {
        heard(octets);
        return got;
    }
    TRY(tls_->take(octets));
    while (tls_ && tls_->ready()) {
        const std::size_t size = TRY(tls_->read(plain));
        if (size == 0) break;
        heard(std::string_view(plain.data(), size));
    }
    return tls_ && tls_->ended() ? Got::end : Got::octets;
}

}  // namespace greylag::cmd
