#include "grey/scan.hh"

#include <algorithm>
#include <cstring>

#include "sys/tree.hh"

namespace greylag::grey {

LineScan::LineScan(int fd, std::uint64_t from, std::uint64_t to, std::string what)
    : fd_(fd),
      read_to_(from),
      to_(to),
      offset_(from),
      what_(std::move(what)),
      size_(static_cast<std::size_t>(std::clamp<std::uint64_t>(to - std::min(from, to), 1, 256 << 10))) {
    room_ = std::make_unique_for_overwrite<char[]>(size_);
}

// More octets behind those in hand; false: there are none.
Result<bool> LineScan::fill() {
    if (read_to_ >= to_) return false;
    if (begin_ > 0) {
        std::memmove(room_.get(), room_.get() + begin_, end_ - begin_);
        end_ -= begin_;
        begin_ = 0;
    }
    if (end_ == size_) {
        auto larger = std::make_unique_for_overwrite<char[]>(2 * size_);
        std::memcpy(larger.get(), room_.get(), end_);
        room_ = std::move(larger);
        size_ *= 2;
    }
    const std::size_t want = static_cast<std::size_t>(std::min<std::uint64_t>(size_ - end_, to_ - read_to_));
    const std::size_t got = TRY(sys::read_at(fd_, {room_.get() + end_, want}, read_to_, what_));
    if (got == 0) read_to_ = to_;
    read_to_ += got;
    end_ += got;
    return got > 0;
}

Result<std::optional<std::string_view>> LineScan::next() {
    std::size_t looked = 0;
    for (;;) {
        const char* from = room_.get() + begin_ + looked;
        const std::size_t left = end_ - begin_ - looked;
        const void* end = left == 0 ? nullptr : std::memchr(from, '\n', left);
        ended_ = end != nullptr;
        if (ended_) {
            const std::string_view line(room_.get() + begin_,
                                        static_cast<std::size_t>(static_cast<const char*>(end) - room_.get()) - begin_);
            begin_ += line.size() + 1;
            offset_ += line.size() + 1;
            return line;
        }
        looked = end_ - begin_;
        if (TRY(fill())) continue;
        if (looked == 0) return std::nullopt;
        const std::string_view line(room_.get() + begin_, looked);
        begin_ = end_;
        offset_ += looked;
        return line;
    }
}

}  // namespace greylag::grey
