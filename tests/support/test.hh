// What every test file includes: doctest, and a skip that has a name.
#pragma once
#include <doctest/doctest.h>

#include <string>
#include <string_view>

namespace greylag::test {
void skip(std::string why);  // marks the running test case; use SKIP

// One more test in the final count, for tests that are files: a dialogue each. A failure fails the program, too.
void count(std::string_view name, bool ok);

// The running test program, absolute; for what must run it again.
const std::string& own_program();
}  // namespace greylag::test

// Ends the running test case as skipped, with the reason: SKIP("tcpserver is not installed").
#define SKIP(why)                   \
    do {                            \
        ::greylag::test::skip(why); \
        return;                     \
    } while (false)
