// Descriptors by the hundred: all ways of waiting say the same.
#include "sys/events.hh"

#include <map>
#include <vector>

#include "sys/fd.hh"
#include "sys/io.hh"
#include "tests/support/must.hh"
#include "tests/support/test.hh"

using namespace greylag;
using sys::Events;
using test::must;

namespace {

sys::Deadline at_once() { return sys::Deadline::in(base::Millis(0)); }

// token -> "r", "w", "rw"
std::map<std::size_t, std::string> seen(Events& events, sys::Deadline deadline) {
    std::map<std::size_t, std::string> out;
    for (const auto& ready : must(events.wait(deadline)))
        out[ready.token] = std::string(ready.read ? "r" : "") + (ready.write ? "w" : "");
    return out;
}

// Those that this system has.
std::vector<Events::Way> ways() {
    std::vector<Events::Way> out{Events::Way::best, Events::Way::poll};
    if (Events::create(Events::Way::kqueue)) out.push_back(Events::Way::kqueue);
    return out;
}

}  // namespace

TEST_CASE("events: what was asked for is said, until it is taken") {
    for (const auto way : ways()) {
        Events events = must(Events::create(way));
        auto [ours, theirs] = must(sys::make_socketpair());
        must(events.add(ours.get(), 7, true, false));
        CHECK(seen(events, at_once()).empty());
        must(sys::write_all(theirs.get(), "x", test::soon()));
        for (int i = 0; i < 2; ++i) CHECK(seen(events, test::soon()) == std::map<std::size_t, std::string>{{7, "r"}});
        must(events.change(ours.get(), 8, true, true));
        CHECK(seen(events, test::soon()) == std::map<std::size_t, std::string>{{8, "rw"}});
        char room[8];
        CHECK(must(sys::read_now(ours.get(), room)) == 1U);
        CHECK_FALSE(must(sys::read_now(ours.get(), room)).has_value());
        CHECK(seen(events, test::soon()) == std::map<std::size_t, std::string>{{8, "w"}});
        must(events.change(ours.get(), 8, true, false));
        theirs.reset();
        CHECK(seen(events, test::soon())[8].front() == 'r');
        CHECK(must(sys::read_now(ours.get(), room)) == 0U);
        events.forget(ours.get());
        ours.reset();
        CHECK(seen(events, at_once()).empty());
        if (way != Events::Way::poll) CHECK_FALSE(events.add(-1, 1, true, false).has_value());
    }
}

TEST_CASE("events: of many, those that are ready, and the others undisturbed") {
    for (const auto way : ways()) {
        Events events = must(Events::create(way));
        std::vector<std::pair<sys::Fd, sys::Fd>> pairs;
        for (std::size_t i = 0; i < 300; ++i) {
            pairs.push_back(must(sys::make_socketpair()));
            must(events.add(pairs[i].first.get(), i, true, false));
        }
        for (std::size_t i = 0; i < 300; i += 7) must(sys::write_all(pairs[i].second.get(), "x", test::soon()));
        for (std::size_t i = 0; i < 300; i += 3) events.forget(pairs[i].first.get()), pairs[i].first.reset();
        std::map<std::size_t, std::string> all = seen(events, test::soon());
        for (std::size_t i = 0; i < 300; ++i) CHECK(all.contains(i) == (i % 7 == 0 && i % 3 != 0));
    }
}

TEST_CASE("events: pieces are written as one, as far as they are taken") {
    auto [ours, theirs] = must(sys::make_socketpair());
    const std::vector<std::string_view> pieces{"one ", "", "two ", "three"};
    CHECK(must(sys::write_now(ours.get(), pieces)) == 13);
    char room[64];
    const auto count = must(sys::read_now(theirs.get(), room));
    CHECK(std::string_view(room, count.value_or(0)) == "one two three");
    CHECK(must(sys::write_now(ours.get(), {})) == 0);
    const std::string large(8 << 20, 'x');
    const std::string_view piece = large;
    const std::size_t taken = must(sys::write_now(ours.get(), {&piece, 1}));
    CHECK(taken > 0);
    CHECK(taken < large.size());
    CHECK(must(sys::write_now(ours.get(), {&piece, 1})) == 0);
    theirs.reset();
    const auto broken = sys::write_now(ours.get(), {&piece, 1});
    REQUIRE_FALSE(broken.has_value());
    CHECK(broken.error().kind == Kind::closed);
}

TEST_CASE("events: the limit of descriptors is raised as far as it goes") {
    const std::size_t before = sys::raise_descriptor_limit(1);
    CHECK(before >= 1);
    CHECK(sys::raise_descriptor_limit(before) == before);
}
