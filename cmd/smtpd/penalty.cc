#include "cmd/smtpd/penalty.hh"

#include "base/escape.hh"
#include "sys/clock.hh"
#include "sys/file.hh"
#include "sys/io.hh"
#include "sys/tree.hh"

namespace greylag::smtpd {

namespace {

// The octets of a record differ, but for those that stand for no guess.
constexpr std::size_t longest = 256;

bool over(const sys::Entry& record, base::Millis time) {
    return sys::wall_millis() - record.modified / 1'000'000 >= time.count();
}

// A place for one more network: those whose time is over go.
Result<void> make_room(const sys::Directory& directory, base::Millis time) {
    const auto names = TRY(directory.names());
    if (names.size() < Penalty::most_networks) return {};
    bool room = false;
    for (const auto& name : names)
        if (const auto record = directory.look(name); record && over(*record, time))
            room = directory.remove(name).has_value() || room;
    if (!room) return base::fail_later(Kind::limit, directory.path() + ": too many networks fail to log in");
    return {};
}

}  // namespace

Penalty::Penalty(const std::string& state, Limits limits, const std::optional<mail::IpAddress>& peer)
    : directory_(sys::join(state, "auth-failed")), limits_(limits) {
    if (peer && limits.failures != 0) name_ = base::file_name(mail::Cidr(*peer, peer->is_v4() ? 32 : 64).address().text());
}

Result<bool> Penalty::locked() const {
    if (name_.empty()) return false;
    const auto directory = sys::Directory::open(directory_);
    if (!directory) return directory.error().kind == Kind::not_found ? Result<bool>(false) : std::unexpected(directory.error());
    const auto record = directory->look(name_);
    if (!record) return record.error().kind == Kind::not_found ? Result<bool>(false) : std::unexpected(record.error());
    return record->size >= limits_.failures && !over(*record, limits_.time);
}

Result<void> Penalty::failed(std::optional<char> guess) const {
    if (name_.empty()) return {};
    TRY(sys::make_directories(directory_));
    const auto directory = TRY(sys::Directory::open(directory_));
    const auto record = directory.look(name_);
    if (record && over(*record, limits_.time)) TRY(directory.remove(name_));
    if (!record) TRY(make_room(directory, limits_.time));
    const sys::Fd file = TRY(directory.open_append(name_, 0600)).fd;
    char known[longest];
    const std::size_t size = TRY(sys::read_at(file.get(), known, 0, name_));
    if (size == longest || (guess && std::string_view(known, size).find(*guess) != std::string_view::npos)) return {};
    const char octet = guess.value_or('\0');
    return sys::append_once(file.get(), {&octet, 1}, name_);
}

}  // namespace greylag::smtpd
