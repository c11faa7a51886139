// The octets of a connection, whoever carries them: what a dialogue is spoken over before TLS, under it, and without it. As
// sys::read_some and sys::write_all; the end of either direction is final.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/result.hh"
#include "sasl/mechanism.hh"
#include "sys/io.hh"
#include "sys/send_file.hh"
#include "tls/client.hh"

namespace greylag::client {

class Wire {
public:
    virtual ~Wire() = default;
    virtual Result<std::size_t> read_some(std::span<char> room, sys::Deadline deadline) = 0;  // 0: the end
    virtual Result<void> write_all(std::string_view bytes, sys::Deadline deadline) = 0;
    // How many of the `count` octets at `offset` of `file` went out as they are, unseen; 0: they have to be written.
    virtual std::uint64_t send_file(int /*file*/, std::uint64_t /*offset*/, std::uint64_t /*count*/, sys::Deadline) { return 0; }
    // Octets, or the end, are here already, and poll(2) on the descriptor would not see them.
    virtual bool pending() = 0;
    // Octets, or the end, are here or come until the deadline. Under TLS what poll(2) sees may be neither: a ticket.
    virtual bool readable(sys::Deadline deadline) = 0;
    virtual void close(sys::Deadline deadline) = 0;  // says so where there are words for it; the descriptor stays open
    virtual int bits() const = 0;                    // of the key of the TLS session's cipher; 0: no TLS
    virtual sasl::Bindings bindings() const = 0;     // of the session, for SCRAM
    virtual std::string description() const = 0;     // of it, for people; empty: none
};

// A descriptor as it is. It stays the caller's and outlives this.
class PlainWire final : public Wire {
public:
    explicit PlainWire(int fd) : fd_(fd) {}
    Result<std::size_t> read_some(std::span<char> room, sys::Deadline deadline) override {
        return sys::read_some(fd_, room, deadline);
    }
    Result<void> write_all(std::string_view bytes, sys::Deadline deadline) override {
        return sys::write_all(fd_, bytes, deadline);
    }
    std::uint64_t send_file(int file, std::uint64_t offset, std::uint64_t count, sys::Deadline deadline) override {
        return sys::send_file(fd_, file, offset, count, deadline);
    }
    bool pending() override { return false; }
    bool readable(sys::Deadline deadline) override { return sys::readable(fd_, deadline).value_or(true); }
    void close(sys::Deadline) override {}
    int bits() const override { return 0; }
    sasl::Bindings bindings() const override { return {}; }
    std::string description() const override { return {}; }

private:
    int fd_;
};

// A TLS session. Defined here, so that a program that makes none is linked without OpenSSL.
class TlsWire final : public Wire {
public:
    explicit TlsWire(tls::Stream stream) : stream_(std::move(stream)) {}
    Result<std::size_t> read_some(std::span<char> room, sys::Deadline deadline) override {
        return stream_.read_some(room, deadline);
    }
    Result<void> write_all(std::string_view bytes, sys::Deadline deadline) override { return stream_.write_all(bytes, deadline); }
    bool pending() override { return stream_.pending(); }
    bool readable(sys::Deadline deadline) override { return stream_.readable(deadline); }
    void close(sys::Deadline deadline) override { stream_.close(deadline); }
    int bits() const override { return stream_.bits(); }
    sasl::Bindings bindings() const override { return {stream_.exporter(), stream_.server_end_point()}; }
    std::string description() const override { return stream_.description(); }

private:
    tls::Stream stream_;
};

}  // namespace greylag::client
