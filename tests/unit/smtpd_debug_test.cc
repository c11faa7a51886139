// The dialogue file of -d: every octet of both directions, and no secret (smtpd(8), -d).
#include "cmd/smtpd/debug.hh"

#include <sys/stat.h>

#include "base/ascii.hh"
#include "tests/support/must.hh"
#include "tests/support/pieces.hh"
#include "tests/support/scratch.hh"
#include "tests/support/test.hh"

using namespace greylag;
using namespace greylag::test;
using smtpd::Debug;
using Said = Debug::Kind;

namespace {

struct Part {
    Said kind;
    std::string octets;
};

// What stands in the file, without the stamps.
std::string written(const std::vector<Part>& parts, unsigned seed) {
    const Scratch scratch;
    {
        Debug debug = must(Debug::open(scratch.path(), "id"));
        for (const auto& part : parts)
            for (const auto piece : pieces(part.octets, seed)) debug.client(piece, part.kind);
    }
    std::string out;
    const std::string text = scratch.read("log/smtpdb/id").value_or("<none>");
    for (const auto line : base::split(text, '\n'))
        if (const auto cut = base::cut(line, ' ')) out += std::string(cut->second) + "|";
    return out;
}

}  // namespace

TEST_CASE("debug: what a client says to authenticate itself is hidden, in any pieces") {
    struct Case {
        std::vector<Part> parts;
        std::string text;
    };
    const std::vector<Case> cases = {
        {{{Said::command, "EHLO x\r\nNOOP \x01\r\n"}}, "< EHLO x|< NOOP \\x01|"},
        {{{Said::command, "AUTH PLAIN c2VjcmV0\r\nNOOP\r\n"}}, "< AUTH PLAIN (hidden)|< NOOP|"},
        {{{Said::command, "auth  plain  c2VjcmV0 c2VjcmV0\r\n"}}, "< AUTH plain (hidden)|"},
        {{{Said::command, "AUTH LOGIN\r\n"},
          {Said::secret, "c2VjcmV0\r\n"},
          {Said::secret, "c2VjcmV0\r\n"},
          {Said::command, "QUIT\r\n"}},
         "< AUTH LOGIN|< (hidden)|< (hidden)|< QUIT|"},
        // AUTH was refused, and the client goes on all the same
        {{{Said::command, "AUTH LOGIN\r\nc2VjcmV0\r\nc2VjcmV0\r\nMAIL FROM:<>\r\n"}},
         "< AUTH LOGIN|< (hidden)|< (hidden)|< MAIL FROM:<>|"},
        // a message behind it is no secret
        {{{Said::command, "AUTH LOGIN x\r\nDATA\r\n"},
          {Said::body, "Subject: c2VjcmV0\r\n\r\nAUTH PLAIN x\r\n.\r\n"},
          {Said::command, "QUIT\r\n"}},
         "< AUTH LOGIN (hidden)|< DATA|< Subject: c2VjcmV0|< |< AUTH PLAIN x|< .|< QUIT|"},
        // a chunk that ends within a line
        {{{Said::command, "BDAT 3\r\n"}, {Said::body, "abc"}, {Said::command, "AUTH PLAIN c2VjcmV0\r\n"}},
         "< BDAT 3|< abc|< AUTH PLAIN (hidden)|"},
    };
    for (const auto& c : cases)
        for (unsigned seed = 0; seed < 30; ++seed) CHECK(written(c.parts, seed) == c.text);
    // longer than is kept
    for (const Said kind : {Said::command, Said::secret})
        CHECK(written({{kind, "AUTH PLAIN " + std::string(300'000, 's') + "\r\n"}}, 0).find("sss") == std::string::npos);
    CHECK(written({{Said::body, std::string(300'000, 's') + "\r\nx\r\n"}}, 7).ends_with("s|< x|"));
}

TEST_CASE("debug: a file of its own, for its owner's eyes, never one that is there") {
    const Scratch scratch;
    Debug debug = must(Debug::open(scratch.path(), "id"));
    struct stat info {};
    REQUIRE(::stat(scratch.at("log/smtpdb/id").c_str(), &info) == 0);
    CHECK((info.st_mode & 07777) == 0600);
    CHECK(!Debug::open(scratch.path(), "id"));
    debug.server("250-a\r\n250 b\r\n");
    const std::string text = scratch.read("log/smtpdb/id").value_or("");
    CHECK(text.find(" > 250-a\n") != std::string::npos);
    CHECK(text.find(" > 250 b\n") != std::string::npos);
}
