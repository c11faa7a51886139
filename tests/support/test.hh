// What every test file includes: doctest, and a skip that has a name.
#pragma once
#include <doctest/doctest.h>

#include <string>

namespace greylag::test {
void skip(std::string why);  // marks the running test case; use SKIP
}

// Ends the running test case as skipped, with the reason: SKIP("tcpserver is not installed").
#define SKIP(why)                   \
    do {                            \
        ::greylag::test::skip(why); \
        return;                     \
    } while (false)
