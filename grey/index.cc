#include "grey/index.hh"

#include <algorithm>
#include <bit>

namespace greylag::grey {

namespace {

constexpr std::string_view magic = "greylidx";
constexpr std::uint32_t version = 2;
constexpr std::size_t payload = block_size - 8;
constexpr std::uint64_t most_entries = std::uint64_t{1} << 40;  // more is no list of addresses

// Little-endian on the disk. A byte loop here was half of a lookup's time.
std::uint64_t swapped(std::uint64_t value) {
    if constexpr (std::endian::native == std::endian::little) return value;
    return __builtin_bswap64(value);
}

void put(char* at, std::uint64_t value) {
    value = swapped(value);
    std::memcpy(at, &value, sizeof value);
}

std::uint64_t get(const char* at) {
    std::uint64_t value = 0;
    std::memcpy(&value, at, sizeof value);
    return swapped(value);
}

// Against bit rot, lost writes and truncation, not against an enemy: who can write here can write the text as well. The
// number in it tells a block from its neighbour. Four sums side by side: each waits for its own multiplication only.
std::uint64_t mixed(std::uint64_t sum, std::uint64_t word) {
    sum = (sum ^ word) * 0xff51afd7ed558ccdu;
    return sum ^ sum >> 32;
}
std::uint64_t checksum(const Block& block, std::uint64_t number) {
    constexpr std::size_t lanes = 4, words = payload / 8;
    std::uint64_t sums[lanes] = {0x9e3779b97f4a7c15u, 0xbf58476d1ce4e5b9u, 0x94d049bb133111ebu, 0xd6e8feb86659fd93u};
    std::size_t i = 0;
    for (; i + lanes <= words; i += lanes)
        for (std::size_t lane = 0; lane < lanes; ++lane) sums[lane] = mixed(sums[lane], get(block.data() + 8 * (i + lane)));
    for (; i < words; ++i) sums[i % lanes] = mixed(sums[i % lanes], get(block.data() + 8 * i));
    std::uint64_t all = number;
    for (const std::uint64_t sum : sums) all = mixed(all, sum);
    return all;
}

void seal(Block& block, std::uint64_t number) { put(block.data() + payload, checksum(block, number)); }
bool is_whole(const Block& block, std::uint64_t number) { return get(block.data() + payload) == checksum(block, number); }

constexpr std::size_t header_words = 11;

// An entry is first and last address in network order, so that memcmp orders them.
void put_entry(char* at, const Intervals& intervals, std::size_t width, std::uint64_t i) {
    if (width == 4) {
        const std::uint64_t both = intervals.v4()[i];
        for (unsigned octet = 0; octet < 8; ++octet) at[octet] = static_cast<char>(both >> (56 - 8 * octet) & 0xff);
        return;
    }
    const Interval6& both = intervals.v6()[i];
    std::memcpy(at, both.first.data(), 16);
    std::memcpy(at + 16, both.last.data(), 16);
}

std::uint64_t blocks(std::uint64_t entries, std::uint64_t per_block) { return (entries + per_block - 1) / per_block; }

}  // namespace

Block encode(const IndexHeader& h) {
    Block block{};
    std::memcpy(block.data(), magic.data(), magic.size());
    const std::uint64_t words[header_words] = {version | std::uint64_t{block_size} << 32,
                                               h.source.device,
                                               h.source.inode,
                                               h.source.size,
                                               static_cast<std::uint64_t>(h.source.modified),
                                               static_cast<std::uint64_t>(h.source.changed),
                                               h.covered,
                                               h.lines,
                                               h.unreadable,
                                               h.v4,
                                               h.v6};
    for (std::size_t i = 0; i < header_words; ++i) put(block.data() + 8 + 8 * i, words[i]);
    seal(block, 0);
    return block;
}

std::optional<IndexHeader> decode_header(const Block& block) {
    if (std::memcmp(block.data(), magic.data(), magic.size()) != 0 || !is_whole(block, 0)) return std::nullopt;
    std::uint64_t words[header_words];
    for (std::size_t i = 0; i < header_words; ++i) words[i] = get(block.data() + 8 + 8 * i);
    if (words[0] != (version | std::uint64_t{block_size} << 32)) return std::nullopt;
    IndexHeader h;
    h.source = {words[1], words[2], words[3], static_cast<std::int64_t>(words[4]), static_cast<std::int64_t>(words[5])};
    h.covered = words[6], h.lines = words[7], h.unreadable = words[8], h.v4 = words[9], h.v6 = words[10];
    if (h.v4 > most_entries || h.v6 > most_entries || h.covered > h.source.size) return std::nullopt;
    return h;
}

std::uint64_t IndexSearch::Section::per_block() const { return payload / (2 * width); }

std::uint64_t IndexSearch::Section::end(std::uint64_t begin) const {
    if (count == 0) return begin;
    const Level& top = levels[count - 1];
    return top.first_block + blocks(top.entries, per_block());
}

IndexSearch::Section IndexSearch::section(std::uint64_t entries, std::size_t width, std::uint64_t first_block) {
    Section s;
    s.width = width;
    while (entries > 0 && s.count < most_levels) {
        s.levels[s.count++] = {first_block, entries};
        const std::uint64_t here = blocks(entries, s.per_block());
        if (here == 1) break;
        first_block += here;
        entries = here;
    }
    return s;
}

std::uint64_t index_size(const IndexHeader& h) {
    const std::uint64_t behind_v4 = IndexSearch::section(h.v4, 4, 1).end(1);
    return IndexSearch::section(h.v6, 16, behind_v4).end(behind_v4) * block_size;
}

IndexWriter::IndexWriter(const Intervals& intervals) : intervals_(intervals) {
    IndexHeader h;
    h.v4 = intervals.v4().size(), h.v6 = intervals.v6().size();
    total_ = index_size(h) / block_size;
}

bool IndexWriter::next(Block& block) {
    if (number_ >= total_) return false;
    const auto v4 = IndexSearch::section(intervals_.v4().size(), 4, 1);
    const std::uint64_t behind_v4 = v4.end(1);
    const auto s = number_ < behind_v4 ? v4 : IndexSearch::section(intervals_.v6().size(), 16, behind_v4);
    std::size_t level = s.count - 1;
    while (s.levels[level].first_block > number_) --level;

    const std::uint64_t per_block = s.per_block();
    std::uint64_t apart = 1;  // of the intervals whose entries stand side by side on this level
    for (std::size_t i = 0; i < level; ++i) apart *= per_block;
    const std::uint64_t first = (number_ - s.levels[level].first_block) * per_block;
    const std::uint64_t count = std::min(per_block, s.levels[level].entries - first);
    block.fill(0);
    for (std::uint64_t i = 0; i < count; ++i) put_entry(block.data() + i * 2 * s.width, intervals_, s.width, (first + i) * apart);
    seal(block, number_++);
    return true;
}

IndexSearch::IndexSearch(const IndexHeader& h, const mail::IpAddress& address) {
    section_ = section(h.v4, 4, 1);
    if (address.is_v4()) {
        std::copy(address.bytes().begin() + 12, address.bytes().end(), key_.begin());
    } else {
        section_ = section(h.v6, 16, section_.end(1));
        key_ = address.bytes();
    }
    if (section_.count == 0) return;
    level_ = section_.count - 1;
    wanted_ = section_.levels[level_].first_block;
}

void IndexSearch::take(const Block& block) {
    const std::uint64_t number = *wanted_;
    wanted_.reset();
    if (!is_whole(block, number)) {
        found_ = Found::damaged;
        return;
    }
    const std::size_t entry = 2 * section_.width;
    const std::uint64_t first = block_in_level_ * section_.per_block();
    const Level& level = section_.levels[level_];
    if (first >= level.entries) {
        found_ = Found::damaged;
        return;
    }
    // The last entry that does not begin behind the key.
    std::uint64_t low = 0, high = std::min(section_.per_block(), level.entries - first);
    while (low < high) {
        const std::uint64_t middle = low + (high - low) / 2;
        if (std::memcmp(block.data() + middle * entry, key_.data(), section_.width) <= 0)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == 0) return;  // before the first
    if (level_ == 0) {
        const char* last = block.data() + (low - 1) * entry + section_.width;
        found_ = std::memcmp(key_.data(), last, section_.width) <= 0 ? Found::yes : Found::no;
        return;
    }
    --level_;
    block_in_level_ = first + low - 1;
    wanted_ = section_.levels[level_].first_block + block_in_level_;
}

}  // namespace greylag::grey
