// The mechanisms that only a client of ours speaks: the vectors of their RFCs, and servers that lie.
#include "base/hex.hh"
#include "sasl/client.hh"
#include "sasl/digest_md5.hh"
#include "sasl/otp.hh"
#include "tests/support/must.hh"
#include "tests/support/sasl.hh"
#include "tests/support/test.hh"

using namespace greylag;
using namespace greylag::test;
using sasl::Mechanism;

namespace {

std::string hex(std::string_view bytes) {
    std::string out;
    for (const char c : bytes) base::append_hex(out, c, base::hex_lower);
    return out;
}

std::string said(const Result<std::string>& answer) { return answer ? *answer : answer.error().text; }

sasl::Client::Facts facts(std::string nonce = "abc") {
    sasl::Client::Facts f;
    f.digests = digests;
    f.nonce = std::move(nonce);
    f.host = "mx.example";
    f.port = "587";
    return f;
}

const std::string nul(1, '\0');

}  // namespace

TEST_CASE("sasl: RFC 5802, SCRAM-SHA-1") {
    sasl::Client client(Mechanism::scram_sha_1, facts("fyko+d2lbbFgONRv9qkxdawL"), "user", "pencil");
    CHECK(client.initial() == "n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL");
    CHECK(said(client.respond("r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096")) ==
          "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=");
    CHECK_FALSE(client.succeeded().has_value());
    CHECK(said(client.respond("v=rmF9pqV8S7suAoZWja4dJRkFsKQ=")).empty());
    CHECK(client.succeeded().has_value());
    CHECK(said(client.respond("v=rmF9pqV8S7suAoZWja4dJRkFsKQ=")) == "authentication: the server asks for more than SCRAM has");
}

TEST_CASE("sasl: who sent no SCRAM challenge has no proof to show") {
    for (const char* first : {"", "r=abcdef", "r=xyz,s=QSXCR+Q6sek8bf92,i=4096", "r=abcdef,s=QSXCR+Q6sek8bf92,i=1"})
        for (const char* proof : {"v=", "v=,", "v=AA==", ""}) {
            INFO(first << " then " << proof);
            sasl::Client client(Mechanism::scram_sha_1, facts(), "user", "pencil");
            client.initial();
            CHECK_FALSE(client.respond(first).has_value());
            CHECK_FALSE(client.respond(proof).has_value());
            CHECK_FALSE(client.succeeded().has_value());
        }
}

TEST_CASE("sasl: RFC 2831, DIGEST-MD5") {
    auto f = facts("OA6MHXh6VqTrRk");
    f.service = "imap";
    f.host = "elwood.innosoft.com";
    sasl::Client client(Mechanism::digest_md5, f, "chris", "secret");
    CHECK_FALSE(client.initial().has_value());
    CHECK(said(client.respond("realm=\"elwood.innosoft.com\",nonce=\"OA6MG9tEQGm2hh\",qop=\"auth\",algorithm=md5-sess,"
                              "charset=utf-8")) ==
          "charset=utf-8,username=\"chris\",realm=\"elwood.innosoft.com\",nonce=\"OA6MG9tEQGm2hh\",nc=00000001,"
          "cnonce=\"OA6MHXh6VqTrRk\",digest-uri=\"imap/elwood.innosoft.com\","
          "response=d388dad90d4bbd760a152321f2143af7,qop=auth");
    CHECK_FALSE(client.succeeded().has_value());
    CHECK(said(client.respond("rspauth=ea40f60335c427b5527b84dbabcdfffd")).empty());
    CHECK(client.succeeded().has_value());
}

