// What send_message makes of its options and a message: tables of envelopes and headers, no server.
#include "client/submission.hh"

#include "base/ascii.hh"
#include "mail/header.hh"
#include "tests/support/test.hh"

using namespace greylag;
namespace sc = greylag::smtp_client;

namespace {

const sc::Identity who{"box.example", "joe", {1795304644, 60}, "0123"};
using Headers = std::vector<std::pair<std::string, std::string>>;

struct Asked {
    std::string originator{}, recipients{};
    Headers headers{};
    bool null_originator = false;
};

sc::Options options(const Asked& asked) {
    sc::Options out;
    out.originator = asked.originator;
    out.recipients = asked.recipients;
    out.headers = asked.headers;
    out.null_originator = asked.null_originator;
    return out;
}

sc::Submission made(const Asked& asked, std::string_view message) {
    auto out = sc::prepare(options(asked), message, who);
    if (!out) throw std::runtime_error(out.error().text);
    return *std::move(out);
}

// "sender > recipient recipient", and "| recipient" for the blind copy.
std::string envelope(const sc::Submission& s) {
    std::string out = s.open.sender.bracketed() + " >";
    for (const auto& r : s.open.recipients) out += " " + r.text();
    if (s.blind) out += " |";
    if (s.blind)
        for (const auto& r : s.blind->recipients) out += " " + r.text();
    return out;
}

std::string refusal(const Asked& asked, std::string_view message) {
    const auto out = sc::prepare(options(asked), message, who);
    if (out) return "taken: " + envelope(*out);
    CHECK(out.error().kind == sc::Failure::Kind::usage);
    return out.error().text;
}

// The values of a field, joined with " | "; "-" when there is none.
std::string field(const std::string& message, std::string_view name) {
    std::string out;
    for (const auto& f : mail::parse_header(message).fields)
        if (base::iequals(f.name, name)) out += (out.empty() ? "" : " | ") + mail::unfold(f.value);
    return out.empty() ? "-" : out;
}

}  // namespace

TEST_CASE("smtp_client envelope: originator and recipients, from the options and from the header") {
    struct Case {
        const char* what;
        Asked asked;
        const char* message;
        const char* envelope;
    };
    const Case cases[] = {
        {"all from the message",
         {},
         "From: A <a@x.example>\nTo: b@y.example\nCc: c@z.example\n\n",
         "<a@x.example> > b@y.example c@z.example"},
        {"-header goes before the message",
         {{}, {}, {{"From", "o@x.example"}, {"To", "p@y.example"}}},
         "From: a@x.example\nTo: b@y.example\n\n",
         "<o@x.example> > p@y.example"},
        {"-originator: the header is not looked at",
         {"o@x.example"},
         "From: a@x.example\nTo: b@y.example\n\n",
         "<o@x.example> > b@y.example"},
        {"-originator with a name", {"\"O. Person\" <o@x.example>"}, "To: b@y.example\n\n", "<o@x.example> > b@y.example"},
        {"the null originator", {{}, {}, {}, true}, "From: a@x.example\nTo: b@y.example\n\n", "<> > b@y.example"},
        {"nobody: the login name", {}, "To: b@y.example\n\n", "<joe@box.example> > b@y.example"},
        {"-recipients: the header is not looked at, Bcc neither",
         {{}, "r@y.example, S <s@y.example>"},
         "From: a@x.example\nTo: b@y.example\nBcc: c@z.example\n\n",
         "<a@x.example> > r@y.example s@y.example"},
        {"Dcc is a recipient among the others",
         {},
         "From: a@x.example\nTo: b@y.example\nDcc: d@y.example\n\n",
         "<a@x.example> > b@y.example d@y.example"},
        {"Bcc is apart",
         {},
         "From: a@x.example\nTo: b@y.example\nBcc: c@z.example\n\n",
         "<a@x.example> > b@y.example | c@z.example"},
        {"who is in To needs no blind copy",
         {},
         "From: a@x.example\nTo: b@y.example\nBcc: b@Y.example, c@z.example\n\n",
         "<a@x.example> > b@y.example | c@z.example"},
        {"only Bcc", {}, "From: a@x.example\nBcc: c@z.example, d@z.example\n\n", "<a@x.example> > c@z.example d@z.example"},
        {"only Cc", {}, "From: a@x.example\nCc: c@z.example\n\n", "<a@x.example> > c@z.example"},
        {"twice is once", {{}, "b@y.example, b@Y.EXAMPLE"}, "From: a@x.example\n\n", "<a@x.example> > b@y.example"},
        {"names without a host", {}, "From: a\nTo: b, Carl <carl>\n\n", "<a@box.example> > b@box.example carl@box.example"},
        {"a group",
         {},
         "From: a@x.example\nTo: Friends: b@y.example, c@y.example;\n\n",
         "<a@x.example> > b@y.example c@y.example"},
        {"several -header of one name are one list",
         {{}, {}, {{"To", "b@y.example"}, {"to", "c@y.example"}}},
         "From: a@x.example\n\n",
         "<a@x.example> > b@y.example c@y.example"},
        {"two authors and a sender",
         {},
         "From: a@x.example, b@x.example\nSender: s@x.example\nTo: c@y.example\n\n",
         "<s@x.example> > c@y.example"},
        {"a folded list",
         {},
         "From: a@x.example\nTo: b@y.example,\n\tc@y.example\n\n",
         "<a@x.example> > b@y.example c@y.example"},
    };
    for (const auto& c : cases) {
        INFO(c.what);
        CHECK(envelope(made(c.asked, c.message)) == c.envelope);
    }
}

