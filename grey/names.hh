// What a record is called: the file tree is the database, and its names must be harmless whatever a stranger says.
#pragma once
#include <optional>
#include <string>

#include "mail/ip.hh"
#include "mail/path.hh"

namespace greylag::grey {

// Bits that make one caller: hosts that send from a pool of addresses retry from the same network.
struct Grouping {
    unsigned net4 = 24;
    unsigned net6 = 64;
};
mail::Cidr network_of(const mail::IpAddress& caller, const Grouping& grouping);

struct RecordName {
    std::string local;      // our own address, "unknown" when there is none
    std::string remote;     // the caller's network address, without its bits
    std::string recipient;  // base::file_name of the address in lower case; a long one is cut and its BLAKE2b added
};
RecordName record_name(const std::optional<mail::IpAddress>& local, const mail::Cidr& caller, const mail::Path& recipient);

// One component of a path. Up to 200 bytes the encoded text itself; beyond, its first 120, "~" (which no encoded text holds)
// and the 64 hexadecimal digits of the digest. The digest has no key: 256 bits cannot be steered to meet another's.
std::string recipient_name(std::string_view address);

}  // namespace greylag::grey
