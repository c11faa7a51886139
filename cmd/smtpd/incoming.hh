// The message that a session is receiving: its name, what stands in front of it, its octets on the way to the spool, and how fast
// they come. Between messages it holds none.
#pragma once
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "cmd/smtpd/front.hh"
#include "sys/spool.hh"

namespace greylag::smtpd {

class Incoming {
public:
    // `session` names the first message; each further one has its number behind it. `before`: how many there were already.
    Incoming(std::string directory, std::string session, unsigned before)
        : directory_(std::move(directory)), session_(std::move(session)), count_(before), spool_(directory_) {}

    const std::string& id() const { return id_; }
    unsigned count() const { return count_; }
    sys::Spool& spool() { return spool_; }

    void name_next();
    // `trace` goes in front.
    void begin(std::string trace) { front_ = Front(std::move(trace)); }
    void drop() { spool_ = sys::Spool(directory_); }
    void drop_left_over() {
        if (spool_.size() != 0) drop();
    }

    // Octets as they come. What is to stand above the header is asked for once: tags(header) when the header is there, whole or
    // as much of it as is waited for.
    template <class Tags>
    Result<void> store(std::string_view bytes, Tags tags) {
        if (!front_.waiting()) return spool_.append(bytes);
        if (!front_.seen(bytes)) return {};
        return front_.write(tags(front_.header(bytes)), bytes, spool_);
    }
    // The end has come. What the spool says to the rest is asked for when it is finished.
    template <class Tags>
    void end(Tags tags) {
        if (front_.waiting()) (void)front_.write(tags(front_.header({})), {}, spool_);
    }

    // From here on the rate counts; there were `octets` before.
    void start_clock(std::uint64_t octets);
    bool comes_too_slowly(std::uint64_t octets) const;

private:
    std::string directory_, session_, id_;
    unsigned count_;
    sys::Spool spool_;
    Front front_;
    std::chrono::steady_clock::time_point start_;
    std::uint64_t before_ = 0;
};

}  // namespace greylag::smtpd
