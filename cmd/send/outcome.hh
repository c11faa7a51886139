// What became of one address: the words of stderr, the exit status, the notice.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "mailbox/resolve.hh"

namespace greylag::send {

struct Outcome {
    enum class State { open, delivered, later, never };
    State state = State::open;
    int status = 0;    // sysexits(3), for `later` and `never`
    std::string code;  // "550 5.1.1"
    std::string text;
};

// An address of the envelope, or one that an alias led to.
struct Delivery {
    std::string address;
    std::optional<mailbox::Target> target;  // nothing: the recipient led nowhere
    Outcome outcome;
};

inline Outcome delivered() { return {Outcome::State::delivered, 0, {}, {}}; }
Outcome later(std::string text, std::string code = "451 4.3.0");
Outcome never(int status, std::string code, std::string text);

bool any(const std::vector<Delivery>& deliveries, Outcome::State state);
// 75 when any is later; 0 when any is delivered; else the one status of all, EX_UNAVAILABLE when they differ.
int verdict(const std::vector<Delivery>& deliveries);
// "address: code text" and a line end, safe to print; nothing for what was delivered or not tried.
std::string failure_line(const Delivery& delivery);

}  // namespace greylag::send
