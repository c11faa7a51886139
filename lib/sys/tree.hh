// A directory held open, and what lies in it: every name is one component, no link is followed, nothing is looked at twice under
// two identities. For state that other users must not be able to bend (symbolic links, hard links, directories replaced).
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hh"
#include "sys/clock.hh"
#include "sys/fd.hh"

namespace greylag::sys {

struct Entry {
    enum class What : std::uint8_t { regular, directory, other };
    What what = What::other;
    std::uint64_t device = 0, inode = 0, size = 0, links = 0;
    std::int64_t modified = 0, changed = 0;  // nanoseconds since 1970
    unsigned mode = 0;                       // permission bits
    unsigned owner = 0;

    bool same_file(const Entry& other) const { return device == other.device && inode == other.inode; }
};
Result<Entry> entry_of(int fd, std::string_view what);  // `what`: the name in the error's sentence

class Directory {
public:
    // By path; links on the way are the administrator's and followed.
    static Result<Directory> open(const std::string& path);
    // The same, but the last component is ours and no link, as with enter().
    static Result<Directory> open_own(const std::string& path);

    // A directory below this one: ours, and no link (Kind::denied).
    Result<Directory> enter(const std::string& name) const;
    Result<Directory> enter_or_make(const std::string& name) const;  // 0700
    // That a directory of that name is below this one, ours and no link; made when it is not there. Nobody else can put another
    // one in its place: so "a/b" may be asked for when "a" was, and names below it may begin with it. Dearer to open than to ask.
    Result<void> ensure(const std::string& name) const;

    // Its owner is this process's user or root (anybody when this process is root), and nobody else may write it.
    bool owns(const Entry& entry) const;
    Result<Entry> look(const std::string& name) const;  // a link is Entry::What::other

    // A regular file, not through a link (Kind::denied otherwise), and what it was when it was opened.
    struct File {
        Fd fd;
        Entry entry;
    };
    Result<File> open_read(const std::string& name) const;
    Result<File> open_write(const std::string& name) const;                   // in place, also readable
    Result<File> open_append(const std::string& name, unsigned mode) const;   // made when it is not there; also readable
    Result<File> create(const std::string& name, unsigned mode) const;        // Kind::io when it exists
    Result<bool> create_empty(const std::string& name, unsigned mode) const;  // false: the name was taken

    Result<void> touch(const std::string& name) const;  // modified now
    Result<void> rename(const std::string& from, const std::string& to) const;
    Result<void> remove(const std::string& name) const;
    bool remove_directory(const std::string& name) const;  // only an empty one
    Result<void> sync() const;

    Result<std::vector<std::string>> names() const;  // without . and .., in the order of the disk
    const std::string& path() const { return path_; }

private:
    Directory(Fd fd, std::string path, unsigned self) : fd_(std::move(fd)), path_(std::move(path)), self_(self) {}
    std::string at(std::string_view name) const { return path_ + "/" + std::string(name); }
    Result<File> open_regular(const std::string& name, int flags, unsigned mode) const;
    Fd fd_;
    std::string path_;
    unsigned self_;  // this process's user
};

Result<void> flush_to_disk(int fd, std::string_view what);  // fsync(2)
// Owner, group and mode of `like`, as far as this process may.
void copy_rights(int like, int to);

// flock(2), exclusive, until the descriptor is closed; Kind::timeout at the deadline. `what` names it in the error's sentence.
Result<void> lock(int fd, Deadline deadline, std::string_view what);
bool try_lock(int fd);

// At most `room` bytes from `offset`, fewer only at the end of the file.
Result<std::size_t> read_at(int fd, std::span<char> room, std::uint64_t offset, std::string_view what);
// All of it in place.
Result<void> write_at(int fd, std::string_view bytes, std::uint64_t offset, std::string_view what);
// One write(2) at the end of a file opened by open_append and locked; a part that was written is taken back.
Result<void> append_once(int fd, std::string_view bytes, std::string_view what);

}  // namespace greylag::sys