TEST_CASE("smtp_client envelope: a Resent- field switches all of them") {
    const char* old = "From: a@x.example\nTo: b@y.example\nBcc: z@z.example\n\n";
    const Asked resent{{}, {}, {{"Resent-From", "r@x.example"}, {"Resent-To", "s@y.example"}, {"Resent-Bcc", "t@y.example"}}};
    const auto s = made(resent, old);
    CHECK(envelope(s) == "<r@x.example> > s@y.example | t@y.example");
    CHECK(field(s.open.message, "Resent-Date") == "Sun, 22 Nov 2026 00:44:04 +0100");
    CHECK(field(s.open.message, "Resent-Message-ID") == "<0123@box.example>");
    CHECK(s.open.message.find("Resent-From: ") < s.open.message.find("\r\nFrom: "));
    CHECK(field(s.open.message, "From") == "a@x.example");
    CHECK(field(s.open.message, "To") == "b@y.example");
    CHECK(field(s.open.message, "Bcc") == "-");
    CHECK(field(s.open.message, "Resent-Bcc") == "-");
    CHECK(field(s.blind->message, "Subject") == "[Resent-Bcc]");

    const auto sender = made({"o@x.example", {}, {{"Resent-To", "s@y.example"}}}, old);
    CHECK(field(sender.open.message, "Resent-From") == "o@x.example");
    CHECK(field(sender.open.message, "Resent-Sender") == "-");
    CHECK(field(sender.open.message, "From") == "a@x.example");

    CHECK(envelope(made({}, "Resent-From: r@x.example\nResent-To: s@y.example\nFrom: a@x.example\nTo: b@y.example\n\n")) ==
          "<r@x.example> > s@y.example");
    // What somebody else resent before it came here is history.
    CHECK(envelope(made(
              {}, "Received: by x\nResent-From: r@x.example\nResent-To: s@y.example\nFrom: a@x.example\nTo: b@y.example\n\n")) ==
          "<a@x.example> > b@y.example");
    const auto again = made(resent, "Resent-From: old@x.example\nResent-To: older@x.example\nFrom: a@x.example\n\n");
    CHECK(envelope(again) == "<r@x.example> > s@y.example | t@y.example");
    CHECK(field(again.open.message, "Resent-From") == "r@x.example | old@x.example");
}

TEST_CASE("smtp_client envelope: what cannot be sent is said") {
    struct Case {
        Asked asked;
        const char* message;
        const char* text;
    };
    const Case cases[] = {
        {{"a@x.example, b@x.example"},
         "To: c@y.example\n\n",
         "too many mailboxes in the originator: \"a@x.example, b@x.example\""},
        {{}, "From: a@x.example, b@x.example\nTo: c@y.example\n\n", "too many mailboxes in From: \"a@x.example, b@x.example\""},
        {{}, "From: a@x.example\n\n", "no recipient: there is none in To, Cc and Bcc"},
        {{}, "From: a@x.example\nTo: undisclosed-recipients:;\n\n", "no recipient: there is none in To, Cc and Bcc"},
        {{{}, {}, {{"Resent-From", "a@x.example"}}},
         "To: c@y.example\n\n",
         "no recipient: there is none in Resent-To, Resent-Cc and Resent-Bcc"},
        {{{}, "a@b@c"}, "From: a@x.example\n\n", "the recipients: an address cannot be read in \"a@b@c\""},
        {{{}, "ok@x.example, Bob b@x.example"},
         "From: a@x.example\n\n",
         "the recipients: an address cannot be read in \"ok@x.example, Bob b@x.example\""},
        {{{}, "<>"}, "From: a@x.example\n\n", "the recipients: an address cannot be read in \"<>\""},
        {{{}, {}, {{"Content-Type", "text/html"}}},
         "To: c@y.example\n\n",
         "the field Content-Type cannot be given: it belongs to the body"},
        {{{}, {}, {{"content-transfer-encoding", "8bit"}}},
         "To: c@y.example\n\n",
         "the field content-transfer-encoding cannot be given: it belongs to the body"},
        {{{}, {}, {{"Content-MD5", "x"}}},
         "To: c@y.example\n\n",
         "the field Content-MD5 cannot be given: it belongs to the body"},
        {{{}, {}, {{"MIME-VERSION", "1.0"}}},
         "To: c@y.example\n\n",
         "the field MIME-VERSION cannot be given: it belongs to the body"},
        {{{}, {}, {{"No name", "x"}}}, "To: c@y.example\n\n", "\"No name\" is no name of a header field"},
        {{{}, {}, {{"", "x"}}}, "To: c@y.example\n\n", "\"\" is no name of a header field"},
        {{{}, {}, {{"Subject", "x\r\nBcc: evil@x.example"}}}, "To: c@y.example\n\n", "a line end or NUL in the value of Subject"},
    };
    for (const auto& c : cases) {
        INFO(c.text);
        CHECK(refusal(c.asked, c.message) == c.text);
    }
}

