// Any bytes as a whitelist and as its index: no crash; the compiled text answers as its lines do; a bent index answers as the
// whole one or says that it is damaged.
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "base/ascii.hh"
#include "grey/index.hh"
#include "grey/line.hh"

using namespace greylag;

namespace {

void must(bool holds) {
    if (!holds) std::abort();
}

grey::Found asked(const std::vector<grey::Block>& index, const mail::IpAddress& address) {
    const auto header = grey::decode_header(index[0]);
    if (!header || grey::index_size(*header) != index.size() * grey::block_size) return grey::Found::damaged;
    grey::IndexSearch search(*header, address);
    while (const auto number = search.wanted()) {
        if (*number >= index.size()) return grey::Found::damaged;
        search.take(index[*number]);
    }
    return search.found();
}

std::vector<grey::Block> compiled(const std::vector<mail::Cidr>& networks) {
    grey::Intervals intervals;
    for (const auto& network : networks) intervals.add(network);
    intervals.finish();
    grey::IndexHeader header;
    header.v4 = intervals.v4().size(), header.v6 = intervals.v6().size();
    std::vector<grey::Block> index{grey::encode(header)};
    grey::IndexWriter writer(intervals);
    for (grey::Block block; writer.next(block);) index.push_back(block);
    return index;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string bytes(data, data + size);
    std::vector<mail::Cidr> networks;
    for (const auto line : base::split(bytes, '\n')) {
        const grey::Line read = grey::read_line(line);
        must(read.network.has_value() == (read.what == grey::Line::What::network));
        if (read.network) networks.push_back(*read.network);
        must(grey::complaint(line).find('\n') == std::string::npos);
        if (const auto mark = grey::own_mark(line)) must(line.find(grey::timestamp(*mark)) != std::string_view::npos);
    }
    const auto index = compiled(networks);
    std::vector<mail::IpAddress> addresses{mail::IpAddress{}};
    for (const auto& network : networks) addresses.push_back(network.address()), addresses.push_back(network.last());
    if (addresses.size() > 64) addresses.resize(64);
    for (const auto& address : addresses) {
        bool plain = false;
        for (const auto& network : networks) plain = plain || network.contains(address);
        must(asked(index, address) == (plain ? grey::Found::yes : grey::Found::no));
    }
    // One octet bent, chosen by the input.
    if (size >= 4) {
        auto bent = index;
        grey::Block& block = bent[data[0] % bent.size()];
        char& octet = block[(static_cast<std::size_t>(data[1]) << 8 | data[2]) % block.size()];
        octet = static_cast<char>(octet ^ static_cast<char>(data[3] | 1));
        for (const auto& address : addresses) {
            const auto said = asked(bent, address);
            must(said == grey::Found::damaged || said == asked(index, address));
        }
    }
    // And the bytes themselves as an index, its checksum made good where there is none to be expected of a stranger.
    grey::Block block{};
    bytes.copy(block.data(), block.size());
    if (const auto header = grey::decode_header(block)) (void)grey::index_size(*header);
    return 0;
}
