// One c-ares channel and the questions it carries. Only the resolver includes this.
#pragma once
#define CARES_NO_DEPRECATED
#include <ares.h>

#include <string>
#include <vector>

#include "dns/resolver.hh"

namespace greylag::dns {

struct Question {
    Type type = Type::mx;
    std::string what{};  // "MX example.org": for errors
    sys::Deadline until = sys::Deadline::never();
    bool done = false;
    int status = ARES_SUCCESS;
    std::string packet{};
};

// What c-ares means by a status, in words.
std::string reason(int status);

// One c-ares channel. Its callbacks point at the questions, so it goes before them.
class Channel {
public:
    Channel() = default;
    Channel(const Channel&) = delete;
    Channel& operator=(const Channel&) = delete;
    ~Channel() {
        if (channel_ != nullptr) ::ares_destroy(channel_);
    }

    Result<void> open(const Settings& settings, int flags);
    void send(const std::string& packet, Question& question);
    // Waits for `question` until its time is over or `deadline`; the others go on meanwhile.
    Result<void> wait(const Question& question, sys::Deadline deadline);
    ares_channel get() const { return channel_; }

private:
    Result<void> turn(sys::Deadline deadline);
    ares_channel channel_ = nullptr;
};

// The servers that c-ares found by itself.
std::vector<NameServer> servers_of(ares_channel channel);

}  // namespace greylag::dns
