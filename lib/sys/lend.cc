// Refuses to know whose octets they are.
#include "sys/lend.hh"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/uio.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <functional>

#include "sys/io.hh"

namespace greylag::sys {

namespace {
// Below it the copy is cheaper than two calls more.
constexpr std::size_t least_lent = 32 << 10;
#ifdef __linux__
constexpr std::size_t room_in_pipe = 256 << 10;
constexpr bool can_lend = true;
#else
constexpr bool can_lend = false;
#endif
}  // namespace

Loan::Loan(std::string_view text) : text_(text) {
    if (!can_lend || text.size() < least_lent) return;
    void* const pages = ::mmap(nullptr, text.size(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED) return;
    pages_ = static_cast<char*>(pages);
    std::memcpy(pages_, text.data(), text.size());
}

Loan::~Loan() {
    if (pages_ != nullptr) ::munmap(pages_, text_.size());
}

std::string_view Loan::find(std::string_view piece) const {
    const std::less_equal<> in_order;
    if (pages_ == nullptr || piece.size() < least_lent || !in_order(text_.data(), piece.data()) ||
        !in_order(piece.data() + piece.size(), text_.data() + text_.size()))
        return {};
    return {pages_ + (piece.data() - text_.data()), piece.size()};
}

Result<std::size_t> Lender::write_now(int fd, std::span<const std::string_view> pieces) {
    std::size_t before = 0, which = 0;
    std::string_view lent;
    for (; which < pieces.size() && !refused_; ++which) {
        lent = loan_.find(pieces[which]);
        if (!lent.empty()) break;
        before += pieces[which].size();
    }
    if (lent.empty()) return sys::write_now(fd, pieces);
    std::size_t taken = TRY(sys::write_now(fd, pieces.first(which), true));
    if (taken != before) return taken;
    const auto behind = pieces.subspan(which + 1);
    const bool more = std::any_of(behind.begin(), behind.end(), [](std::string_view piece) { return !piece.empty(); });
    taken += TRY(lend(fd, lent, more));
    if (taken != before + lent.size()) return taken;
    return taken + TRY(sys::write_now(fd, behind));
}

#ifdef __linux__
// Through a pipe that is empty before and after: vmsplice(2) puts pages in, splice(2) hands them on.
Result<std::size_t> Lender::lend(int fd, std::string_view piece, bool more) {
    std::size_t taken = 0;
    while (taken != piece.size()) {
        if (!pipe_.read) {
            auto pipe = make_pipe();
            if (!pipe) break;
            pipe_ = std::move(*pipe);
            // A system that allows no more than the usual sixteen pages is asked more often.
            ::fcntl(pipe_.write.get(), F_SETPIPE_SZ, static_cast<int>(room_in_pipe));
        }
        const iovec part{const_cast<char*>(piece.data() + taken), piece.size() - taken};
        const ssize_t in = ::vmsplice(pipe_.write.get(), &part, 1, SPLICE_F_NONBLOCK);
        if (in <= 0) break;
        const auto size = static_cast<std::size_t>(in);
        const bool behind = more || taken + size != piece.size();
        const ssize_t out =
            ::splice(pipe_.read.get(), nullptr, fd, nullptr, size, SPLICE_F_NONBLOCK | (behind ? SPLICE_F_MORE : 0U));
        if (out == in) {
            taken += size;
            continue;
        }
        // What the socket did not take goes with its pipe.
        const int code = out < 0 ? errno : EAGAIN;
        pipe_ = {};
        if (code != EAGAIN && code != EINTR) break;
        return taken + (out > 0 ? static_cast<std::size_t>(out) : 0);
    }
    if (taken == piece.size()) return taken;
    // The copy says what is wrong with the connection; when nothing is, it was the way that was refused.
    const std::string_view rest = piece.substr(taken);
    taken += TRY(sys::write_now(fd, {&rest, 1}, more));
    refused_ = true;
    return taken;
}
#else
Result<std::size_t> Lender::lend(int fd, std::string_view piece, bool more) { return sys::write_now(fd, {&piece, 1}, more); }
#endif

}  // namespace greylag::sys
