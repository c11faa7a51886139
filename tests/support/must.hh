// For the parts of a test that are not under test: the value, or the running test case fails with the error's sentence.
#pragma once
#include <expected>
#include <stdexcept>
#include <string>
#include <utility>

#include "base/result.hh"
#include "sys/clock.hh"

namespace greylag::test {

template <class T, class E>
T must(std::expected<T, E> result) {
    if (!result) throw std::runtime_error(result.error().text);
    if constexpr (!std::is_void_v<T>) return *std::move(result);
}

// What a test waits for at most. Long: it is only ever reached by a test that fails.
inline sys::Deadline soon() { return sys::Deadline::in(base::Seconds(20)); }

// Waits until `condition` holds: a file written, a process gone. False at the deadline.
template <class Condition>
bool eventually(Condition condition, sys::Deadline deadline = soon());

void pause_briefly();  // 2 ms between two looks

template <class Condition>
bool eventually(Condition condition, sys::Deadline deadline) {
    while (!condition()) {
        if (deadline.passed()) return false;
        pause_briefly();
    }
    return true;
}

}  // namespace greylag::test
