// The compiled whitelist (grey/README.md, "whitelist.idx"): a header block and a static tree of sorted intervals in blocks of
// 4 KB, each with its own checksum, so that a lookup reads one block a level and still notices damage in what it reads. Pure:
// blocks come from the caller.
#pragma once
#include <array>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "grey/intervals.hh"
#include "mail/ip.hh"

namespace greylag::grey {

constexpr std::size_t block_size = 4096;
using Block = std::array<char, block_size>;

// Which text, in which state, the index speaks for.
struct Source {
    std::uint64_t device = 0, inode = 0, size = 0;
    std::int64_t modified = 0, changed = 0;  // nanoseconds
    bool operator==(const Source&) const = default;
};

struct IndexHeader {
    Source source;              // as it was last known to hold `covered` unchanged
    std::uint64_t covered = 0;  // octets of the text that are in the index; whole lines
    std::uint64_t lines = 0;    // of them
    std::uint64_t unreadable = 0;
    std::uint64_t v4 = 0, v6 = 0;  // intervals
};

Block encode(const IndexHeader& header);
// Nothing when it is no header of ours, of another version, or damaged.
std::optional<IndexHeader> decode_header(const Block& block);
std::uint64_t index_size(const IndexHeader& header);  // of the whole file, in octets

// Every block behind the header, in order, each complete with its checksum: the whole index is the header and these.
class IndexWriter {
public:
    explicit IndexWriter(const Intervals& intervals);
    bool next(Block& block);  // false: that was all

private:
    const Intervals& intervals_;
    std::uint64_t number_ = 1, total_;
};

enum class Found : std::uint8_t { yes, no, damaged };
// One level of the tree at a time: which block to read next.
class IndexSearch {
public:
    IndexSearch(const IndexHeader& header, const mail::IpAddress& address);
    std::optional<std::uint64_t> wanted() const { return wanted_; }  // nothing: found() is the answer
    void take(const Block& block);                                   // the wanted one
    Found found() const { return found_; }

private:
    struct Level {
        std::uint64_t first_block = 0, entries = 0;
    };
    friend std::uint64_t index_size(const IndexHeader& header);
    friend class IndexWriter;
    static constexpr std::size_t most_levels = 12;
    struct Section {
        std::size_t width = 4;
        std::array<Level, most_levels> levels{};  // 0: the intervals; each above: the first entry of every block below
        std::size_t count = 0;
        std::uint64_t per_block() const;
        std::uint64_t end(std::uint64_t begin) const;  // the block behind
    };
    static Section section(std::uint64_t entries, std::size_t width, std::uint64_t first_block);

    std::array<std::uint8_t, 16> key_{};
    Section section_;
    std::size_t level_ = 0;
    std::uint64_t block_in_level_ = 0;
    std::optional<std::uint64_t> wanted_;
    Found found_ = Found::no;
};

}  // namespace greylag::grey
