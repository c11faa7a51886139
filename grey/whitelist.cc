#include "grey/whitelist.hh"

#include "grey/records.hh"
#include "sys/file.hh"
#include "sys/host.hh"

namespace greylag::grey {

namespace {

// A lookup meets a stale index for the microseconds in which an append is noted there: worth a wait. A compilation is not.
constexpr base::Millis lookup_wait{200};

}  // namespace

Source Whitelist::source_of(const sys::Entry& e) { return {e.device, e.inode, e.size, e.modified, e.changed}; }

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

}  // namespace greylag::grey