TEST_CASE("smtp_client header: what is supplied") {
    const auto bare = made({{}, "b@y.example"}, "\nbody\n");
    CHECK(field(bare.open.message, "From") == "joe@box.example");
    CHECK(field(bare.open.message, "To") == "b@y.example");
    CHECK(field(bare.open.message, "Date") == "Sun, 22 Nov 2026 00:44:04 +0100");
    CHECK(field(bare.open.message, "Message-ID") == "<0123@box.example>");
    CHECK(field(bare.open.message, "Sender") == "-");
    CHECK(bare.open.message.ends_with("\r\n\r\nbody\r\n"));

    const std::string whole =
        "From: a@x.example\r\nTo: b@y.example\r\nDate: Sun, 22 Nov 2026 00:44:04 +0100\r\nMessage-ID: <1@x>\r\n";
    CHECK(made({}, whole + "\r\nbody\r\n").open.message == whole + "\r\nbody\r\n");
    CHECK(made({}, whole).open.message == whole + "\r\n");

    CHECK(field(made({"o@x.example"}, whole + "\r\n").open.message, "Sender") == "o@x.example");
    CHECK(field(made({"A <a@X.example>"}, whole + "\r\n").open.message, "Sender") == "-");
    CHECK(field(made({"O <o@x.example>"}, "To: b@y.example\n\n").open.message, "From") == "O <o@x.example>");
    CHECK(field(made({"o@x.example"}, "Sender: s@x.example\n" + whole + "\r\n").open.message, "Sender") == "s@x.example");
    CHECK(field(made({"o@x.example"}, "From: a@x.example, b@x.example\nTo: c@y.example\n\n").open.message, "Sender") ==
          "o@x.example");
    CHECK(field(made({{}, {}, {}, true}, whole + "\r\n").open.message, "Sender") == "-");
    CHECK(field(made({{}, "b@y.example, c@y.example"}, "\n").open.message, "To") == "undisclosed-recipients:;");
    CHECK(field(made({}, "From: a@x.example\nBcc: c@z.example\n\n").open.message, "To") == "undisclosed-recipients:;");
    CHECK(field(made({}, "From: a@x.example\nDcc: c@z.example\n\n").open.message, "To") == "undisclosed-recipients:;");
    CHECK(field(made({{}, "b@y.example"}, "Cc: d@y.example\n\n").open.message, "To") == "-");
    CHECK(field(made({}, "From: joe\nTo: b@y.example\n\n").open.message, "From") == "joe@box.example");
}

TEST_CASE("smtp_client header: -header replaces what may stand once and joins the rest") {
    const Asked asked{{}, {}, {{"Subject", "new"}, {"X-Tag", "one"}, {"Comments", "more"}, {"Reply-To", "r@x.example"}}};
    const auto s = made(asked, "From: a@x.example\nSubject: old\nTo: b@y.example\nComments: first\n\n");
    CHECK(field(s.open.message, "Subject") == "new");
    CHECK(field(s.open.message, "Comments") == "first | more");
    CHECK(field(s.open.message, "X-Tag") == "one");
    CHECK(field(s.open.message, "Reply-To") == "r@x.example");

    std::string many;
    for (int i = 0; i < 40; ++i) many += (i ? ", " : "") + std::string("user") + std::to_string(i) + "@y.example";
    const auto folded = made({{}, {}, {{"To", many}}}, "From: a@x.example\n\n");
    CHECK(folded.open.recipients.size() == 40);
    CHECK(field(folded.open.message, "To") == many);
    CHECK(!folded.open.traits.long_lines);
    for (const auto line : base::split(folded.open.message, '\n')) CHECK(line.size() < 80);
}

