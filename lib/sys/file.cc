// Files and directories. What must outlive a power cut is fsynced, and so is the directory that names it.
#include "sys/file.hh"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <memory>

#include "base/scope.hh"
#include "sys/host.hh"
#include "sys/io.hh"

namespace greylag::sys {

namespace {

std::string parent(const std::string& path) {
    const auto end = path.find_last_not_of('/');
    if (end == std::string::npos) return path.empty() ? "." : "/";
    const auto slash = path.rfind('/', end);
    if (slash == std::string::npos) return ".";
    return path.substr(0, std::max<std::size_t>(slash, 1));
}

Result<void> check_guard(const std::string& path, mode_t mode, Guard guard) {
    if (guard == Guard::none) return {};
    if (!S_ISREG(mode)) return base::fail(Kind::denied, path + ": not a regular file");
    if (guard == Guard::not_writable_by_others && (mode & 022) != 0) {
        return base::fail(Kind::denied, path + ": writable by its group or by others");
    }
    if (guard == Guard::private_to_owner && (mode & 077) != 0) {
        return base::fail(Kind::denied, path + ": open to its group or to others; mode 0600 is needed");
    }
    return {};
}

Result<void> write_new(const std::string& path, std::string_view bytes, unsigned mode, std::optional<Owner> owner) {
    const Fd fd = TRY(create_file(path, mode));
    if (owner && ::fchown(fd.get(), owner->uid, owner->gid) < 0 && errno != EPERM) return os_fail(path, errno);
    if (::fchmod(fd.get(), static_cast<mode_t>(mode)) < 0) return os_fail(path, errno);  // whatever the umask is
    if (auto written = write_all(fd.get(), bytes, Deadline::never()); !written) return os_fail(path, written.error().code);
    if (::fsync(fd.get()) < 0) return os_fail(path, errno);
    return {};
}

}  // namespace

Result<void> make_directories(const std::string& path, unsigned mode) {
    if (::mkdir(path.c_str(), static_cast<mode_t>(mode)) == 0) return fsync_directory(parent(path));
    int code = errno;
    if (code == ENOENT && parent(path) != path && !path.empty()) {
        if (auto made = make_directories(parent(path), mode); !made) return made;
        if (::mkdir(path.c_str(), static_cast<mode_t>(mode)) == 0) return fsync_directory(parent(path));
        code = errno;
    }
    struct stat info {};
    // A directory that is there is good, even where mkdir would not have been allowed.
    if (::stat(path.c_str(), &info) == 0) return S_ISDIR(info.st_mode) ? Result<void>{} : os_fail(path, ENOTDIR);
    return os_fail(path, code);
}

Result<std::string> read_file(const std::string& path, std::size_t limit, Guard guard) {
    // Not to be held up by a FIFO nobody writes to.
    const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
    if (!fd) return os_fail(path, errno);
    struct stat info {};
    if (::fstat(fd.get(), &info) < 0) return os_fail(path, errno);
    TRY(check_guard(path, info.st_mode, guard));

    // Straight into the text, with a byte more than expected so that the end is seen: a start that reads its configuration
    // pays for every page of a buffer. Files of /proc say 0 and go on longer.
    constexpr std::size_t piece = 4096;
    std::size_t expected = info.st_size > 0 ? static_cast<std::size_t>(info.st_size) : piece;
    std::string text;
    for (;;) {
        const std::size_t have = text.size();
        if (have > expected) expected = have + std::max(piece, have);
        ssize_t count = 0;
        text.resize_and_overwrite(std::min(expected, limit) + 1, [&](char* data, std::size_t size) {
            count = ::read(fd.get(), data + have, size - have);
            return have + static_cast<std::size_t>(std::max<ssize_t>(count, 0));
        });
        if (count == 0) return text;
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return os_fail(path, errno);
        if (text.size() > limit) return base::fail(Kind::limit, path + ": longer than " + std::to_string(limit) + " bytes");
    }
}

Result<void> write_file(const std::string& path, std::string_view bytes, unsigned mode) {
    constexpr int how = O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
    const Fd fd(::open(path.c_str(), how, static_cast<mode_t>(mode)));
    if (!fd) return os_fail(path, errno);
    auto written = write_all(fd.get(), bytes, Deadline::in(base::Seconds(60)));
    if (!written) written.error().text = path + ": " + written.error().text;
    return written;
}

Result<void> replace_file(const std::string& named, std::string_view bytes, unsigned mode, std::optional<Owner> owner) {
    const std::unique_ptr<char, decltype(&std::free)> meant(::realpath(named.c_str(), nullptr), &std::free);
    const std::string path = meant ? meant.get() : named;
    struct stat old {};
    if (::stat(path.c_str(), &old) == 0) owner = Owner{old.st_uid, old.st_gid};
    const std::string temporary = path + "." + make_id() + ".tmp";
    auto written = write_new(temporary, bytes, mode, owner);
    if (written && std::rename(temporary.c_str(), path.c_str()) < 0) written = os_fail(path, errno);
    if (!written) {
        ::unlink(temporary.c_str());
        return written;
    }
    return fsync_directory(parent(path));
}

Result<void> fsync_directory(const std::string& path) {
    const Fd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!fd) return os_fail(path, errno);
    // Some file systems cannot fsync a directory and say so; nothing more can be asked of them.
    if (::fsync(fd.get()) < 0 && errno != EINVAL) return os_fail(path, errno);
    return {};
}

