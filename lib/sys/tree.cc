#include "sys/tree.hh"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <limits>

#include "base/scope.hh"
#include "sys/io.hh"

namespace greylag::sys {

namespace {

// A file can be stamped with any year; what does not fit is the last moment that does.
std::int64_t nanoseconds(const timespec& t) {
    constexpr std::int64_t second = 1'000'000'000, most = std::numeric_limits<std::int64_t>::max() / second - 1;
    return std::clamp<std::int64_t>(t.tv_sec, -most, most) * second + t.tv_nsec;
}

Entry entry(const struct stat& info) {
    Entry out;
    out.what = S_ISREG(info.st_mode) ? Entry::What::regular : S_ISDIR(info.st_mode) ? Entry::What::directory : Entry::What::other;
    out.device = info.st_dev;
    out.inode = info.st_ino;
    out.size = static_cast<std::uint64_t>(info.st_size);
    out.links = info.st_nlink;
#ifdef __APPLE__
    out.modified = nanoseconds(info.st_mtimespec), out.changed = nanoseconds(info.st_ctimespec);
#else
    out.modified = nanoseconds(info.st_mtim), out.changed = nanoseconds(info.st_ctim);
#endif
    out.mode = info.st_mode & 07777;
    out.owner = info.st_uid;
    return out;
}

std::unexpected<Error> no_regular_file(const std::string& path) {
    return base::fail(Kind::denied, path + ": expected a regular file and no link");
}

std::unexpected<Error> no_directory(const std::string& path) {
    return base::fail(Kind::denied, path + ": expected a directory and no link");
}
std::unexpected<Error> of_others(const std::string& path) {
    return base::fail(Kind::denied, path + ": a directory that others own or may write is not used");
}

bool is_no_directory(int code) { return code == ELOOP || code == ENOTDIR || code == EMLINK; }

}  // namespace

Result<Entry> entry_of(int fd, std::string_view what) {
    struct stat info {};
    if (::fstat(fd, &info) < 0) return os_fail(what, errno);
    return entry(info);
}

Result<Directory> Directory::open(const std::string& path) {
    Fd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!fd) return os_fail(path, errno);
    return Directory(std::move(fd), path, ::geteuid());
}

Result<Directory> Directory::open_own(const std::string& path) {
    Fd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!fd && is_no_directory(errno)) return no_directory(path);
    if (!fd) return os_fail(path, errno);
    Directory found(std::move(fd), path, ::geteuid());
    if (!found.owns(TRY(entry_of(found.fd_.get(), path)))) return of_others(path);
    return found;
}

bool Directory::owns(const Entry& entry) const {
    return (self_ == 0 || entry.owner == self_ || entry.owner == 0) && (entry.mode & 022) == 0;
}

