// Delivery into a Maildir, durable when it returns (maildir(5)).
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hh"

namespace greylag::mailbox {

// A message written under tmp and fsynced, not yet visible. The destructor removes it unless commit() succeeded.
class Draft {
public:
    // Makes the Maildir (tmp new cur, 0700) where it is missing, writes `prefix` and then `message` from `offset` to its end.
    static Result<Draft> write(const std::string& maildir, std::string_view prefix, int message, std::uint64_t offset);
    Draft(Draft&& other) noexcept;
    Draft& operator=(Draft&&) = delete;
    ~Draft();
    // Renames to new/ and fsyncs that directory (and every directory newly made). Returns the name in new/.
    Result<std::string> commit();

private:
    Draft(std::string maildir, std::string name) : maildir_(std::move(maildir)), name_(std::move(name)) {}
    std::string maildir_, name_;
    bool there_ = true;
};

}  // namespace greylag::mailbox
