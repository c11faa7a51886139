// A tree of folders whose file names are the data (upas ratify): "is there such a file", asked so that nothing outside the tree
// can answer.
#pragma once
#include <initializer_list>
#include <string>

#include "base/result.hh"
#include "sys/fd.hh"

namespace greylag::sys {

class Folder {
public:
    static Result<Folder> open(const std::string& path);

    // Whether the regular file `name` is there, `folders` deep. A folder or name that is missing is a no; one with a slash, "."
    // and ".." are no, too. A symbolic link is never followed below the folder that was opened: as a folder it is an error, as
    // the file a no.
    Result<bool> holds(std::initializer_list<const char*> folders, const std::string& name) const;

private:
    Folder(Fd fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}
    Fd fd_;
    std::string path_;
};

}  // namespace greylag::sys