TEST_CASE("sasl: DIGEST-MD5 challenges") {
    const std::string none = "authentication: the server sent no DIGEST-MD5 challenge";
    const std::string layer = "authentication: the server asks for a security layer of its own, and TLS is the only one here";
    const std::string good = "username=\"joe\",nonce=\"n\",nc=00000001,cnonce=\"abc\",digest-uri=\"smtp/mx.example\",response=";
    struct Row {
        std::string challenge, begins;
    };
    const Row rows[] = {
        {"nonce=\"n\",algorithm=md5-sess", good},
        {"nonce=n,algorithm=md5-sess", good},
        {" , nonce = \"n\" ,, algorithm=MD5-SESS , ", good},
        {"nonce=\"\\n\",algorithm=md5-sess,stale=true,maxbuf=65536,unknown=\"a,b\"", good},
        {"nonce=\"n\",algorithm=md5-sess,qop=\"auth-conf,auth-int,auth\"", good},
        {"nonce=\"n\",algorithm=md5-sess,qop=\"auth-conf\"", layer},
        {"nonce=\"n\",algorithm=md5-sess,qop=\"\"", layer},
        {"nonce=\"n\"", none},
        {"algorithm=md5-sess", none},
        {"nonce=\"\",algorithm=md5-sess", none},
        {"nonce=\"n\",nonce=\"m\",algorithm=md5-sess", none},
        {"nonce=\"n\",algorithm=md5", none},
        {"nonce=\"n\",algorithm=md5-sess,algorithm=md5-sess", none},
        {"nonce=\"n\",algorithm=md5-sess,qop=auth,qop=auth", none},
        {"nonce=\"n,algorithm=md5-sess", none},
        {"nonce=\"n\\", none},
        {"nonce=\"n\"x,algorithm=md5-sess", none},
        {"nonce", none},
        {"=n", none},
        {"", none},
        {nul, none},
        {"nonce=\"n\",algorithm=md5-sess,x=\"" + std::string(2048, 'x') + "\"", none},
    };
    for (const Row& row : rows) {
        INFO(row.challenge);
        sasl::Client client(Mechanism::digest_md5, facts(), "joe", "secret");
        CHECK(said(client.respond(row.challenge)).substr(0, row.begins.size()) == row.begins);
    }
}

TEST_CASE("sasl: DIGEST-MD5, realms, names and the server's proof") {
    const std::string base = "nonce=\"n\",algorithm=md5-sess";
    auto with = facts();
    with.realm = "ours";
    with.authorization = "ann";
    sasl::Client chosen(Mechanism::digest_md5, with, "j\"o\\e", "secret");
    const auto text = said(chosen.respond("realm=a,realm=b," + base));
    CHECK(text.starts_with("username=\"j\\\"o\\\\e\",realm=\"ours\","));
    CHECK(text.ends_with(",qop=auth,authzid=\"ann\""));

    auto asking = facts();
    asking.ask = [](std::string_view prompt) { return prompt == "realm (one of a b)" ? std::string("b") : std::string("?"); };
    sasl::Client asked(Mechanism::digest_md5, asking, "joe", "secret");
    CHECK(said(asked.respond("realm=a,realm=b," + base)).find("realm=\"b\"") != std::string::npos);
    sasl::Client first(Mechanism::digest_md5, facts(), "joe", "secret");
    CHECK(said(first.respond("realm=a,realm=b," + base)).find("realm=\"a\"") != std::string::npos);

    // The same digest in both spellings: ISO 8859-1 is what is hashed.
    const auto hashed = [](const std::string& challenge, const std::string& user) {
        sasl::Client client(Mechanism::digest_md5, facts(), user, "secret");
        const std::string all = said(client.respond(challenge));
        const std::size_t at = all.find("response=");
        return at == std::string::npos ? all : all.substr(at, 41);
    };
    CHECK(hashed(base,
                 "j\xc3\xb6"
                 "e") == hashed(base + ",charset=utf-8",
                                "j\xc3\xb6"
                                "e"));
    CHECK(hashed(base + ",charset=utf-8", "j\xe2\x82\xac").starts_with("response="));
    CHECK(hashed(base, "j\xe2\x82\xac") == "authentication: the server knows no UTF-8, and the name or the password needs it");

    for (const char* proof : {"", "rspauth=", "rspauth=00000000000000000000000000000000", "x", "rspauth=\""}) {
        INFO(proof);
        sasl::Client client(Mechanism::digest_md5, facts(), "joe", "secret");
        must(client.respond(base));
        CHECK(said(client.respond(proof)) == "authentication: the server does not know the password itself");
        CHECK_FALSE(client.succeeded().has_value());
        CHECK(said(client.respond(base)) == "authentication: the server asks for more than DIGEST-MD5 has");
    }
}

