// Octets by their pages: what arrives is what was written, whoever copied it and however little fitted at a time.
#include "sys/lend.hh"

#include <fcntl.h>
#include <sys/socket.h>

#include <algorithm>
#include <csignal>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "sys/io.hh"
#include "tests/support/must.hh"
#include "tests/support/test.hh"

using namespace greylag;
using test::must;

namespace {

std::pair<sys::Fd, sys::Fd> pair() {
    auto made = must(sys::make_socketpair());
    for (const int fd : {made.first.get(), made.second.get()}) REQUIRE(::fcntl(fd, F_SETFL, O_NONBLOCK) == 0);
    return made;
}

std::string numbered(std::size_t size) {
    std::string text;
    for (std::size_t i = 0; text.size() < size; ++i) text += std::to_string(i) + " ";
    text.resize(size);
    return text;
}

// What comes out at `theirs` when the pieces are written until all is gone.
std::string across(sys::Lender& lender, int ours, int theirs, std::vector<std::string_view> pieces) {
    std::string got;
    std::vector<char> room(1 << 16);
    std::size_t left = 0;
    for (const auto piece : pieces) left += piece.size();
    for (;;) {
        if (left != 0) {
            std::size_t taken = must(lender.write_now(ours, pieces));
            left -= taken;
            for (auto& piece : pieces) {
                const std::size_t cut = std::min(taken, piece.size());
                piece.remove_prefix(cut);
                taken -= cut;
            }
        }
        while (const auto count = must(sys::read_now(theirs, room))) got.append(room.data(), *count);
        if (left == 0) break;
    }
    return got;
}

}  // namespace

TEST_CASE("lend: the octets arrive in their order, lent and copied ones") {
    const std::string text = numbered(700'000);
    const std::string_view all = text;
    const std::string other = numbered(100'000);
    const sys::Loan loan(text);
    sys::Lender lender(loan);
    const std::vector<std::vector<std::string_view>> cases{
        {all},
        {"head", all, "", "tail"},
        {"", all.substr(0, 100'000), "rest", "\r\n", ".\r\n"},
        {"head", all.substr(123, 99'920)},
        {"head", all.substr(0, 100), "tail"},
        {"head", other, "tail"},
        {all.substr(50'000), all.substr(0, 50'000)},
        {"nothing"},
        {},
    };
    for (const int room : {0, 4096}) {
        auto [ours, theirs] = pair();
        if (room != 0) ::setsockopt(ours.get(), SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
        for (const auto& pieces : cases) {
            std::string wanted;
            for (const auto piece : pieces) wanted += piece;
            CHECK(across(lender, ours.get(), theirs.get(), pieces) == wanted);
        }
    }
}

TEST_CASE("lend: only a worthwhile piece of that very text is lent, and out of pages of its own") {
    const std::string text = numbered(100'000);
    const sys::Loan loan(text);
    const std::string same = text;
    CHECK(loan.find(same).empty());
    CHECK(loan.find(std::string_view(text).substr(0, 100)).empty());
    CHECK(loan.find({}).empty());
    const auto found = loan.find(std::string_view(text).substr(1000));
    if (found.empty()) SKIP("this system lends nothing");
    CHECK(found == std::string_view(text).substr(1000));
    CHECK(found.data() != text.data() + 1000);
    CHECK(sys::Loan("short").find("short").empty());
}

TEST_CASE("lend: a receiver reads what was lent after the lender is gone") {
    auto [ours, theirs] = pair();
    const std::string text = numbered(65'000);
    {
        const sys::Loan loan(text);
        sys::Lender lender(loan);
        const std::string_view piece = text;
        REQUIRE(must(lender.write_now(ours.get(), {&piece, 1})) == text.size());
    }
    ours.reset();
    std::string got;
    std::vector<char> room(1 << 16);
    while (const std::size_t count = must(sys::read_some(theirs.get(), room, test::soon()))) got.append(room.data(), count);
    CHECK(got == text);
}

TEST_CASE("lend: a connection that is gone says so") {
    // As sane_process() has it in every program.
    struct Quiet {
        void (*before)(int) = std::signal(SIGPIPE, SIG_IGN);
        ~Quiet() { std::signal(SIGPIPE, before); }
    } const quiet;
    const std::string text = numbered(100'000);
    const sys::Loan loan(text);
    sys::Lender lender(loan);
    auto [ours, theirs] = pair();
    theirs.reset();
    const std::string_view pieces[] = {"", text, "tail"};
    const auto written = lender.write_now(ours.get(), pieces);
    REQUIRE_FALSE(written.has_value());
    CHECK(written.error().kind == Kind::closed);
    // That was the connection's fault, not the way's.
    std::tie(ours, theirs) = pair();
    CHECK(across(lender, ours.get(), theirs.get(), {pieces[0], pieces[1], pieces[2]}) == text + "tail");
}
