#include "cmd/smtpd/dump.hh"

#include <cerrno>

#include "mail/date.hh"
#include "sys/clock.hh"
#include "sys/durable.hh"
#include "sys/file.hh"

namespace greylag::smtpd {

namespace {

// "Nov3": of "Tue Nov  3 ...".
std::string day_name(base::WallTime when) {
    return mail::ctime_date(when).substr(4, 3) + std::to_string(base::calendar(when).day);
}

std::string number() {
    const auto stamp = sys::stamp();
    return std::to_string(stamp.seconds) + std::to_string(1'000'000 + stamp.micros).substr(1) + std::to_string(stamp.process) +
           std::to_string(stamp.count);
}

}  // namespace

Result<std::string> save_blocked(const std::string& state, int message) {
    const std::string folder = sys::join(sys::join(state, "queue.dump"), day_name(sys::wall_now()));
    TRY(sys::make_directories(folder));
    constexpr int tries = 50;
    for (int i = 1;; ++i) {
        const std::string name = sys::join(folder, number());
        auto file = sys::create_file(name, 0600);
        if (!file && file.error().code == EEXIST && i < tries) continue;
        const sys::Fd fd = TRY(std::move(file));
        if (auto copied = sys::copy_from(message, 0, fd.get()); !copied) {
            sys::remove_file(name);
            return std::unexpected(std::move(copied).error());
        }
        return name;
    }
}

}  // namespace greylag::smtpd
