#include "sys/race.hh"

#include "tests/support/stream.hh"
#include "tests/support/test.hh"

using namespace greylag;
using namespace greylag::test;

namespace {

sys::End end_at(const char* address, std::uint16_t port) { return {*mail::IpAddress::parse(address), port}; }

}  // namespace

TEST_CASE("sys: the first address that answers wins, those that refuse are marked") {
    const Listening door = must(listen_at("127.0.0.1"));
    const std::uint16_t closed = must(listen_at("127.0.0.1")).port;
    std::vector<bool> failed;
    const sys::End ends[] = {end_at("127.0.0.1", closed), end_at("127.0.0.1", door.port), end_at("127.0.0.1", closed)};
    const auto dialled = sys::dial_first(ends, base::Seconds(10), soon(), failed);
    REQUIRE(dialled);
    CHECK(dialled->which == 1);
    CHECK(failed == std::vector<bool>{true, false, false});
}

TEST_CASE("sys: nobody answers") {
    const std::uint16_t closed = must(listen_at("127.0.0.1")).port;
    std::vector<bool> failed;
    const sys::End ends[] = {end_at("127.0.0.1", closed), end_at("127.0.0.2", closed)};
    const auto dialled = sys::dial_first(ends, base::Millis(1), soon(), failed);
    REQUIRE(!dialled);
    CHECK(dialled.error().lasting == Lasting::temporary);
    CHECK(dialled.error().text.find("127.0.0.2:" + std::to_string(closed) + ": Connection refused") != std::string::npos);
    CHECK(failed == std::vector<bool>{true, true});
    CHECK(!sys::dial_first({}, base::Millis(1), soon(), failed));
}

// A listener whose queue is full says nothing at all, like a host behind a broken path.
TEST_CASE("sys: a silent address costs the patience and no more") {
    const Listening silent = must(listen_at("127.0.0.1"));
    std::vector<Result<Stream>> queued;
    std::vector<bool> failed;
    const sys::End alone[] = {end_at("127.0.0.1", silent.port)};
    bool full = false;
    std::vector<sys::Dialled> held;
    for (int i = 0; i < 5000 && !full; ++i) {
        auto one = sys::dial_first(alone, base::Millis(1), sys::Deadline::in(base::Millis(200)), failed);
        full = !one;
        if (one) held.push_back(std::move(*one));
        if (held.size() > 4500) break;
    }
    if (!full) SKIP("the queue of a listener has no end here");
    const Listening door = must(listen_at("127.0.0.1"));
    const sys::End ends[] = {end_at("127.0.0.1", silent.port), end_at("127.0.0.1", door.port)};
    const auto begun = sys::stopwatch();
    const auto dialled = sys::dial_first(ends, base::Millis(50), soon(), failed);
    REQUIRE(dialled);
    CHECK(dialled->which == 1);
    CHECK(sys::since(begun) >= base::Millis(50));
    CHECK(sys::since(begun) < base::Millis(5000));
    const auto late = sys::dial_first(alone, base::Millis(50), sys::Deadline::in(base::Millis(50)), failed);
    REQUIRE(!late);
    CHECK(late.error().kind == Kind::timeout);
}
