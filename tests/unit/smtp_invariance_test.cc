// What pieces the octets come in changes nothing: neither a reply nor what the mailer gets. The transcripts are those of all
// dialogue files, and a few that aim at the borders.
#include "tests/support/dialogue_memory.hh"
#include "tests/support/memory_session.hh"
#include "tests/support/pieces.hh"
#include "tests/support/replies.hh"
#include "tests/support/test.hh"

using namespace greylag;
using namespace greylag::smtp;
using namespace greylag::test;
using namespace std::string_literals;

namespace {

struct Outcome {
    std::string said;
    std::vector<std::string> given;
    bool closed = false;
    bool operator==(const Outcome&) const = default;
};

// A client may send everything in one go but what comes behind DATA, AUTH and STARTTLS: a new group each time.
Outcome feed(const std::vector<std::string>& groups, unsigned seed, DotDecoder::Limits limits = {}) {
    MemorySession session({.domain = "mx.example", .size_limit = 4000, .recipient_limit = 5}, {}, limits);
    Outcome out;
    for (const auto& group : groups)
        for (const auto piece : pieces(group, seed)) out.said += session.feed(piece);
    for (const auto& message : session.given()) {
        out.given.push_back(message.envelope.sender.text());
        for (const auto& to : message.envelope.recipients) out.given.back() += " " + to.text();
        out.given.push_back(message.body);
    }
    out.closed = session.closed();
    return out;
}

// The client's octets of a dialogue, in the groups it sends them in.
std::vector<std::string> groups_of(const dialogue::Script& script) {
    std::vector<std::string> out;
    for (const auto& step : script.steps)
        if (step.verb == dialogue::Verb::send) out.push_back(step.text);
    return out;
}

// What waits behind DATA must not be known when it is refused: a transcript that breaks this rule depends on its pieces, and is
// meant to.
bool keeps_groups(const std::vector<std::string>& groups) {
    for (const auto& group : groups) {
        for (const std::string_view verb : {"DATA\r\n", "STARTTLS\r\n", "AUTH "}) {
            const auto at = group.find(verb);
            if (at == std::string::npos) continue;
            const auto end = group.find("\r\n", at) + 2;
            if (end < group.size()) return false;
        }
    }
    return true;
}

const std::string opening = "EHLO c.home.arpa\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<c@mx.example>\r\n";

}  // namespace

TEST_CASE("invariance: every dialogue's octets, whole, one by one, in pieces") {
    unsigned transcripts = 0;
    for (const auto& file : dialogue_files()) {
        const auto dialogues = read_dialogues(file);
        REQUIRE(dialogues);
        for (const auto& dialogue : *dialogues) {
            const auto groups = groups_of(dialogue.script);
            if (!keeps_groups(groups)) continue;
            ++transcripts;
            const Outcome whole = feed(groups, 0);
            for (unsigned seed = 1; seed < 12; ++seed) {
                CAPTURE(dialogue.file);
                CAPTURE(seed);
                const Outcome again = feed(groups, seed);
                CHECK(again.said == whole.said);
                CHECK(again.given == whole.given);
                CHECK(again.closed == whole.closed);
            }
        }
    }
    CHECK(transcripts > 150);
}

TEST_CASE("invariance: borders of bodies and chunks, whatever a bare LF means") {
    const std::vector<std::vector<std::string>> library = {
        {opening + "BDAT 3\r\na\r\rBDAT 4\r\n\n\r\n.BDAT 3 LAST\r\n\r\n\0QUIT\r\n"s},
        {opening + "BDAT 1\r\n\rBDAT 0\r\nBDAT 1\r\n\nBDAT 0 LAST\r\nNOOP\r\n"},
        {opening + "BDAT 3000\r\n" + std::string(3000, '\r') + "BDAT 1001\r\n" + std::string(1001, 'Q') +
         "BDAT 0 LAST\r\nNOOP\r\n"},
        {opening + "BDAT 5\r\nRSET\rRSET\r\nBDAT 6 LAST\r\nQUIT\r\nNOOP\r\nMAIL FROM:<>\r\nBDAT 2 LAST\r\n\r\nQUIT\r\n"},
        {opening + "DATA\r\n", "a\n.\nb\r.\r\n.c\r\n\r\r\n..\r\n.\r\nQUIT\r\n"},
        {opening + "DATA\r\n", "\r\n.\r\r\n.\r\nNOOP\r\n"},
        {opening + "DATA\r\n", ".\r\nEHLO x\nQUIT\r\nNO\rOP\r\n\r\n \r\nNOOP\0\r\nNOOP\r\nQUIT\r\n"s},
        {opening + "DATA\r\n", std::string(5000, 'x') + "\r\n.\r\n" + std::string(5000, 'y') + "\r\nNOOP\r\n"},
        {std::string(4094, 'x') + "\r\n" + std::string(4095, 'x') + "\r\nNOOP\r\n"},
        {"NOOP " + std::string(4089, 'x') + "\r\nNOOP " + std::string(4090, 'x') + "\r\nNOOP\r\n"},
        {"\x16\r\n\x16\x02\r\n\x16\x03\x01 and whatever\r\nNOOP\r\n"},
        {"NOOP\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\nNOOP\r\n"},
    };
    for (const auto& groups : library) {
        for (const auto lf : {DotDecoder::BareLf::fault, DotDecoder::BareLf::normalize}) {
            const DotDecoder::Limits limits{1000, lf};
            const Outcome whole = feed(groups, 0, limits);
            for (unsigned seed = 1; seed < piece_seeds; ++seed) {
                const Outcome again = feed(groups, seed, limits);
                CAPTURE(seed);
                CAPTURE(groups.front());
                REQUIRE(again == whole);
            }
        }
    }
}
