// One message on its way to the mailer: in memory up to 1 MiB, then in an unlinked file. Never shared, never reused: a
// reused file could show one person's mail to another's mailer.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.hh"
#include "sys/fd.hh"

namespace greylag::sys {

class Spool {
public:
    static constexpr std::size_t memory_limit = 1 << 20;

    // `directory` is where a large message goes (STATE/spool); it is not touched before it is needed.
    explicit Spool(std::string directory) : directory_(std::move(directory)) {}

    // After the first error nothing more is kept and every later call repeats that error.
    Result<void> append(std::string_view bytes);
    std::uint64_t size() const { return size_; }

    // The complete message as a read-only (sealed, where it is memory) seekable descriptor at offset 0. Call once.
    Result<Fd> finish();

private:
    Result<void> put(std::string_view bytes);
    Result<void> choose(std::uint64_t total);
    Result<void> open_file();
    Result<Fd> complete();
    Error broken(Error error);

    std::string directory_;
    std::string pending_;  // not yet written
    Fd fd_;
    Fd reader_;  // the same file, opened for reading only
    bool in_memory_ = false;
    std::uint64_t written_ = 0;
    std::uint64_t size_ = 0;
    std::optional<Error> error_;
};

}  // namespace greylag::sys
