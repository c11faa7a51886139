#include "sys/spool.hh"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "sys/file.hh"
#include "sys/io.hh"
#include "tests/support/must.hh"
#include "tests/support/scratch.hh"
#include "tests/support/test.hh"
#include "tests/unit/sys_fixture.hh"

using namespace greylag;
using namespace greylag::test;

namespace {

std::string read_all(int fd) {
    std::string bytes;
    char block[65536];
    while (const std::size_t count = must(sys::read_some(fd, block, soon()))) bytes.append(block, count);
    return bytes;
}

void feed(sys::Spool& spool, std::string_view bytes, std::size_t piece) {
    for (; !bytes.empty(); bytes.remove_prefix(std::min(piece, bytes.size()))) must(spool.append(bytes.substr(0, piece)));
}

constexpr std::size_t limit = sys::Spool::memory_limit;

}  // namespace

TEST_CASE("sys/spool: any size in any pieces comes out as it went in, read-only, at its start") {
    const std::string all = pattern(3 * limit);
    for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{1000}, limit - 1, limit, limit + 1, 3 * limit}) {
        for (const std::size_t piece :
             {std::size_t{997}, std::size_t{16384}, std::size_t{65536}, std::size_t{65537}, 3 * limit}) {
            CAPTURE(size);
            CAPTURE(piece);
            const Scratch scratch;
            const std::size_t before = open_descriptors();
            {
                sys::Spool spool(scratch.at("state/spool"));
                feed(spool, std::string_view(all).substr(0, size), piece);
                CHECK(spool.size() == size);
                const sys::Fd fd = must(spool.finish());
                struct stat info {};
                REQUIRE(::fstat(fd.get(), &info) == 0);
                CHECK(static_cast<std::size_t>(info.st_size) == size);
                CHECK((info.st_mode & 077) * (size > limit ? 1U : 0U) == 0);
                CHECK(::lseek(fd.get(), 0, SEEK_CUR) == 0);
                CHECK(::write(fd.get(), "x", 1) < 0);
                CHECK(::ftruncate(fd.get(), static_cast<off_t>(size) + 1) < 0);
                CHECK((::fcntl(fd.get(), F_GETFD) & FD_CLOEXEC) != 0);
                CHECK((read_all(fd.get()) == all.substr(0, size)));
                CHECK(::lseek(fd.get(), 0, SEEK_SET) == 0);
                // The directory is touched when the message is large and never holds a name.
                CHECK(scratch.exists("state/spool") == (size > limit));
                CHECK(scratch.list("state/spool").empty());
            }
            CHECK(open_descriptors() == before);
        }
    }
}

TEST_CASE("sys/spool: what memory cannot hold needs the directory; its fault is temporary and stays") {
    const Scratch scratch;
    scratch.write("file", "in the way");
    const std::size_t before = open_descriptors();
    sys::Spool spool(scratch.at("file"));
    must(spool.append(pattern(limit)));
    const auto first = spool.append("one more and a lot more" + std::string(limit, 'x'));
    REQUIRE(!first);
    CHECK(first.error().lasting == Lasting::temporary);
    const auto second = spool.append("x");
    REQUIRE(!second);
    CHECK(second.error().text == first.error().text);
    const auto third = spool.finish();
    REQUIRE(!third);
    CHECK(third.error().text == first.error().text);
    CHECK(open_descriptors() == before);
}

TEST_CASE("sys/spool: a file that may not grow is a temporary error") {
    const Scratch scratch;
    const int status = in_fork([&] {
        sys::sane_process();
        const rlimit small{2 * limit, 2 * limit};
        if (::setrlimit(RLIMIT_FSIZE, &small) < 0) return 2;
        sys::Spool spool(scratch.at("spool"));
        const std::string block = pattern(100'000);
        for (int i = 0; i < 40; ++i) {
            const auto done = spool.append(block);
            if (done) continue;
            const auto end = spool.finish();
            return done.error().lasting == Lasting::temporary && !end && end.error().text == done.error().text ? 0 : 3;
        }
        return 4;
    });
    CHECK(status == 0);
}

TEST_CASE("sys/spool: no descriptor left is a temporary error") {
    const int status = in_fork([] {
        const rlimit none{3, 3};
        if (::setrlimit(RLIMIT_NOFILE, &none) < 0) return 2;
        sys::Spool spool("/nonexistent");
        if (!spool.append("small")) return 3;
        const auto end = spool.finish();
        return !end && end.error().lasting == Lasting::temporary ? 0 : 4;
    });
    CHECK(status == 0);
}

TEST_CASE("sys/spool: a large message needs little memory") {
#if defined(__SANITIZE_ADDRESS__)
    SKIP("the sanitizer's own memory hides it");
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
    SKIP("the sanitizer's own memory hides it");
#endif
#endif
    const Scratch scratch;
    const int status = in_fork([&] {
        rusage before{}, after{};
        ::getrusage(RUSAGE_SELF, &before);
        sys::Spool spool(scratch.at("spool"));
        const std::string block(256 * 1024, 'm');
        for (int i = 0; i < 200; ++i) {
            if (!spool.append(block)) return 2;
        }
        if (!spool.finish()) return 3;
        ::getrusage(RUSAGE_SELF, &after);
        return after.ru_maxrss - before.ru_maxrss < 3000 ? 0 : 4;  // KB
    });
    CHECK(status == 0);
}
