// Octets nobody can guess, from the kernel: for names and for order. Keys and passwords are the affair of the room secret.
#pragma once
#include <cstdint>
#include <string>

namespace greylag::sys {

std::uint64_t random_number();
std::string random_hex(std::size_t octets);  // two digits each, 32 octets at most

}  // namespace greylag::sys
