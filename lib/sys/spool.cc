// A message while it arrives. Small ones never touch a file system: an inode made and deleted for each message is what makes
// ext4 slow, and memory needs no cleaning up after a crash.
#include "sys/spool.hh"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>

#include "sys/file.hh"
#include "sys/io.hh"

namespace greylag::sys {

namespace {

constexpr std::size_t gather = 64 << 10;  // smaller appends are collected up to this

Fd memory_file() {
#ifdef MFD_ALLOW_SEALING
    return Fd(::memfd_create("message", MFD_CLOEXEC | MFD_ALLOW_SEALING));
#else
    return Fd();
#endif
}

std::string self_path(const Fd& fd) { return "/proc/self/fd/" + std::to_string(fd.get()); }

Result<void> copy_all(int from, int to) {
    char block[65536];
    for (off_t at = 0;;) {
        const ssize_t count = ::pread(from, block, sizeof block, at);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return os_fail("spool", errno);
        if (count == 0) return {};
        TRY(write_all(to, {block, static_cast<std::size_t>(count)}, Deadline::never()));
        at += count;
    }
}

}  // namespace

// Whatever goes wrong here is our trouble, never the message's: the sender may come again.
Error Spool::broken(Error error) {
    error.lasting = Lasting::temporary;
    error_ = error;
    pending_ = std::string();
    fd_.reset();
    reader_.reset();
    return error;
}

Result<void> Spool::append(std::string_view bytes) {
    if (error_) return std::unexpected(*error_);
    size_ += bytes.size();
    if (pending_.size() + bytes.size() <= gather) {
        pending_ += bytes;
        return {};
    }
    // What is big enough goes straight to the kernel: a large message is not copied once more on its way.
    auto put_both = [&]() -> Result<void> {
        TRY(put(pending_));
        pending_.clear();
        if (bytes.size() >= gather / 4) return put(bytes);
        pending_ += bytes;
        return {};
    };
    auto result = put_both();
    if (!result) return std::unexpected(broken(std::move(result).error()));
    return {};
}

Result<void> Spool::put(std::string_view bytes) {
    if (bytes.empty()) return {};
    TRY(choose(written_ + bytes.size()));
    auto result = write_all(fd_.get(), bytes, Deadline::never());
    if (!result) return os_fail(in_memory_ ? "spool in memory" : directory_, result.error().code);
    written_ += bytes.size();
    return {};
}

// Makes the place where `total` bytes belong, and moves what is there already.
Result<void> Spool::choose(std::uint64_t total) {
    if (total <= memory_limit) {
        if (fd_) return {};
        fd_ = memory_file();
        in_memory_ = static_cast<bool>(fd_);
        return in_memory_ ? Result<void>{} : open_file();
    }
    if (fd_ && !in_memory_) return {};
    const Fd memory = std::move(fd_);
    in_memory_ = false;
    TRY(open_file());
    return memory ? copy_all(memory.get(), fd_.get()) : Result<void>{};
}

Result<void> Spool::open_file() {
    if (!status(directory_)) TRY(make_directories(directory_));
#ifdef O_TMPFILE
    fd_.reset(::open(directory_.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
    if (fd_) {
        reader_.reset(::open(self_path(fd_).c_str(), O_RDONLY | O_CLOEXEC));
        return {};
    }
    if (errno != EOPNOTSUPP && errno != EISDIR && errno != ENOENT && errno != EINVAL) return os_fail(directory_, errno);
#endif
    std::string name = join(directory_, "message.XXXXXX");
    fd_.reset(::mkostemp(name.data(), O_CLOEXEC));
    if (!fd_) return os_fail(directory_, errno);
    reader_.reset(::open(name.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    if (::unlink(name.c_str()) < 0) return os_fail(name, errno);
    return {};
}

Result<Fd> Spool::finish() {
    if (error_) return std::unexpected(*error_);
    auto result = complete();
    if (!result) return std::unexpected(broken(std::move(result).error()));
    return result;
}

Result<Fd> Spool::complete() {
    TRY(put(pending_));
    pending_ = std::string();
    TRY(choose(written_));  // the empty message is a file too
#ifdef MFD_ALLOW_SEALING
    if (in_memory_ && ::fcntl(fd_.get(), F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0) {
        return os_fail("spool in memory", errno);
    }
#endif
    if (reader_) {
        fd_.reset();
        return std::move(reader_);
    }
    if (::lseek(fd_.get(), 0, SEEK_SET) < 0) return os_fail(directory_, errno);
    return std::move(fd_);
}

}  // namespace greylag::sys
