// The connection of one session: in clear, then perhaps under TLS, here or with the sibling. It moves octets and knows nothing
// of SMTP. The end of either direction is final.
#pragma once
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "cmd/smtpd/crypto.hh"
#include "cmd/smtpd/session.hh"

namespace greylag::smtpd {

class Wire {
public:
    // `peer` is what the log calls the client. What `place` refers to must outlive this.
    Wire(const Place& place, const Connection& connection, std::string peer, Crypto* crypto);

    Result<std::size_t> receive(std::span<char> room, sys::Deadline deadline);
    Result<void> send(std::string_view bytes, sys::Deadline deadline);
    // Octets, or the end, are here that the descriptor does not show, or no longer: TLS has opened them.
    bool opened();
    void close();

    int in() const { return in_; }
    const Channel* channel() const { return channel_.get(); }  // nullptr: in clear

    bool has_crypto() const { return crypto_ != nullptr; }
    // A certificate is there, this moment's or an older one.
    bool can_encrypt();
    // The handshake, until the deadline at most; whatever comes of it is in the log.
    bool encrypt(sys::Deadline deadline);
    // The sibling takes the session over and this process waits for its end, or it cannot: false, said in the log.
    bool hand_over(const Begun& begun, sys::Deadline session);

private:
    void note(std::string_view reason, const Error& error);

    const Place& place_;
    int in_, out_;
    std::string peer_;
    Crypto* crypto_;
    std::unique_ptr<Channel> channel_;
};

}  // namespace greylag::smtpd
