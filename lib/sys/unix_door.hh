// A listening socket of the file system, for one who serves one client after the other.
#pragma once
#include <cstdint>
#include <string>

#include "base/result.hh"
#include "sys/clock.hh"
#include "sys/fd.hh"

namespace greylag::sys {

// Mode 0600: the session behind it is its owner's. An existing name is an error. The name goes with the door, where it is still
// the one that was made.
class UnixDoor {
public:
    static Result<UnixDoor> open(const std::string& path);
    ~UnixDoor();
    UnixDoor(UnixDoor&&) noexcept = default;
    UnixDoor& operator=(UnixDoor&&) = delete;

    // The next client, close-on-exec; Kind::timeout when none came.
    Result<Fd> accept(Deadline deadline) const;
    int descriptor() const { return fd_.get(); }

private:
    UnixDoor(Fd fd, std::string path, std::uint64_t device, std::uint64_t inode)
        : fd_(std::move(fd)), path_(std::move(path)), device_(device), inode_(inode) {}
    Fd fd_;
    std::string path_;
    std::uint64_t device_, inode_;
};

}  // namespace greylag::sys
