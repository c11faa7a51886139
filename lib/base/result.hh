// Errors are values: what every fallible function of greylag returns.
//
// An Error says what kind of fault it is, whether trying again can help, the errno or library code
// behind it, and one human sentence that names what and where. No exception crosses a room's header;
// memory that runs out ends the process (the peer retries).
#pragma once
#include <cstdint>
#include <expected>
#include <string>
#include <utility>

namespace greylag::base {

enum class Kind : std::uint8_t {
    syntax,       // the input is not what its grammar allows
    usage,        // the caller's command line
    config,       // a configuration file
    not_found,    // it is not there: a file, a user, a name
    denied,       // it is there and not for us
    io,           // the operating system said no
    timeout,      // a deadline passed
    closed,       // the other end went away
    limit,        // more than we are willing to take
    protocol,     // the other end broke the protocol
    unavailable,  // a service (DNS, a helper) cannot answer now
    internal,     // our own mistake
};

enum class Lasting : std::uint8_t { temporary, permanent };

struct Error {
    Kind kind = Kind::internal;
    Lasting lasting = Lasting::permanent;
    int code = 0;      // errno or a library's own number; 0 when there is none. Never shown to people.
    std::string text;  // "what: why", complete without the code, no line end
};

template <class T>
using Result = std::expected<T, Error>;

// The common makers. `text` is the whole sentence.
inline std::unexpected<Error> fail(Kind kind, std::string text) {
    return std::unexpected(Error{kind, Lasting::permanent, 0, std::move(text)});
}
inline std::unexpected<Error> fail_later(Kind kind, std::string text, int code = 0) {
    return std::unexpected(Error{kind, Lasting::temporary, code, std::move(text)});
}

}  // namespace greylag::base

namespace greylag {
using base::Error;
using base::Kind;
using base::Lasting;
using base::Result;
}  // namespace greylag

// TRY(expr): the value of a Result, or return its error from the enclosing function.
#define GREYLAG_JOIN_(a, b) a##b
#define GREYLAG_JOIN(a, b) GREYLAG_JOIN_(a, b)
#define GREYLAG_TRY_(name, ...)                                     \
    (__extension__({                                                \
        auto name = (__VA_ARGS__);                                  \
        if (!name) return std::unexpected(std::move(name).error()); \
        *std::move(name);                                           \
    }))
#define TRY(...) GREYLAG_TRY_(GREYLAG_JOIN(try_, __COUNTER__), __VA_ARGS__)
