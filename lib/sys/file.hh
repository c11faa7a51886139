// Files to bytes and back, durably.
#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hh"
#include "sys/fd.hh"

namespace greylag::sys {

// Directories made on the way get `mode` less the umask; existing ones are left alone. Each newly made one is fsynced into its
// parent.
Result<void> make_directories(const std::string& path, unsigned mode = 0700);

enum class Guard { none, not_writable_by_others, private_to_owner };
// The whole regular file, `limit` bytes at most. not_writable_by_others refuses a group- or world-writable file,
// private_to_owner one that others may read; both refuse what is not a regular file.
Result<std::string> read_file(const std::string& path, std::size_t limit, Guard guard = Guard::none);

// Writes into what `path` names, a file, a terminal or a pipe; a new file gets `mode` less the umask. Not durable.
// A pipe that nobody reads is an error at once, one that is read no further after a minute.
Result<void> write_file(const std::string& path, std::string_view bytes, unsigned mode);

struct Owner {
    std::uint32_t uid = 0;
    std::uint32_t gid = 0;
};
// Replaces `path` by new content: temporary file beside it, fsync, rename, fsync of the directory. A link stays, and what it
// names is replaced. As far as we may give files away, the new one is the old one's owner's, and `owner`'s where none was.
Result<void> replace_file(const std::string& path, std::string_view bytes, unsigned mode, std::optional<Owner> owner = {});

Result<void> fsync_directory(const std::string& path);

struct Status {
    bool directory = false;
    bool regular = false;
    bool executable = false;  // by this process
    std::uint64_t size = 0;
    std::int64_t mtime = 0;  // seconds
};
Result<Status> status(const std::string& path);  // follows links
bool writable_directory(const std::string& path);
Result<std::vector<std::string>> list_directory(const std::string& path);  // names without . and .., sorted

// Bytes a process of this user may still write where `path` lives.
Result<std::uint64_t> free_space(const std::string& path);

Result<Fd> open_read(const std::string& path);
// Creates anew: an existing name is an error. O_EXCL, O_NOFOLLOW.
Result<Fd> create_file(const std::string& path, unsigned mode);

// DIR/NAME without doubling the slash.
std::string join(std::string_view directory, std::string_view name);

}  // namespace greylag::sys
