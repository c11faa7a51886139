// Passwords in factotum's lines: which line serves, and what is wrong with the others.
#include "client/credentials.hh"

#include <vector>

#include "tests/support/test.hh"

using namespace greylag;

namespace {

std::string found(std::string_view text, std::vector<std::string> servers, std::string_view user) {
    const auto password = client::find_password(text, servers, user);
    return password ? password->get() : "<none>";
}

std::string fault(std::string_view text) {
    const auto checked = client::check_credentials(text);
    return checked ? "" : checked.error().text;
}

const std::string joe = "key proto=pass service=smtp server=mx.example user=joe !password=secret\n";

}  // namespace

TEST_CASE("credentials: the first key for the server and the user") {
    const std::string all = "# a comment\n\n \t\r\n" + joe +
                            "key proto=pass service=imap server=mx.example user=ann !password=other\n"
                            "key  !password='it''s a  secret' user=ann\tserver=MX.Example service=smtp proto=pass role=client\n"
                            "key proto=pass service=smtp server=mx.example user=ann !password=later\n"
                            "key proto=rsa service=tls size=2048\n"
                            "key proto=pass service=smtp server=[192.0.2.7] user=joe !password=''''\r\n"
                            "key proto=pass service=smtp server=example.org user='joe@example.org' !password=a=b!c\n";
    CHECK(fault(all) == "");
    const struct {
        std::vector<std::string> servers;
        const char *user, *password;
    } cases[] = {{{"mx.example"}, "joe", "secret"},
                 {{"MX.EXAMPLE"}, "joe", "secret"},
                 {{"mx.example"}, "ann", "it's a  secret"},
                 {{"192.0.2.7"}, "joe", "'"},
                 {{"[192.0.2.7]"}, "joe", "'"},
                 {{"mx1.example.org", "example.org"}, "joe@example.org", "a=b!c"},
                 {{"192.0.2.7", "mx.example"}, "joe", "'"},
                 {{"mx.example", "192.0.2.7"}, "joe", "secret"},
                 {{"mx.example"}, "Joe", "<none>"},
                 {{"x.mx.example"}, "joe", "<none>"},
                 {{""}, "joe", "<none>"},
                 {{}, "joe", "<none>"}};
    for (const auto& c : cases) {
        CAPTURE(c.user);
        CHECK(found(all, c.servers, c.user) == c.password);
    }
    CHECK(client::knows_user(all, "joe@example.org"));
    CHECK_FALSE(client::knows_user(all, "nobody"));
    CHECK(found(joe.substr(0, joe.size() - 1), {"mx.example"}, "joe") == "secret");  // no line end
}

TEST_CASE("credentials: what is wrong, by its line, and never what it says") {
    const struct {
        std::string line, what;
    } cases[] = {{"key proto=pass service=smtp server=h user=u !password='sesame", "a quote is not closed"},
                 {"kye proto=pass service=smtp server=h user=u !password=sesame", "a line begins with the word key"},
                 {"sesame", "a line begins with the word key"},
                 {"=sesame", "an attribute without a name"},
                 {"key proto=pass service=smtp server=h user=u !password=sesame =x", "an attribute without a name"},
                 {"key proto=pass service=smtp server=h user=u '!password'=sesame", "an attribute without a name"},
                 {"key proto=pass service=smtp user=u !password=sesame", "a key without server"},
                 {"key proto=pass service=smtp server= user=u !password=sesame", "a key without server"},
                 {"key proto=pass service=smtp server=h !password=sesame", "a key without a user that can be sent"},
                 {"key proto=pass service=smtp server=h user= !password=sesame", "a key without a user that can be sent"},
                 {"key proto=pass service=smtp server=h user=u", "a key without !password"},
                 {"key proto=pass service=smtp server=h user=u password=sesame", "a key without !password"},
                 {"key proto=pass service=smtp server=h user=u !password=", "a password must be UTF-8"},
                 {"key proto=pass service=smtp server=h user=u !password=ses\x01me", "a password must be UTF-8"},
                 {"key proto=pass service=smtp server=h user=u !password=ses\xff\xffme", "a password must be UTF-8"},
                 {"key proto=pass service=smtp server=h user=u !password=" + std::string(256, 's'), "a password must be UTF-8"}};
    for (const auto& c : cases) {
        CAPTURE(c.line);
        const std::string said = fault("# first\n" + c.line + "\n");
        CHECK(said.starts_with("2: " + c.what));
        CHECK(said.find("sesame") == std::string::npos);
        CHECK(fault(joe + joe + c.line).starts_with("3: "));
        CHECK(found(c.line + "\n" + joe, {"mx.example"}, "joe") == "secret");
    }
}
