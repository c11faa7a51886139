#include "cmd/load_wire.hh"

#include <algorithm>

#include "sys/io.hh"

namespace greylag::cmd {

namespace {
// Encrypted ahead of what the kernel takes.
constexpr std::size_t most_ahead = 256 << 10;
}  // namespace

Result<LoadWire::Got> LoadWire::read_wire(std::span<char> room, std::string_view& octets) {
    const auto count = TRY(sys::read_now(fd.get(), room));
    if (!count) return Got::nothing;
    if (*count == 0) return Got::end;
    octets = {room.data(), *count};
    return Got::octets;
}

Result<void> LoadWire::drain() {
    for (std::string_view rest = tls_->to_wire(); !rest.empty(); rest = tls_->to_wire()) {
        const std::size_t count = TRY(sys::write_now(fd.get(), {&rest, 1}));
        if (count == 0) break;
        tls_->sent(count);
    }
    return {};
}

Result<std::size_t> LoadWire::send(std::span<const std::string_view> pieces, sys::Lender* lender) {
    if (!tls_) return lender != nullptr ? lender->write_now(fd.get(), pieces) : sys::write_now(fd.get(), pieces);
    TRY(drain());
    std::size_t taken = 0;
    for (std::string_view piece : pieces) {
        if (!tls_->ready()) break;
        const std::size_t ahead = tls_->to_wire().size();
        const std::size_t size = std::min(piece.size(), most_ahead - std::min(ahead, most_ahead));
        if (size != 0) TRY(tls_->write(piece.substr(0, size)));
        taken += size;
        if (size != piece.size()) break;
    }
    TRY(drain());
    return taken;
}

Result<void> LoadWire::start_tls(tls::Engine engine) {
    tls_ = std::make_unique<tls::Engine>(std::move(engine));
    TRY(tls_->begin());
    return drain();
}

void LoadWire::end() {
    if (secure()) {
        tls_->close();
        static_cast<void>(drain());
    }
    tls_.reset();
}

void LoadWire::close() {
    end();
    fd.reset();
}

}  // namespace greylag::cmd
