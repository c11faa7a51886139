#include "cmd/smtpd/incoming.hh"

#include "cmd/smtpd/pace.hh"
#include "sys/clock.hh"

namespace greylag::smtpd {

void Incoming::name_next() {
    id_ = session_ + (count_ == 0 ? "" : "." + std::to_string(count_));
    ++count_;
    drop();
}

void Incoming::start_clock(std::uint64_t octets) {
    start_ = sys::stopwatch();
    before_ = octets;
}

bool Incoming::comes_too_slowly(std::uint64_t octets) const { return too_slow(octets - before_, sys::since(start_)); }

}  // namespace greylag::smtpd
