#include "sys/random.hh"

#include <sys/random.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "base/hex.hh"
#include "sys/clock.hh"
#include "sys/durable.hh"

namespace greylag::sys {

namespace {

// getentropy(3) fails only on a kernel without it; then the moment and the process still differ from every other's.
std::array<char, 32> octets() {
    std::array<char, 32> room{};
    if (::getentropy(room.data(), room.size()) == 0) return room;
    const Stamp now = stamp();
    std::uint64_t state = static_cast<std::uint64_t>(now.seconds) * 1'000'003 + now.micros * 7919u +
                          static_cast<std::uint64_t>(now.process) * 104'729 + now.count;
    for (char& c : room) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        c = static_cast<char>(state >> 56);
    }
    return room;
}

}  // namespace

std::uint64_t random_number() {
    const auto room = octets();
    std::uint64_t number = 0;
    std::memcpy(&number, room.data(), sizeof number);
    return number;
}

std::string random_hex(std::size_t count) {
    const auto room = octets();
    std::string out;
    for (std::size_t i = 0; i < std::min(count, room.size()); ++i) base::append_hex(out, room[i], "0123456789abcdef");
    return out;
}

}  // namespace greylag::sys