TEST_CASE("sasl: RFC 2289 appendix C") {
    struct Row {
        const char *hash, *pass, *seed;
        unsigned sequence;
        const char* hex;
    };
    const Row rows[] = {
        {"md5", "This is a test.", "TeSt", 0, "9e876134d90499dd"},
        {"md5", "This is a test.", "TeSt", 1, "7965e05436f5029f"},
        {"md5", "This is a test.", "TeSt", 99, "50fe1962c4965880"},
        {"md5", "AbCdEfGhIjK", "alpha1", 0, "87066dd9644bf206"},
        {"md5", "AbCdEfGhIjK", "alpha1", 1, "7cd34c1040add14b"},
        {"md5", "AbCdEfGhIjK", "alpha1", 99, "5aa37a81f212146c"},
        {"md5", "OTP's are good", "correct", 0, "f205753943de4cf9"},
        {"md5", "OTP's are good", "correct", 1, "ddcdac956f234937"},
        {"md5", "OTP's are good", "correct", 99, "b203e28fa525be47"},
        {"sha1", "This is a test.", "TeSt", 0, "bb9e6ae1979d8ff4"},
        {"sha1", "This is a test.", "TeSt", 1, "63d936639734385b"},
        {"sha1", "This is a test.", "TeSt", 99, "87fec7768b73ccf9"},
        {"sha1", "AbCdEfGhIjK", "alpha1", 0, "ad85f658ebe383c9"},
        {"sha1", "AbCdEfGhIjK", "alpha1", 1, "d07ce229b5cf119b"},
        {"sha1", "AbCdEfGhIjK", "alpha1", 99, "27bc71035aaf3dc6"},
        {"sha1", "OTP's are good", "correct", 0, "d51f3e99bf8e6f0b"},
        {"sha1", "OTP's are good", "correct", 1, "82aeb52d943774e4"},
        {"sha1", "OTP's are good", "correct", 99, "4f296a74fe1567ec"},
    };
    for (const Row& row : rows) {
        const std::string challenge =
            std::string("otp-") + row.hash + " " + std::to_string(row.sequence) + " " + row.seed + " ext";
        INFO(challenge);
        const auto parsed = sasl::parse_otp_challenge(challenge);
        REQUIRE(parsed.has_value());
        CHECK(hex(sasl::one_time_password(*parsed, row.pass, digests)) == row.hex);
        sasl::Client client(Mechanism::otp, facts(), "joe", row.pass);
        CHECK(client.initial() == nul + "joe");
        CHECK(said(client.respond(challenge)) == std::string("hex:") + row.hex);
    }
}

TEST_CASE("sasl: OTP challenges that are none, and answers that are typed") {
    for (const char* challenge :
         {"", "otp-md5", "otp-md5 1 seed", "otp-md5 1 seed extra", "otp-md4 1 seed ext", "otp-md5 -1 seed ext",
          "otp-md5 1000000 seed ext", "otp-md5 1 seed! ext", "otp-md5 1 seedseedseedseeds ext"}) {
        INFO(challenge);
        sasl::Client client(Mechanism::otp, facts(), "joe", "secret");
        client.initial();
        CHECK(said(client.respond(challenge)) == "authentication: the server sent no OTP challenge that we understand");
    }
    CHECK(sasl::typed_otp("9E87 6134 D904 99DD") == "hex:9e876134d90499dd");
    CHECK(sasl::typed_otp(" inch sea anne long ahem tour ") == "word:INCH SEA ANNE LONG AHEM TOUR");
    CHECK_FALSE(sasl::typed_otp("").has_value());
    CHECK_FALSE(sasl::typed_otp("9E87 6134 D904 99D").has_value());
    CHECK_FALSE(sasl::typed_otp("one two three four five six").has_value());
    CHECK_FALSE(sasl::typed_otp("inch sea anne long ahem").has_value());

    auto asking = facts();
    std::string prompt;
    asking.ask = [&](std::string_view text) { return prompt = text, std::string("inch sea anne long ahem tour"); };
    sasl::Client typed(Mechanism::otp, asking, "joe", "");
    typed.initial();
    CHECK(said(typed.respond("otp-md5 0 test ext,hex")) == "word:INCH SEA ANNE LONG AHEM TOUR");
    CHECK(prompt == "otp-md5 0 test ext,hex");
    CHECK(said(typed.respond("otp-md5 0 test ext")) == "authentication: the server asks for more than OTP has");
    asking.ask = [](std::string_view) { return std::string("what?"); };
    sasl::Client wrong(Mechanism::otp, asking, "joe", "");
    wrong.initial();
    CHECK_FALSE(wrong.respond("otp-md5 0 test ext").has_value());
}

