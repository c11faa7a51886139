// Packets that name servers may send: every reader, on the same octets. What is read must keep the promises of its header.
#include <cstddef>
#include <cstdint>
#include <string>

#include "dns/records.hh"

using namespace greylag;
using namespace greylag::dns;

namespace {

void must(bool holds) {
    if (!holds) __builtin_trap();
}

template <class Record>
Result<Answer<Record>> check(std::string_view packet, Type type) {
    auto answer = read_answer<Record>(packet, type);
    if (!answer) {
        must(answer.error().lasting == Lasting::temporary && !answer.error().text.empty());
    } else {
        must((answer->found == Found::records) == !answer->records.empty());
        must(answer->records.size() <= 1024);
        for (const char c : answer->name) must(c >= ' ' && c < 0x7f);
    }
    return answer;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view packet(reinterpret_cast<const char*>(data), size);
    if (const auto mx = check<Mx>(packet, Type::mx)) (void)is_null_mx(*mx);
    if (const auto a = check<mail::IpAddress>(packet, Type::a))
        for (const auto& address : a->records) must(address.is_v4());
    (void)check<mail::IpAddress>(packet, Type::aaaa);
    (void)check<Name>(packet, Type::ptr);
    if (const auto txt = check<Text>(packet, Type::txt))
        for (const auto& text : txt->records) must(text.text.size() <= packet.size());
    if (const auto tlsa = check<Tlsa>(packet, Type::tlsa))
        for (const auto& one : tlsa->records) must(one.data.size() <= packet.size());
    return 0;
}
