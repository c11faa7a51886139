#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <set>

#include "base/base64.hh"
#include "base/hex.hh"
#include "base/wipe.hh"
#include "secret/password.hh"
#include "secret/random.hh"
#include "secret/sha256.hh"
#include "tests/support/must.hh"
#include "tests/support/test.hh"

using namespace greylag;
using namespace greylag::test;

namespace {
std::string hex(std::string_view bytes) {
    std::string out;
    for (const char c : bytes) base::append_hex(out, c, base::hex_lower);
    return out;
}
}  // namespace

TEST_CASE("secret: random bytes are of the length asked for, and differ") {
    std::set<std::string> seen;
    for (int i = 0; i < 100; ++i) seen.insert(secret::random_text(24));
    CHECK(seen.size() == 100);
    CHECK(secret::random_bytes(0).empty());
    for (const auto& text : seen) CHECK(text.find_first_of(",=@<> ") == std::string::npos);
}

TEST_CASE("secret: equal") {
    CHECK(secret::equal("", ""));
    CHECK(secret::equal("abc", "abc"));
    CHECK_FALSE(secret::equal("abc", "abd"));
    CHECK_FALSE(secret::equal("abc", "ab"));
    CHECK_FALSE(secret::equal("", "a"));
}

TEST_CASE("secret: SHA-256 and HMAC-SHA-256 as published (FIPS 180-2, RFC 4231)") {
    CHECK(hex(secret::sha256("abc")) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    CHECK(hex(secret::sha256("")) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    CHECK(hex(secret::hmac_sha256("Jefe", "what do ya want for nothing?")) ==
          "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    // A key longer than a block.
    CHECK(hex(secret::hmac_sha256(std::string(131, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First")) ==
          "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST_CASE("secret: PBKDF2-HMAC-SHA-256 (RFC 7914 section 11, the first block)") {
    CHECK(hex(secret::pbkdf2_sha256("passwd", "salt", 1)) == "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc");
    CHECK(hex(secret::pbkdf2_sha256("Password", "NaCl", 80000)) ==
          "4ddcd8f60b98be21830cee5ef22701f9641a4418d04c0414aeff08876b34ab56");
}

TEST_CASE("secret: a password hash knows its password and no other") {
    const auto hash = must(secret::hash_password("correct horse"));
    CHECK(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
    CHECK(must(secret::is_password(hash, "correct horse")));
    CHECK_FALSE(must(secret::is_password(hash, "correct hors")));
    CHECK_FALSE(must(secret::is_password(hash, "")));
    CHECK(hash != must(secret::hash_password("correct horse")));
    CHECK(secret::check_hash(secret::nobodys_hash()).has_value());
    CHECK_FALSE(must(secret::is_password(secret::nobodys_hash(), "correct horse")));
}

TEST_CASE("secret: what is no hash is an error, not a wrong password") {
    const std::string good(secret::nobodys_hash());
    const auto with = [&](std::string_view what, std::string_view other) {
        std::string text = good;
        return text.replace(text.find(what), what.size(), other);
    };
    for (const std::string& text :
         {std::string(), std::string("x"), std::string("$argon2id$"), good.substr(0, good.size() - 1), good + "A",
          with("id", "i"), with("p=1", "p=2"), with("t=2", "t=0"), with("t=2", "t=1000"), with("m=19456", "m=-1"),
          with("m=19456", "m=4"), with("m=19456", "m=99999999"), with("v=19", "v=16"), with("$m", "m")}) {
        INFO(text);
        const auto answer = secret::is_password(text, "x");
        REQUIRE_FALSE(answer.has_value());
        CHECK(answer.error().lasting == Lasting::permanent);
        CHECK_FALSE(secret::check_hash(text).has_value());
    }
}

TEST_CASE("secret: no memory is temporary and told apart") {
#if defined(__SANITIZE_ADDRESS__)
    SKIP("the address sanitizer needs more address space than the limit leaves");
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
    SKIP("the address sanitizer needs more address space than the limit leaves");
#endif
#endif
    const pid_t child = ::fork();
    if (child == 0) {
        rlimit limit{};
        limit.rlim_cur = limit.rlim_max = 16u << 20;
        ::setrlimit(RLIMIT_AS, &limit);
        const auto answer = secret::is_password(secret::nobodys_hash(), "x");
        const bool right = !answer && answer.error().kind == Kind::limit && answer.error().lasting == Lasting::temporary;
        ::_exit(right ? 0 : 1);
    }
    int status = -1;
    REQUIRE(::waitpid(child, &status, 0) == child);
    CHECK(status == 0);
}

TEST_CASE("base: a wiped string leaves nothing in its room") {
    std::string text = "a secret that is longer than a short string";
    const char* at = text.data();
    base::wipe(text);
    CHECK(text.empty());
    CHECK(std::string_view(at, 10) == std::string_view("\0\0\0\0\0\0\0\0\0\0", 10));
    base::Secret one(std::string("short"));
    base::Secret other(std::move(one));
    CHECK(other.get() == "short");
    CHECK(one.empty());
}
