// What our own people's mail lacks.
#include "policy/submission.hh"

#include "tests/support/must.hh"
#include "tests/support/test.hh"

using namespace greylag;
using namespace greylag::test;

namespace {

const auto joe = must(mail::Path::parse_argument("joe@example.org"));

std::string added(std::string_view header, bool whole = true, const mail::Path& sender = joe) {
    return policy::missing_fields(header, whole, {sender, "mx.example.org", "id1", base::WallTime{0, 0}});
}

}  // namespace

TEST_CASE("submission: Date, From and Message-ID, each where it is missing") {
    const std::string date = "Date: Thu, 01 Jan 1970 00:00:00 +0000\n", from = "From: joe@example.org\n",
                      id = "Message-ID: <id1@mx.example.org>\n";
    CHECK(added("Subject: x\n\nDate: in the body\n") == date + from + id);
    CHECK(added("\nbody") == date + from + id);
    CHECK(added("no header at all\n") == date + from + id);
    CHECK(added("DATE: x\nfrom: y\nmessage-id: z\n\n") == "");
    CHECK(added("Date: x\n\nbody") == from + id);
    CHECK(added("From: a@b\r\nMessage-ID: <x@y>\r\n\r\nbody") == date);
    CHECK(added("Resent-Date: x\nResent-From: x\nDated: x\n\n") == date + from + id);
    CHECK(added("\n", true, mail::Path::null()).find("\nFrom: postmaster@mx.example.org\n") != std::string::npos);
}

TEST_CASE("submission: nothing is added to a header that was not seen whole") {
    CHECK(added("Subject: x\nX-Long: yyyy", false) == "");
    CHECK(added("Subject: x\nX-Lo", false) == "");
    CHECK(added("Subject: x\n\nbody", false) != "");
    CHECK(added("Subject: x\r\n\r\nbody", false) != "");
}