Result<Status> status(const std::string& path) {
    struct stat info {};
    if (::stat(path.c_str(), &info) < 0) return os_fail(path, errno);
    Status result;
    result.directory = S_ISDIR(info.st_mode);
    result.regular = S_ISREG(info.st_mode);
    result.executable = result.regular && ::faccessat(AT_FDCWD, path.c_str(), X_OK, AT_EACCESS) == 0;
    result.size = static_cast<std::uint64_t>(info.st_size);
    result.mtime = info.st_mtime;
    return result;
}

bool writable_directory(const std::string& path) {
    const auto found = status(path);
    return found && found->directory && ::faccessat(AT_FDCWD, path.c_str(), W_OK | X_OK, AT_EACCESS) == 0;
}

Result<std::vector<std::string>> list_directory(const std::string& path) {
    DIR* directory = ::opendir(path.c_str());
    if (directory == nullptr) return os_fail(path, errno);
    const base::Scope closer([directory] { ::closedir(directory); });
    std::vector<std::string> names;
    for (;;) {
        errno = 0;
        const dirent* entry = ::readdir(directory);
        if (entry == nullptr) break;
        const std::string_view name(entry->d_name);
        if (name != "." && name != "..") names.emplace_back(name);
    }
    if (errno != 0) return os_fail(path, errno);
    std::sort(names.begin(), names.end());
    return names;
}

Result<std::uint64_t> free_space(const std::string& path) {
    struct statvfs info {};
    if (::statvfs(path.c_str(), &info) == 0) return static_cast<std::uint64_t>(info.f_bavail) * info.f_frsize;
    const int code = errno;
    // What is not there yet will be made where its parent lives.
    if (code == ENOENT && !path.empty() && parent(path) != path) return free_space(parent(path));
    return os_fail(path, code);
}

Result<Fd> open_read(const std::string& path) {
    Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
    if (!fd) return os_fail(path, errno);
    return fd;
}

Result<Fd> create_file(const std::string& path, unsigned mode) {
    Fd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, static_cast<mode_t>(mode)));
    if (!fd) return os_fail(path, errno);
    return fd;
}

std::string join(std::string_view directory, std::string_view name) {
    std::string path(directory);
    if (!path.empty() && path.back() != '/') path += '/';
    path += name;
    return path;
}

}  // namespace greylag::sys
