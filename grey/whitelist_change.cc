// What changes the whitelist: lines appended and taken out, the index compiled. Each under the lock of the text.
#include <algorithm>

#include "grey/whitelist.hh"
#include "sys/host.hh"
#include "sys/io.hh"

namespace greylag::grey {

namespace {

constexpr base::Millis append_wait{5000};
constexpr base::Millis rewrite_wait{60'000};
constexpr unsigned most_complaints = 10;

// What stands behind the index is read by every lookup, and compiling costs by the size of the whole: a longer text may have
// a longer tail.
constexpr std::uint64_t tail_limit(std::uint64_t covered) { return std::clamp<std::uint64_t>(covered / 256, 4096, 65536); }

std::string temporary(std::string_view name) { return std::string(name) + "." + sys::make_id() + ".tmp"; }

// Collects small pieces into few writes.
class Output {
public:
    explicit Output(int fd) : fd_(fd) {}
    Result<void> add(std::string_view bytes) {
        if (held_.size() + bytes.size() > piece) TRY(flush());
        held_.append(bytes);
        return {};
    }
    Result<void> flush() {
        TRY(sys::write_all(fd_, held_, sys::Deadline::never()));
        held_.clear();
        return {};
    }

private:
    static constexpr std::size_t piece = 256 << 10;
    int fd_;
    std::string held_;
};

}  // namespace

Result<bool> Whitelist::append(const std::optional<mail::IpAddress>& caller, std::string_view line) {
    auto text = TRY(open_locked(sys::Deadline::in(append_wait), true));
    if (caller && TRY(find(text, *caller, true))) return false;
    Block block;
    auto index = open_index(text.directory, text.entry, true, block);

    std::string bytes(line);
    if (text.entry.size > 0) {
        char last = '\n';
        (void)TRY(sys::read_at(text.fd.get(), {&last, 1}, text.entry.size - 1, path()));
        if (last != '\n') bytes.insert(bytes.begin(), '\n');
    }
    TRY(sys::append_once(text.fd.get(), bytes, path()));

    // The index learns what the text looks like now. Where it does not, it is stale and made anew by whoever looks next.
    if (index.state != Index::fresh) return true;
    text.entry = TRY(sys::entry_of(text.fd.get(), path()));
    index.header.source = source_of(text.entry);
    block = encode(index.header);
    (void)sys::write_at(index.fd.get(), {block.data(), block.size()}, 0, index_name);
    if (text.entry.size - index.header.covered > tail_limit(index.header.covered)) (void)compile(text);
    return true;
}

Result<void> Whitelist::read_text(const Text& text, Intervals& intervals, IndexHeader& header) {
    header.source = source_of(text.entry);
    LineScan lines(text.fd.get(), 0, text.entry.size, path());
    for (std::uint64_t number = 1;; ++number) {
        const auto line = TRY(lines.next());
        if (!line) break;
        const Line read = read_line(*line);
        if (read.what == Line::What::unreadable && ++header.unreadable <= most_complaints)
            complaints_.push_back(path() + ":" + std::to_string(number) + ": " + complaint(*line));
        if (!lines.ended()) break;  // it may still grow
        header.covered = lines.offset();
        header.lines = number;
        if (read.network) intervals.add(*read.network);
    }
    if (header.unreadable > most_complaints)
        complaints_.push_back(path() + ": " + std::to_string(header.unreadable - most_complaints) + " more lines cannot be read");
    return {};
}

Result<void> Whitelist::compile(const Text& text) {
    const std::string name = temporary(index_name);
    const auto fd = TRY(text.directory.create(name, 0600)).fd;
    complaints_.clear();
    const auto write = [&]() -> Result<void> {
        IndexHeader header;
        Intervals intervals;
        TRY(read_text(text, intervals, header));
        intervals.finish();
        header.v4 = intervals.v4().size(), header.v6 = intervals.v6().size();

        Output out(fd.get());
        Block block = encode(header);
        IndexWriter blocks(intervals);
        do TRY(out.add({block.data(), block.size()}));
        while (blocks.next(block));
        TRY(out.flush());
        // Somebody who does not know our lock may have edited the text meanwhile.
        const auto now = TRY(sys::entry_of(text.fd.get(), path()));
        if (source_of(now) != header.source) return base::fail_later(Kind::unavailable, path() + ": changed while it was read");
        return text.directory.rename(name, index_name);
    };
    auto done = write();
    if (!done) {
        complaints_.clear();
        (void)text.directory.remove(name);
    }
    return done;
}

Result<bool> Whitelist::rebuild() {
    const auto there = TRY(open());
    if (!there) return false;
    const auto text = TRY(open_locked(sys::Deadline::in(rewrite_wait), false));
    TRY(compile(text));
    return true;
}

Result<void> Whitelist::refresh() {
    const auto now = TRY(state());
    if (now.there && (now.index != Index::fresh || now.header.covered != now.size)) (void)TRY(rebuild());
    return {};
}

bool Whitelist::Unwanted::matches(std::string_view line) const {
    if (own_before) {
        const auto mark = own_mark(line);
        return mark && *mark < *own_before;
    }
    const Line read = read_line(line);
    return network && read.network == network;
}

Result<std::uint64_t> Whitelist::take_out(const Unwanted& unwanted) {
    if (!TRY(open())) return 0;
    auto text = TRY(open_locked(sys::Deadline::in(rewrite_wait), false));
    std::uint64_t gone = 0;
    LineScan look(text.fd.get(), 0, text.entry.size, path());
    while (const auto line = TRY(look.next())) gone += unwanted.matches(*line) ? 1u : 0u;
    if (gone == 0) return 0;

    const std::string name = temporary(text_name);
    auto fd = TRY(text.directory.create(name, 0600)).fd;
    const auto write = [&]() -> Result<void> {
        sys::copy_rights(text.fd.get(), fd.get());
        TRY(sys::lock(fd.get(), sys::Deadline::in(append_wait), path()));
        Output out(fd.get());
        LineScan lines(text.fd.get(), 0, text.entry.size, path());
        while (const auto line = TRY(lines.next())) {
            if (unwanted.matches(*line)) continue;
            TRY(out.add(*line));
            if (lines.ended()) TRY(out.add("\n"));
        }
        TRY(out.flush());
        TRY(sys::flush_to_disk(fd.get(), path()));
        const auto now = TRY(sys::entry_of(text.fd.get(), path()));
        if (source_of(now) != source_of(text.entry))
            return base::fail_later(Kind::unavailable, path() + ": changed while it was rewritten; nothing was taken out");
        TRY(text.directory.rename(name, text_name));
        return text.directory.sync();
    };
    if (auto done = write(); !done) {
        (void)text.directory.remove(name);
        return std::unexpected(std::move(done).error());
    }
    text.entry = TRY(sys::entry_of(fd.get(), path()));
    text.fd = std::move(fd);
    (void)compile(text);
    return gone;
}

}  // namespace greylag::grey
