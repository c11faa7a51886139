// Where the octets of a client lie until they are taken: little for commands, more for a body that comes fast. What was in it may
// have been a password, and does not stay.
#pragma once
#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

#include "base/wipe.hh"

namespace greylag::smtpd {

class Room {
public:
    Room() : octets_(std::make_unique_for_overwrite<char[]>(little)), size_(little) {}
    ~Room() { wipe(size_); }
    Room(const Room&) = delete;
    Room& operator=(const Room&) = delete;

    std::span<char> all() { return {octets_.get(), size_}; }
    // The first `count` octets are the client's now; valid until the room is asked for anything else.
    std::string_view took(std::size_t count) {
        received_ = count;
        return {octets_.get(), count};
    }
    // There may be much more where this came from.
    bool was_filled() const { return received_ == size_; }
    void forget() {
        wipe(received_);
        received_ = 0;
    }
    void enlarge() {
        if (size_ == much) return;
        wipe(size_);
        octets_ = std::make_unique_for_overwrite<char[]>(much);
        size_ = much;
    }

private:
    static constexpr std::size_t little = 4096, much = 256 << 10;
    void wipe(std::size_t count) { base::wipe(octets_.get(), count); }

    std::unique_ptr<char[]> octets_;
    std::size_t size_, received_ = 0;
};

}  // namespace greylag::smtpd