TEST_CASE("sasl: bearer tokens, and the dance when one is refused") {
    sasl::Client oauth(Mechanism::oauthbearer, facts(), "user@example.com", "vF9dft4qmT");
    CHECK(oauth.initial() ==
          "n,a=user@example.com,\x01host=mx.example\x01port=587\x01"
          "auth=Bearer vF9dft4qmT\x01\x01");
    CHECK(said(oauth.respond("{\"status\":\"invalid_token\"}")) == "\x01");
    CHECK(oauth.complaint() == "{\"status\":\"invalid_token\"}");
    CHECK(said(oauth.respond("{}")) == "authentication: the server asks for more than OAUTHBEARER has");

    sasl::Client late(Mechanism::oauthbearer, facts(), "a,b=c", "t");
    CHECK(said(late.respond("")).starts_with("n,a=a=2Cb=3Dc,\x01"));
    CHECK(late.complaint().empty());

    sasl::Client x(Mechanism::xoauth2, facts(), "someuser@example.com", "ya29.vF9dft4qmT");
    CHECK(x.initial() ==
          "user=someuser@example.com\x01"
          "auth=Bearer ya29.vF9dft4qmT\x01\x01");
    CHECK(said(x.respond("{\"status\":\"401\"}")).empty());
    CHECK(x.complaint() == "{\"status\":\"401\"}");
    CHECK(x.succeeded().has_value());
    sasl::Client flood(Mechanism::xoauth2, facts(), "u", "t");
    flood.initial();
    must(flood.respond(std::string(100'000, 'x')));
    CHECK(flood.complaint().size() <= 2048);
}

TEST_CASE("sasl: EXTERNAL, ANONYMOUS, and acting for somebody else") {
    auto f = facts();
    CHECK(sasl::Client(Mechanism::external, f, "joe", "").initial() == "");
    CHECK(sasl::Client(Mechanism::anonymous, f, "sirhc", "").initial() == "sirhc");
    f.authorization = "ann";
    CHECK(sasl::Client(Mechanism::external, f, "joe", "").initial() == "ann");
    CHECK(sasl::Client(Mechanism::plain, f, "joe", "secret").initial() == "ann" + nul + "joe" + nul + "secret");
    CHECK(sasl::Client(Mechanism::otp, f, "joe", "").initial() == "ann" + nul + "joe");
    CHECK(sasl::Client(Mechanism::scram_sha_256, f, "joe", "").initial() == "n,a=ann,n=joe,r=abc");
    for (const auto m : {Mechanism::external, Mechanism::anonymous}) {
        sasl::Client client(m, f, "joe", "");
        CHECK(said(client.respond("")) == (m == Mechanism::external ? "ann" : "joe"));
        CHECK_FALSE(client.respond("more").has_value());
    }
}

TEST_CASE("sasl: what is built in, what is served, and the order of trying") {
    const std::vector<std::string> all{
        "ANONYMOUS", "LOGIN",      "PLAIN",       "XOAUTH2", "OAUTHBEARER",        "EXTERNAL",     "OTP",
        "CRAM-MD5",  "DIGEST-MD5", "SCRAM-SHA-1", "GSSAPI",  "SCRAM-SHA-256-PLUS", "SCRAM-SHA-256"};
    const auto names = [&](const sasl::Means& means) {
        std::string out;
        for (const auto m : sasl::ranked(all, means)) out += (out.empty() ? "" : " ") + std::string(sasl::name(m));
        return out;
    };
    CHECK(names({digests, true, true, true, true}) ==
          "SCRAM-SHA-256-PLUS SCRAM-SHA-256 SCRAM-SHA-1 DIGEST-MD5 CRAM-MD5 OTP EXTERNAL PLAIN LOGIN");
    CHECK(names({digests, false, false, false, false}) == "SCRAM-SHA-256 SCRAM-SHA-1 DIGEST-MD5 CRAM-MD5");
    CHECK(names({{}, true, true, false, false}) == "PLAIN LOGIN");
    CHECK(names({digests, false, true, false, false, 128, 129}).empty());
    CHECK(names({digests, false, false, false, false, 256, 128}) == "SCRAM-SHA-256 SCRAM-SHA-1 DIGEST-MD5 CRAM-MD5");

    for (const auto m : sasl::spoken) CHECK(sasl::find(sasl::name(m)) == m);
    std::string served;
    for (const auto m : sasl::mechanisms) served += std::string(sasl::name(m)) + " ";
    CHECK(served == "SCRAM-SHA-256-PLUS SCRAM-SHA-256 CRAM-MD5 PLAIN LOGIN ");
    sasl::Client without(Mechanism::digest_md5, {}, "joe", "secret");
    CHECK(said(without.respond("x")) == "authentication: the server wants DIGEST-MD5, which is not built in");
}
