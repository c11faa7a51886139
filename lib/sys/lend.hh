// Octets that the kernel reads where they stand: what is the same in every message of a load need not be copied into each
// connection (vmsplice(2), splice(2)). Where the system knows no such thing, or refuses it, they are copied as ever.
#pragma once
#include <cstddef>
#include <span>
#include <string_view>

#include "base/result.hh"
#include "sys/fd.hh"

namespace greylag::sys {

// A text's copy in pages of its own, which nobody ever writes to again: a receiver may read them for as long as it likes, even
// when this process is gone. Threads share it. Empty where the system gives none.
class Loan {
public:
    explicit Loan(std::string_view text);
    ~Loan();
    Loan(const Loan&) = delete;
    Loan& operator=(const Loan&) = delete;

    // `piece` as it stands in the pages; empty when it is no piece of the text (of that very memory), or not worth it.
    std::string_view find(std::string_view piece) const;

private:
    std::string_view text_;
    char* pages_ = nullptr;
};

// One thread's; `loan` outlives it.
class Lender {
public:
    explicit Lender(const Loan& loan) : loan_(loan) {}

    // sys::write_now(), the first piece of the loan by its pages. `fd` is a socket that does not block.
    Result<std::size_t> write_now(int fd, std::span<const std::string_view> pieces);

private:
    Result<std::size_t> lend(int fd, std::string_view piece, bool more);

    const Loan& loan_;
    Pipe pipe_;
    bool refused_ = false;
};

}  // namespace greylag::sys
