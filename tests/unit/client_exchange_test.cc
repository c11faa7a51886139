// The octets of one session: a message in memory, in a file that goes out by itself, and a server that reads no more.
#include "client/exchange.hh"

#include <fcntl.h>

#include <thread>

#include "sys/fd.hh"
#include "sys/file.hh"
#include "tests/support/must.hh"
#include "tests/support/scratch.hh"
#include "tests/support/test.hh"

using namespace greylag;
using namespace greylag::test;

namespace {

// Says each reply when it has heard the word before it; then takes `octets` more and answers. 0: it reads no more.
struct Server {
    int fd;
    std::size_t octets;
    std::string heard{};

    void until(std::string_view word) {
        char room[4096];
        while (heard.find(word) == std::string::npos)
            heard.append(room, must(sys::read_some(fd, std::span(room).first(1), soon())));
    }
    void say(std::string_view reply) const { must(sys::write_all(fd, reply, soon())); }
    void serve() {
        say("220 x\r\n");
        until("EHLO me.example\r\n");
        say("250-x\r\n250 PIPELINING\r\n");
        until("DATA\r\n");
        heard.clear();
        say("250 ok\r\n250 ok\r\n354 go\r\n");
        if (octets == 0) return;
        std::vector<char> room(65536);
        while (heard.size() < octets) {
            const std::size_t count = must(sys::read_some(fd, room, soon()));
            if (count == 0) return;
            heard.append(room.data(), count);
        }
        say("250 ok\r\n221 bye\r\n");
    }
};

struct Ended {
    smtp::Outcome outcome;
    std::string heard;
};

Ended send(const client::Content& content, smtp::ClientFacts::Message facts, std::size_t octets, base::Millis block,
           bool blocking) {
    auto pair = must(sys::make_socketpair());
    if (!blocking) ::fcntl(pair.first.get(), F_SETFL, O_NONBLOCK);
    Server server{pair.second.get(), octets};
    std::thread thread([&] { server.serve(); });
    smtp::ClientFacts asked;
    asked.name = "me.example";
    asked.recipients = {must(mail::Path::parse("you@x.example"))};
    asked.message = facts;
    smtp::ClientSession session(asked);
    client::Timing timing;
    timing.block = block;
    client::Link link;
    link.fd = pair.first.get();
    client::exchange(session, std::move(link), content, timing, {});
    pair.first.reset();
    thread.join();
    return {session.outcomes().front(), server.heard};
}

}  // namespace

TEST_CASE("client: a message goes out as it is, or stuffed, from memory and from a file, whether the socket blocks or not") {
    const Scratch dir;
    std::string text, stuffed;
    for (int i = 0; i < 60'000; ++i) {
        const std::string line = std::to_string(i) + " of the lines of a file of more than one block\r\n";
        text += (i % 7 == 3 ? "." : "") + line;
        stuffed += (i % 7 == 3 ? ".." : "") + line;
    }
    dir.write("message", text);
    const sys::Fd file = must(sys::open_read(dir.at("message")));
    for (const bool in_memory : {false, true})
        for (const bool dots : {false, true})
            for (const bool blocking : {false, true}) {
                INFO("in memory: ", in_memory, ", dots: ", dots, ", blocking: ", blocking);
                const std::string expected = (dots ? stuffed : text) + ".\r\nQUIT\r\n";
                const client::Content content = in_memory ? client::Content{text, -1} : client::Content{{}, file.get()};
                const Ended ended =
                    send(content, {.octets = text.size(), .dots = dots}, expected.size(), base::Millis(20'000), blocking);
                CHECK(ended.outcome.state == smtp::Outcome::State::delivered);
                CHECK((ended.heard == expected));
            }
}

TEST_CASE("client: a server that reads no more is left in time, and a file that is too short is never ended by a dot") {
    constexpr std::size_t whole = 1u << 30;
    const Scratch dir;
    dir.write("message", std::string(8'000'000, 'x') + "\r\n");
    const sys::Fd file = must(sys::open_read(dir.at("message")));
    for (const bool dots : {false, true}) {
        const Ended ended = send({{}, file.get()}, {.octets = 8'000'002, .dots = dots}, 0, base::Millis(50), false);
        CHECK(ended.outcome.state == smtp::Outcome::State::later);
        const Ended cut = send({{}, file.get()}, {.octets = 8'000'003, .dots = dots}, whole, base::Millis(20'000), false);
        CHECK(cut.outcome.state == smtp::Outcome::State::later);
        CHECK(cut.heard.find("\r\n.\r\n") == std::string::npos);
    }
}
