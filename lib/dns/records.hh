// What comes out of an answer packet. Pure: octets in, records out; every octet is the enemy's.
//
// Names are in presentation form without the final dot, as the packet spells them; an octet that is no printable ASCII stands
// as \DDD. They are not yet known to be host names: who needs one asks mail::Domain::parse.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hh"
#include "mail/ip.hh"

namespace greylag::dns {

struct Mx {
    std::uint16_t preference = 0;
    std::string host;  // empty: the root, null MX
    bool operator==(const Mx&) const = default;
};
struct Name {  // of PTR
    std::string text;
    bool operator==(const Name&) const = default;
};
struct Text {  // of TXT: the strings of one record joined without anything between them
    std::string text;
    bool operator==(const Text&) const = default;
};
struct Tlsa {
    std::uint8_t usage = 0, selector = 0, matching = 0;
    std::string data;  // octets
    bool operator==(const Tlsa&) const = default;
};

enum class Found : std::uint8_t {
    records,
    no_data,  // the name exists, without such a record
    no_name,  // NXDOMAIN
};

template <class Record>
struct Answer {
    Found found = Found::no_data;
    std::vector<Record> records{};  // not empty exactly with Found::records; in the packet's order
    bool authentic = false;         // AD, from a name server that is believed; holds for no_data and no_name, too
    std::string name{};             // the owner of the records: what was asked for, or where its CNAMEs ended
};

// RFC 7505: this domain takes no mail.
bool is_null_mx(const Answer<Mx>& answer);

// "1.2.0.192.in-addr.arpa", "...ip6.arpa" (RFC 1035 3.5, RFC 3596 2.5).
std::string reverse_name(const mail::IpAddress& address);

enum class Type : std::uint16_t { a = 1, ptr = 12, mx = 15, txt = 16, aaaa = 28, tlsa = 52 };

// The packet that asks a recursive server for `name` ("." is the root) with AD set, so that the answer says whether it was
// verified (RFC 6840 5.7). Its id is 0. U-labels are asked for in their ASCII form. Nothing when DNS cannot carry the name: an
// empty label, one over 63 octets, over 255 in all, or .onion, which must not be asked for (RFC 7686).
std::optional<std::string> make_question(std::string_view name, std::uint16_t type);

// The records of `type`, whose form is Record (IpAddress for A and AAAA), that answer the packet's own question, behind any
// chain of CNAMEs. The AD bit is taken as it stands. An rcode that is neither 0 nor 3, and octets that are no answer, are
// temporary errors.
template <class Record>
Result<Answer<Record>> read_answer(std::string_view packet, Type type);

}  // namespace greylag::dns