TEST_CASE("smtp_client header: Bcc and Dcc never leave, the blind copy is a digest of one") {
    for (const char* secret : {"Bcc: hidden@z.example\n", "Dcc: hidden@z.example\n", "bcc : hidden@z.example\n",
                               "Resent-Bcc: hidden@z.example\n", "Resent-Dcc: hidden@z.example\n", "Bcc:\n hidden@z.example\n"}) {
        const auto s = made({{}, "b@y.example"}, std::string(secret) + "From: a@x.example\nTo: b@y.example\n\nx\n");
        CHECK(s.open.message.find("hidden") == std::string::npos);
    }
    const auto s =
        made({{}, {}, {{"Bcc", "hidden@z.example"}}}, "From: A <a@x.example>\nTo: b@y.example\nSubject: news\n\nbody\n");
    CHECK(s.open.message.find("hidden") == std::string::npos);
    REQUIRE(s.blind);
    const std::string& blind = s.blind->message;
    CHECK(blind.find("hidden") == std::string::npos);
    CHECK(field(blind, "Subject") == "[Bcc] news");
    CHECK(field(blind, "From") == "A <a@x.example>");
    CHECK(field(blind, "Bcc") == "-");
    CHECK(field(blind, "To") == "undisclosed-recipients:;");
    CHECK(field(blind, "Message-ID") == "<0123.bcc@box.example>");
    CHECK(field(blind, "Content-Type") == "multipart/digest; boundary=\"=_0123\"");
    CHECK(blind.ends_with("\r\n\r\n--=_0123\r\nContent-Type: message/rfc822\r\nContent-Description: Original Message\r\n\r\n" +
                          s.open.message + "\r\n--=_0123--\r\n"));
    CHECK(field(blind, "Content-Transfer-Encoding") == "-");

    const auto eight = made({{}, {}, {{"Bcc", "c@z.example"}}}, "From: a@x.example\nTo: b@y.example\n\nf\xc3\xbcr =_0123\n");
    CHECK(field(eight.blind->message, "Content-Transfer-Encoding") == "8bit");
    CHECK(field(eight.blind->message, "Content-Type") == "multipart/digest; boundary=\"=_0123=_\"");
    CHECK(eight.blind->traits.eight_bit);
    CHECK(eight.open.traits.octets == eight.open.message.size());
    CHECK(eight.blind->traits.octets == eight.blind->message.size());
}

TEST_CASE("smtp_client header: lines of a mailbox file, bare ends, UTF-8") {
    const auto s = made({}, "From joe Sat Nov 21 23:44:04 2026\nFrom: a@x.example\r\nTo: b@y.example\n\na\rb\n");
    CHECK(s.open.message.find("From joe") == std::string::npos);
    CHECK(s.open.message.ends_with("\r\n\r\na\r\nb\r\n"));
    const auto utf8 = made({}, "From: a@x.example\nTo: \xc3\xbc@y.example\nSubject: \xc3\xbc\n\n");
    CHECK(utf8.open.needs_utf8());
    CHECK(utf8.open.traits.utf8_header);
    CHECK(!made({}, "From: a@x.example\nTo: b@y.example\n\n").open.needs_utf8());
}

TEST_CASE("mail: entries of an address list that are no address are counted") {
    struct Case {
        const char* text;
        std::size_t found;
        unsigned unread;
    };
    for (const Case& c :
         {Case{"a@x, b@y", 2, 0}, Case{"", 0, 0}, Case{" , ,", 0, 0}, Case{"x:;", 0, 0}, Case{"A <a@x> words", 1, 0},
          Case{"<>", 0, 1}, Case{"Bob b@x", 0, 1}, Case{"a@x, nobody, b@y", 2, 1}, Case{"<a@x", 0, 1},
          Case{"g: a@x, b@y; , c@z", 3, 0}, Case{"\"unclosed", 0, 1}, Case{"(only a comment)", 0, 0}, Case{"a@x>,b@y", 2, 1},
          Case{"a@x> b@y", 1, 2}, Case{"<a@x> b@y", 1, 1}, Case{"<a@x> <b@y>", 1, 1}, Case{"A <a@x> (b@y)", 1, 0}}) {
        INFO(c.text);
        const auto list = mail::address_list(c.text);
        CHECK(list.found.size() == c.found);
        CHECK(list.unread == c.unread);
    }
}
