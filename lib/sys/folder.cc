#include "sys/folder.hh"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>

#include "sys/file.hh"

namespace greylag::sys {

namespace {

#ifdef O_PATH
constexpr int look = O_PATH | O_DIRECTORY | O_CLOEXEC;
#else
constexpr int look = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
#endif

// No such name can be there: that is an answer and no fault.
bool absent(int code) { return code == ENOENT || code == ENAMETOOLONG; }

}  // namespace

Result<Folder> Folder::open(const std::string& path) {
    Fd fd(::open(path.c_str(), look));
    if (!fd) return os_fail(path, errno);
    return Folder(std::move(fd), path);
}

Result<bool> Folder::holds(std::initializer_list<const char*> folders, const std::string& name) const {
    if (name.empty() || name == "." || name == ".." || name.find('/') != std::string::npos) return false;
    std::string where = path_;
    Fd inner;
    for (const char* folder : folders) {
        where = join(where, folder);
        Fd next(::openat(inner ? inner.get() : fd_.get(), folder, look | O_NOFOLLOW));
        if (!next && absent(errno)) return false;
        if (!next) return os_fail(where, errno);
        inner = std::move(next);
    }
    struct stat info {};
    if (::fstatat(inner ? inner.get() : fd_.get(), name.c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0) return S_ISREG(info.st_mode);
    if (absent(errno)) return false;
    return os_fail(join(where, name), errno);
}

}  // namespace greylag::sys
