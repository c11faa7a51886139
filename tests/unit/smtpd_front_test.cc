// The front of a message: however its octets come in pieces, the same message is in the spool, and the header was seen whole.
#include "cmd/smtpd/front.hh"

#include "sys/durable.hh"
#include "tests/support/must.hh"
#include "tests/support/scratch.hh"
#include "tests/support/test.hh"

using namespace greylag;
using namespace greylag::test;
using smtpd::Front;

namespace {

struct Outcome {
    std::string stored, header;
};

// In pieces of `size`, the first one of `first`.
Outcome pass(std::string_view message, std::size_t first, std::size_t size) {
    const Scratch scratch;
    sys::Spool spool(scratch.at("spool"));
    Front front("Trace\n");
    Outcome outcome;
    for (std::size_t at = 0, piece = first; at < message.size(); at += piece, piece = size) {
        const auto bytes = message.substr(at, piece);
        if (!front.waiting()) {
            must(spool.append(bytes));
        } else if (front.seen(bytes)) {
            outcome.header = front.header(bytes);
            must(front.write("Tag\n", bytes, spool));
        }
    }
    if (front.waiting()) {
        outcome.header = front.header({});
        must(front.write("Tag\n", {}, spool));
    }
    const auto fd = must(spool.finish());
    outcome.stored = must(sys::read_at(fd.get(), 0, 1 << 22));
    return outcome;
}

}  // namespace

TEST_CASE("front: any split gives the same message") {
    const std::string messages[] = {"Subject: x\nFrom: joe@example.org\n\nbody\n",
                                    "From: joe@example.org\r\n\r\nbody\r\n",
                                    "\nno header\n",
                                    "no header at all",
                                    "",
                                    "From: all header\n"};
    for (const auto& message : messages) {
        INFO(message);
        for (std::size_t first = 1; first <= message.size() + 1; ++first) {
            for (std::size_t size : {std::size_t{1}, std::size_t{2}, std::size_t{7}, std::size_t{1000}}) {
                const auto got = pass(message, first, size);
                CHECK(got.stored == "Trace\nTag\n" + message);
                CHECK(mail::parse_header(got.header).end == mail::parse_header(message).end);
            }
        }
    }
}

TEST_CASE("front: a header without end is not kept for ever") {
    std::string message;
    while (message.size() < 3 * Front::header_limit) message += "X-Filler: " + std::string(60, 'x') + "\n";
    for (const std::size_t piece : {std::size_t{1000}, std::size_t{Front::header_limit}, message.size()}) {
        const auto got = pass(message, piece, piece);
        CHECK(got.stored == "Trace\nTag\n" + message);
        CHECK(got.header.size() >= Front::header_limit);
        CHECK(got.header.size() < Front::header_limit + piece + 1);
    }
}
