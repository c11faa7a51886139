#include "grey/whitelist.hh"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "grey/records.hh"
#include "sys/file.hh"
#include "sys/host.hh"
#include "sys/io.hh"

namespace greylag::grey {

namespace {

constexpr const char* text_name = "whitelist";
constexpr const char* index_name = "whitelist.idx";

// A lookup meets a stale index for the microseconds in which an append is noted there: worth a wait. A compilation is not.
constexpr base::Millis lookup_wait{200};
constexpr base::Millis append_wait{5000};
constexpr base::Millis rewrite_wait{60'000};
constexpr unsigned most_complaints = 10;

// What stands behind the index is read by every lookup, and compiling costs by the size of the whole: a longer text may have
// a longer tail.
constexpr std::uint64_t tail_limit(std::uint64_t covered) { return std::clamp<std::uint64_t>(covered / 256, 4096, 65536); }

Source source_of(const sys::Entry& e) { return {e.device, e.inode, e.size, e.modified, e.changed}; }

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

LineScan::LineScan(int fd, std::uint64_t from, std::uint64_t to, std::string what)
    : fd_(fd),
      read_to_(from),
      to_(to),
      offset_(from),
      what_(std::move(what)),
      size_(static_cast<std::size_t>(std::clamp<std::uint64_t>(to - std::min(from, to), 1, 256 << 10))) {
    room_ = std::make_unique_for_overwrite<char[]>(size_);
}

// More octets behind those in hand; false: there are none.
Result<bool> LineScan::fill() {
    if (read_to_ >= to_) return false;
    if (begin_ > 0) {
        std::memmove(room_.get(), room_.get() + begin_, end_ - begin_);
        end_ -= begin_;
        begin_ = 0;
    }
    if (end_ == size_) {
        auto larger = std::make_unique_for_overwrite<char[]>(2 * size_);
        std::memcpy(larger.get(), room_.get(), end_);
        room_ = std::move(larger);
        size_ *= 2;
    }
    const std::size_t want = static_cast<std::size_t>(std::min<std::uint64_t>(size_ - end_, to_ - read_to_));
    const std::size_t got = TRY(sys::read_at(fd_, {room_.get() + end_, want}, read_to_, what_));
    if (got == 0) read_to_ = to_;
    read_to_ += got;
    end_ += got;
    return got > 0;
}

Result<std::optional<std::string_view>> LineScan::next() {
    std::size_t looked = 0;
    for (;;) {
        const char* from = room_.get() + begin_ + looked;
        const std::size_t left = end_ - begin_ - looked;
        const void* end = left == 0 ? nullptr : std::memchr(from, '\n', left);
        ended_ = end != nullptr;
        if (ended_) {
            const std::string_view line(room_.get() + begin_,
                                        static_cast<std::size_t>(static_cast<const char*>(end) - room_.get()) - begin_);
            begin_ += line.size() + 1;
            offset_ += line.size() + 1;
            return line;
        }
        looked = end_ - begin_;
        if (TRY(fill())) continue;
        if (looked == 0) return std::nullopt;
        const std::string_view line(room_.get() + begin_, looked);
        begin_ = end_;
        offset_ += looked;
        return line;
    }
}

// Nothing: no whitelist was ever made. A state that is not there is an error.
Result<std::optional<sys::Directory>> Whitelist::open_directory() const {
    auto directory = sys::Directory::open_own(sys::join(state_, "grey"));
    if (directory) return directory;
    if (directory.error().kind != Kind::not_found) return std::unexpected(std::move(directory).error());
    auto top = sys::Directory::open(state_);
    if (!top) return std::unexpected(std::move(top).error());
    return std::nullopt;
}

Result<std::optional<Whitelist::Text>> Whitelist::open_text(sys::Directory directory) {
    auto file = directory.open_read(text_name);
    if (!file && file.error().kind == Kind::not_found) return std::nullopt;
    if (!file) return std::unexpected(std::move(file).error());
    return Text{std::move(directory), std::move(file->fd), file->entry};
}

Result<std::optional<Whitelist::Text>> Whitelist::open() const {
    auto directory = TRY(open_directory());
    if (!directory) return std::nullopt;
    return open_text(*std::move(directory));
}

// The file that has the name now, and no longer the one that had it when we began to wait.
Result<Whitelist::Text> Whitelist::open_locked(sys::Deadline deadline, bool make) const {
    auto directory = TRY(open_grey(state_));
    for (;;) {
        auto fd = TRY(make ? directory.open_append(text_name, 0600) : directory.open_read(text_name)).fd;
        TRY(sys::lock(fd.get(), deadline, path()));
        const auto entry = TRY(sys::entry_of(fd.get(), path()));
        const auto named = directory.look(text_name);
        if (named && named->same_file(entry)) return Text{std::move(directory), std::move(fd), entry};
        if (!named && (!make || named.error().kind != Kind::not_found)) return std::unexpected(named.error());
        if (deadline.passed()) return base::fail_later(Kind::timeout, path() + ": replaced again and again");
    }
}

Whitelist::OpenIndex Whitelist::open_index(const sys::Directory& directory, const sys::Entry& text, bool write, Block& block) {
    OpenIndex index;
    auto file = write ? directory.open_write(index_name) : directory.open_read(index_name);
    if (!file) return index;
    index.fd = std::move(file->fd);
    index.state = Index::damaged;
    const auto got = sys::read_at(index.fd.get(), block, 0, index_name);
    const auto header = got && *got == block.size() ? decode_header(block) : std::nullopt;
    if (!header) return index;
    if (file->entry.size != index_size(*header)) return index;
    index.header = *header;
    index.state = header->source == source_of(text) ? Index::fresh : Index::stale;
    return index;
}

Whitelist::Asked Whitelist::ask_index(const sys::Directory& directory, const sys::Entry& text, const mail::IpAddress& address) {
    Block block;
    const auto index = open_index(directory, text, false, block);
    if (index.state != Index::fresh) return {};
    IndexSearch search(index.header, address);
    while (const auto number = search.wanted()) {
        const auto got = sys::read_at(index.fd.get(), block, *number * block_size, index_name);
        if (!got || *got != block.size()) return {};
        search.take(block);
    }
    if (search.found() == Found::damaged) return {};
    if (search.found() == Found::yes) return {Asked::What::yes, 0};
    const bool whole = index.header.covered == text.size;
    return {whole ? Asked::What::no : Asked::What::behind, index.header.covered};
}

// Nothing: the index cannot say.
std::optional<bool> Whitelist::answer(const Text& text, const Asked& asked, const mail::IpAddress& address) const {
    if (asked.what == Asked::What::nothing) return std::nullopt;
    if (asked.what != Asked::What::behind) return asked.what == Asked::What::yes;
    const auto behind = scan(text, asked.covered, address);
    return behind ? std::optional(*behind) : std::nullopt;
}

Result<bool> Whitelist::scan(const Text& text, std::uint64_t from, const mail::IpAddress& address) const {
    LineScan lines(text.fd.get(), from, text.entry.size, path());
    while (const auto line = TRY(lines.next())) {
        const Line read = read_line(*line);
        if (read.network && read.network->contains(address)) return true;
    }
    return false;
}

Result<bool> Whitelist::find(Text& text, const mail::IpAddress& address, bool locked) {
    if (text.entry.size == 0) return false;
    const auto ask = [&] { return answer(text, ask_index(text.directory, text.entry, address), address); };
    if (const auto said = ask()) return *said;
    if (!locked) {
        auto again = open_locked(sys::Deadline::in(lookup_wait), false);
        if (!again) return scan(text, 0, address);
        text = *std::move(again);
        if (const auto said = ask()) return *said;
    }
    // An index that cannot be made is no fault: the text is here.
    if (compile(text))
        if (const auto said = ask()) return *said;
    return scan(text, 0, address);
}

Result<bool> Whitelist::contains(const mail::IpAddress& address) {
    auto directory = TRY(open_directory());
    if (!directory) return false;
    // Where the index speaks for the text as it lies there now, the text itself need not be opened.
    const auto named = directory->look(text_name);
    const auto asked = named && named->what == sys::Entry::What::regular ? ask_index(*directory, *named, address) : Asked{};
    if (asked.what == Asked::What::yes || asked.what == Asked::What::no) return asked.what == Asked::What::yes;
    auto text = TRY(open_text(*std::move(directory)));
    if (!text) return false;
    if (named && source_of(text->entry) == source_of(*named))
        if (const auto said = answer(*text, asked, address)) return *said;
    return find(*text, address, false);
}

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

Result<Whitelist::State> Whitelist::state() const {
    State state;
    const auto text = TRY(open());
    if (!text) return state;
    state.there = true;
    state.size = text->entry.size;
    Block block;
    const auto index = open_index(text->directory, text->entry, false, block);
    state.index = index.state;
    state.header = index.header;
    return state;
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