Result<Directory> Directory::enter(const std::string& name) const {
    std::string path = at(name);
    Fd fd(::openat(fd_.get(), name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!fd && is_no_directory(errno)) return no_directory(path);
    if (!fd) return os_fail(path, errno);
    if (!owns(TRY(entry_of(fd.get(), path)))) return of_others(path);
    return Directory(std::move(fd), std::move(path), self_);
}

Result<Directory> Directory::enter_or_make(const std::string& name) const {
    auto found = enter(name);
    if (found || found.error().code != ENOENT) return found;
    if (::mkdirat(fd_.get(), name.c_str(), 0700) < 0 && errno != EEXIST) return os_fail(at(name), errno);
    return enter(name);
}

Result<void> Directory::ensure(const std::string& name) const {
    auto found = look(name);
    if (!found && found.error().code == ENOENT) {
        if (::mkdirat(fd_.get(), name.c_str(), 0700) < 0 && errno != EEXIST) return os_fail(at(name), errno);
        found = look(name);
    }
    if (!found) return std::unexpected(std::move(found).error());
    if (found->what != Entry::What::directory) return no_directory(at(name));
    if (!owns(*found)) return of_others(at(name));
    return {};
}

Result<Entry> Directory::look(const std::string& name) const {
    struct stat info {};
    if (::fstatat(fd_.get(), name.c_str(), &info, AT_SYMLINK_NOFOLLOW) < 0) return os_fail(at(name), errno);
    return entry(info);
}

// A FIFO that nobody writes to must not hold us up, hence O_NONBLOCK; it does nothing to a regular file.
Result<Directory::File> Directory::open_regular(const std::string& name, int flags, unsigned mode) const {
    Fd fd(::openat(fd_.get(), name.c_str(), flags | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, static_cast<mode_t>(mode)));
    if (!fd && (errno == ELOOP || errno == EMLINK || errno == EISDIR || errno == ENXIO)) return no_regular_file(at(name));
    if (!fd) return os_fail(at(name), errno);
    struct stat info {};
    if (::fstat(fd.get(), &info) < 0) return os_fail(at(name), errno);
    if (!S_ISREG(info.st_mode)) return no_regular_file(at(name));
    return File{std::move(fd), entry(info)};
}

Result<Directory::File> Directory::open_read(const std::string& name) const { return open_regular(name, O_RDONLY, 0); }
Result<Directory::File> Directory::open_write(const std::string& name) const { return open_regular(name, O_RDWR, 0); }
Result<Directory::File> Directory::open_append(const std::string& name, unsigned mode) const {
    return open_regular(name, O_RDWR | O_APPEND | O_CREAT, mode);
}
Result<Directory::File> Directory::create(const std::string& name, unsigned mode) const {
    return open_regular(name, O_RDWR | O_CREAT | O_EXCL, mode);
}

Result<bool> Directory::create_empty(const std::string& name, unsigned mode) const {
    const Fd fd(
        ::openat(fd_.get(), name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, static_cast<mode_t>(mode)));
    if (fd) return true;
    if (errno == EEXIST) return false;
    return os_fail(at(name), errno);
}

Result<void> Directory::touch(const std::string& name) const {
    if (::utimensat(fd_.get(), name.c_str(), nullptr, AT_SYMLINK_NOFOLLOW) < 0) return os_fail(at(name), errno);
    return {};
}

Result<void> Directory::rename(const std::string& from, const std::string& to) const {
    if (::renameat(fd_.get(), from.c_str(), fd_.get(), to.c_str()) < 0) return os_fail(at(to), errno);
    return {};
}

Result<void> Directory::remove(const std::string& name) const {
    if (::unlinkat(fd_.get(), name.c_str(), 0) < 0) return os_fail(at(name), errno);
    return {};
}

bool Directory::remove_directory(const std::string& name) const { return ::unlinkat(fd_.get(), name.c_str(), AT_REMOVEDIR) == 0; }

Result<void> Directory::sync() const {
    if (::fsync(fd_.get()) < 0 && errno != EINVAL) return os_fail(path_, errno);
    return {};
}

Result<std::vector<std::string>> Directory::names() const {
    // A descriptor of its own: the position in the directory is shared by duplicates.
    Fd fd(::openat(fd_.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!fd) return os_fail(path_, errno);
    DIR* directory = ::fdopendir(fd.get());
    if (directory == nullptr) return os_fail(path_, errno);
    fd.release();
    const base::Scope closer([directory] { ::closedir(directory); });
    std::vector<std::string> all;
    for (;;) {
        errno = 0;
        const dirent* found = ::readdir(directory);
        if (found == nullptr) break;
        const std::string_view name(found->d_name);
        if (name != "." && name != "..") all.emplace_back(name);
    }
    if (errno != 0) return os_fail(path_, errno);
    return all;
}

Result<void> flush_to_disk(int fd, std::string_view what) {
    if (::fsync(fd) < 0) return os_fail(what, errno);
    return {};
}

void copy_rights(int like, int to) {
    struct stat info {};
    if (::fstat(like, &info) < 0) return;
    if (::fchown(to, info.st_uid, info.st_gid) < 0) {
        // Only root may, and only root needs to.
    }
    (void)::fchmod(to, info.st_mode & 0777);
}

bool try_lock(int fd) {
    int status = -1;
    do status = ::flock(fd, LOCK_EX | LOCK_NB);
    while (status < 0 && errno == EINTR);
    return status == 0;
}

// flock(2) knows no deadline and an alarm would be a signal for everybody: so it is asked again and again.
Result<void> lock(int fd, Deadline deadline, std::string_view what) {
    base::Millis pause{1};
    while (!try_lock(fd)) {
        if (errno != EWOULDBLOCK) return os_fail(what, errno);
        if (deadline.passed()) return base::fail_later(Kind::timeout, std::string(what) + ": another process keeps it locked");
        sleep_watching(-1, std::min(pause, deadline.left()));
        pause = std::min(2 * pause, base::Millis{16});
    }
    return {};
}

Result<std::size_t> read_at(int fd, std::span<char> room, std::uint64_t offset, std::string_view what) {
    std::size_t have = 0;
    while (have < room.size()) {
        const ssize_t got = ::pread(fd, room.data() + have, room.size() - have, static_cast<off_t>(offset + have));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return os_fail(what, errno);
        if (got == 0) break;
        have += static_cast<std::size_t>(got);
    }
    return have;
}

Result<void> write_at(int fd, std::string_view bytes, std::uint64_t offset, std::string_view what) {
    while (!bytes.empty()) {
        const ssize_t wrote = ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
        if (wrote < 0 && errno == EINTR) continue;
        if (wrote < 0) return os_fail(what, errno);
        bytes.remove_prefix(static_cast<std::size_t>(wrote));
        offset += static_cast<std::uint64_t>(wrote);
    }
    return {};
}

Result<void> append_once(int fd, std::string_view bytes, std::string_view what) {
    const Entry before = TRY(entry_of(fd, what));
    ssize_t wrote = -1;
    do wrote = ::write(fd, bytes.data(), bytes.size());
    while (wrote < 0 && errno == EINTR);
    if (wrote < 0) return os_fail(what, errno);
    if (static_cast<std::size_t>(wrote) == bytes.size()) return {};
    // Half a line would be read as another address.
    if (::ftruncate(fd, static_cast<off_t>(before.size)) < 0) return os_fail(what, errno);
    return os_fail(what, ENOSPC);
}

}  // namespace greylag::sys
