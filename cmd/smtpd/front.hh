// What stands in front of a message: trace lines, and the warnings that only its header can tell. The trace waits for the end of
// the header; from there on the message goes to the spool as it comes, without a further copy.
#pragma once
#include <string>
#include <string_view>

#include "mail/header.hh"
#include "sys/spool.hh"

namespace greylag::smtpd {

class Front {
public:
    // A longer header is judged by its beginning: nobody may make us keep more than that apart.
    static constexpr std::size_t header_limit = 64 << 10;

    Front() = default;
    explicit Front(std::string trace) : trace_(std::move(trace)), waiting_(true) {}

    // True: the header is complete with `bytes` (or will not be waited for), see header(). False: they are kept.
    bool seen(std::string_view bytes);
    // What has come so far, `bytes` of seen() included.
    std::string_view header(std::string_view bytes) const { return kept_.empty() ? bytes : std::string_view(kept_); }
    bool waiting() const { return waiting_; }

    // Puts the trace, `tags` and what was kept (or else `bytes`) into the spool. Once. An empty line comes between where the
    // message begins with a blank.
    Result<void> write(std::string_view tags, std::string_view bytes, sys::Spool& spool);

private:
    std::string trace_, kept_;
    mail::FieldCounter header_{"from"};
    bool waiting_ = false;
};

}  // namespace greylag::smtpd
