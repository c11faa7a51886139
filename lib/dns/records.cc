// The walk over a packet. Compressed names are undone by ares_expand_name, which knows loops and lengths; all else is here.
#include "dns/records.hh"

#include <ares.h>

#include <array>

#include "base/ascii.hh"
#include "base/punycode.hh"

namespace greylag::dns {

namespace {

constexpr std::uint16_t class_in = 1, type_cname = 5;

// Who sends more than this has been heard enough.
constexpr std::size_t most_records = 1024;
constexpr int most_aliases = 16;

// Reads forward; after the first fault every value is zero or empty and whole() is false.
class Reader {
public:
    Reader(std::string_view packet, std::size_t at, std::size_t end) : packet_(packet), at_(at), end_(end) {}

    unsigned u8() { return has(1) ? byte(at_++) : 0; }
    std::uint16_t u16() {
        const unsigned high = u8();
        return static_cast<std::uint16_t>(high << 8 | u8());
    }
    std::string_view bytes(std::size_t count) {
        if (!has(count)) return {};
        at_ += count;
        return packet_.substr(at_ - count, count);
    }
    std::string_view rest() { return bytes(end_ - at_); }
    std::string name();
    std::size_t at() const { return at_; }
    bool whole() const { return whole_; }
    bool at_end() const { return at_ >= end_; }

private:
    unsigned byte(std::size_t i) const { return static_cast<unsigned char>(packet_[i]); }
    bool has(std::size_t count) { return whole_ = whole_ && count <= end_ - at_; }
    std::string_view packet_;
    std::size_t at_, end_;
    bool whole_ = true;
};

std::string Reader::name() {
    if (!has(1)) return {};
    const auto* packet = reinterpret_cast<const unsigned char*>(packet_.data());
    char* text = nullptr;
    long length = 0;
    whole_ = ::ares_expand_name(packet + at_, packet, static_cast<int>(packet_.size()), &text, &length) == ARES_SUCCESS;
    if (!whole_) return {};
    std::string name(text);
    ::ares_free_string(text);
    if (has(static_cast<std::size_t>(length))) at_ += static_cast<std::size_t>(length);
    return name;
}

struct Rr {
    std::string owner;
    std::uint16_t type;
    std::size_t at, end;  // of its data in the packet
};

struct Packet {
    unsigned rcode = 0;
    bool authentic = false;
    std::string question;
    std::vector<Rr> answers;
};

std::optional<Packet> walk(std::string_view bytes) {
    Reader in(bytes, 0, bytes.size());
    Packet packet;
    in.bytes(3);
    const unsigned flags = in.u8();
    packet.rcode = flags & 15u;
    packet.authentic = (flags & 0x20u) != 0;
    const unsigned questions = in.u16(), answers = in.u16();
    in.bytes(4);
    if (questions != 1) return std::nullopt;
    packet.question = in.name();
    in.bytes(4);
    for (unsigned i = 0; i < answers && i < most_records && in.whole(); ++i) {
        Rr rr{in.name(), in.u16(), 0, 0};
        const bool internet = in.u16() == class_in;
        in.bytes(4);
        const std::size_t length = in.u16();
        rr.at = in.at();
        in.bytes(length);
        rr.end = in.at();
        if (internet) packet.answers.push_back(std::move(rr));
    }
    if (!in.whole()) return std::nullopt;
    return packet;
}

void read(Reader& in, Mx& mx) {
    mx.preference = in.u16();
    mx.host = in.name();
}
void read(Reader& in, Name& name) { name.text = in.name(); }
void read(Reader& in, Text& text) {
    while (in.whole() && !in.at_end()) text.text += in.bytes(in.u8());
}
void read(Reader& in, Tlsa& tlsa) {
    tlsa.usage = static_cast<std::uint8_t>(in.u8());
    tlsa.selector = static_cast<std::uint8_t>(in.u8());
    tlsa.matching = static_cast<std::uint8_t>(in.u8());
    tlsa.data = in.rest();
}
template <std::size_t N>
std::array<std::uint8_t, N> octets(Reader& in) {
    std::array<std::uint8_t, N> bytes{};
    for (auto& b : bytes) b = static_cast<std::uint8_t>(in.u8());
    return bytes;
}
void read(Reader& in, mail::IpAddress& address, Type type) {
    address = type == Type::aaaa ? mail::IpAddress::v6(octets<16>(in)) : mail::IpAddress::v4(octets<4>(in));
}
template <class Record>
void read(Reader& in, Record& record, Type) {
    read(in, record);
}

const Rr* alias_of(const Packet& packet, std::string_view name) {
    for (const Rr& rr : packet.answers)
        if (rr.type == type_cname && base::iequals(rr.owner, name)) return &rr;
    return nullptr;
}

std::unexpected<Error> unreadable(std::string_view what) {
    return base::fail_later(Kind::protocol, "the name server's answer " + std::string(what));
}

std::string_view meaning(unsigned rcode) {
    constexpr std::string_view names[] = {"", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED"};
    return rcode < std::size(names) ? names[rcode] : "an error that is not known";
}

// The data of one record must be read to its very end: what is left over would be somebody's secret.
template <class Record>
Result<void> collect(std::string_view bytes, const Packet& packet, Type type, Answer<Record>& answer) {
    for (const Rr& rr : packet.answers) {
        if (rr.type != static_cast<std::uint16_t>(type) || !base::iequals(rr.owner, answer.name)) continue;
        Reader in(bytes, rr.at, rr.end);
        Record record;
        read(in, record, type);
        if (!in.whole() || !in.at_end()) return unreadable("holds a record that cannot be read");
        answer.records.push_back(std::move(record));
    }
    return {};
}

}  // namespace

template <class Record>
Result<Answer<Record>> read_answer(std::string_view bytes, Type type) {
    const auto packet = walk(bytes);
    if (!packet) return unreadable("cannot be read");
    if (packet->rcode != 0 && packet->rcode != 3)
        return base::fail_later(Kind::unavailable, "the name server answers " + std::string(meaning(packet->rcode)));
    Answer<Record> answer;
    answer.authentic = packet->authentic;
    answer.name = packet->question;
    for (int i = 0; i < most_aliases; ++i) {
        const Rr* alias = alias_of(*packet, answer.name);
        if (alias == nullptr) break;
        Reader in(bytes, alias->at, alias->end);
        answer.name = in.name();
        if (!in.whole()) return unreadable("holds a CNAME that cannot be read");
    }
    if (packet->rcode == 3) {
        answer.found = Found::no_name;
        return answer;
    }
    TRY(collect(bytes, *packet, type, answer));
    answer.found = answer.records.empty() ? Found::no_data : Found::records;
    return answer;
}

template Result<Answer<Mx>> read_answer(std::string_view, Type);
template Result<Answer<Name>> read_answer(std::string_view, Type);
template Result<Answer<Text>> read_answer(std::string_view, Type);
template Result<Answer<Tlsa>> read_answer(std::string_view, Type);
template Result<Answer<mail::IpAddress>> read_answer(std::string_view, Type);

std::optional<std::string> make_question(std::string_view name, std::uint16_t type) {
    using namespace std::string_view_literals;
    if (name.ends_with('.')) name.remove_suffix(1);
    if (base::iends_with(name, ".onion")) return std::nullopt;
    constexpr std::string_view header = "\0\0\1\x20\0\1\0\0\0\0\0\0"sv;
    std::string packet(header);
    if (!name.empty())
        for (const std::string_view text : base::split(name, '.')) {
            const auto label = base::ascii_label(text);
            if (!label || label->empty() || label->size() > 63) return std::nullopt;
            packet += static_cast<char>(label->size());
            packet += *label;
        }
    packet += '\0';
    if (packet.size() - header.size() > 255) return std::nullopt;
    for (const int octet : {type >> 8, type & 0xff, 0, int{class_in}}) packet += static_cast<char>(octet);
    return packet;
}

bool is_null_mx(const Answer<Mx>& answer) {
    if (answer.records.empty()) return false;
    for (const Mx& mx : answer.records)
        if (!mx.host.empty()) return false;
    return true;
}

std::string reverse_name(const mail::IpAddress& address) {
    constexpr std::string_view digits = "0123456789abcdef";
    const auto& bytes = address.bytes();
    std::string out;
    if (address.is_v4()) {
        for (std::size_t i = 16; i-- > 12;) out += std::to_string(bytes.at(i)) + '.';
        return out + "in-addr.arpa";
    }
    for (std::size_t i = 16; i-- > 0;)
        for (const unsigned nibble : {bytes.at(i) & 15u, static_cast<unsigned>(bytes.at(i)) >> 4}) {
            out += digits[nibble];
            out += '.';
        }
    return out + "ip6.arpa";
}

}  // namespace greylag::dns
