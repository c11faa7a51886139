// Reads a text file of any size line by line, from one offset to another, in one room that grows with the longest line.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hh"

namespace greylag::grey {

// The lines of an open text, one at a time.
class LineScan {
public:
    LineScan(int fd, std::uint64_t from, std::uint64_t to, std::string what);
    // Without its end; valid until the next call. Nothing behind the last one.
    Result<std::optional<std::string_view>> next();
    bool ended() const { return ended_; }             // it had a line end
    std::uint64_t offset() const { return offset_; }  // behind it

private:
    Result<bool> fill();
    int fd_;
    std::uint64_t read_to_, to_, offset_;
    std::string what_;
    std::unique_ptr<char[]> room_;
    std::size_t size_, begin_ = 0, end_ = 0;
    bool ended_ = false;
};

}  // namespace greylag::grey
