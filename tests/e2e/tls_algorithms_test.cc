// What TLS may choose is there in the programs, which make ready only a part of OpenSSL (lib/tls/algorithms.cc): every kind of
// key, cipher and group, against OpenSSL's own client and server.
#include "sys/child.hh"
#include "sys/file.hh"
#include "tests/e2e/site.hh"
#include "tests/support/s_server.hh"
#include "tests/support/spawn.hh"
#include "tests/support/test.hh"

using namespace greylag;
using namespace greylag::test;

namespace {

sys::Said run(const std::string& program, std::vector<std::string> arguments, int in = -1) {
    sys::Command command;
    command.path = program;
    command.arguments = std::move(arguments);
    command.environment = {"PATH=/usr/bin:/bin", "LANG=C"};
    command.in = in;
    return must(sys::run(command, soon(), 1 << 16, 1 << 16));
}

using Words = std::vector<std::string>;
struct KeyWords {
    const char* label;
    Words words;  // as openssl req takes them
};
const KeyWords every_key[] = {
    {"RSA", {"-newkey", "rsa:2048"}},
    {"RSA-PSS", {"-newkey", "rsa-pss", "-pkeyopt", "rsa_keygen_bits:2048"}},
    {"P-384", {"-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-384", "-sha384"}},
    {"Ed25519", {"-newkey", "ed25519"}},
};

// A self-signed certificate and its key.
std::string identity(const std::string& openssl, const Scratch& scratch, const KeyWords& key) {
    Words words{"req",
                "-x509",
                "-nodes",
                "-days",
                "3",
                "-subj",
                "/CN=mx.greylag.test",
                "-addext",
                "subjectAltName=IP:127.0.0.1",
                "-out",
                scratch.at("made.crt"),
                "-keyout",
                scratch.at("made.key")};
    words.insert(words.end(), key.words.begin(), key.words.end());
    REQUIRE(run(openssl, words).ending.status == 0);
    return *scratch.read("made.crt") + *scratch.read("made.key");
}

}  // namespace

TEST_CASE("tls algorithms: smtpd-tls serves with every kind of key, every cipher, every group") {
    const Site site;
    const std::string openssl = find_program("openssl");
    if (!site.built() || program_path("smtpd-tls").empty()) SKIP("smtpd or smtpd-tls is not built");
    if (openssl.empty()) SKIP("openssl is not installed");
    const auto& scratch = site.scratch;
    scratch.write("quit", "QUIT\r\n");
    scratch.write("mx.pem", identity(openssl, scratch, every_key[2]));
    scratch.write("smtpd.conf", *scratch.read("smtpd.conf") + "[tls]\ncertificate = " + scratch.at("mx.pem") + "\n");
    const auto port = site.free_port();
    const std::string at = "127.0.0.1:" + std::to_string(port);
    const auto loop = started(site, site.smtpd, {"-C", site.configuration, "-l", at}, port);
    (void)loop.connect().ask("QUIT");  // it waits until there is somebody; s_client does not
    const auto served = [&](Words more) {
        Words words{"s_client", "-starttls", "smtp", "-brief", "-ign_eof", "-connect", at};
        words.insert(words.end(), more.begin(), more.end());
        const sys::Fd input = must(sys::open_read(scratch.at("quit")));
        const auto said = run(openssl, words, input.get());
        INFO(said.err);
        CHECK(said.out.find("221 2.0.0") != std::string::npos);
        return said.err;
    };
    for (const char* cipher : {"ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES128-SHA256", "ECDHE-ECDSA-AES256-SHA384"})
        CHECK(served({"-tls1_2", "-cipher", cipher}).find(cipher) != std::string::npos);
    for (const char* cipher : {"TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"})
        CHECK(served({"-ciphersuites", cipher}).find(cipher) != std::string::npos);
    for (const char* group : {"X25519", "P-256", "P-384", "P-521", "ffdhe2048"}) {
        INFO(std::string(group));
        CHECK(served({"-groups", group}).find("TLSv1.3") != std::string::npos);
    }
    for (const auto& key : every_key) {
        INFO(std::string(key.label));
        scratch.write("mx.pem", identity(openssl, scratch, key));
        CHECK(served({}).find("mx.greylag.test") != std::string::npos);
    }
}

TEST_CASE("tls algorithms: a key in every form that PEM has for it, and no encrypted one") {
    const Site site;
    const std::string openssl = find_program("openssl");
    if (!site.built() || program_path("smtpd-tls").empty()) SKIP("smtpd or smtpd-tls is not built");
    if (openssl.empty()) SKIP("openssl is not installed");
    const auto& scratch = site.scratch;
    const std::string plain = *scratch.read("smtpd.conf");
    const auto check = [&](const std::string& chain, const std::string& key) {
        scratch.write("chain.pem", chain);
        scratch.write("key.pem", key);
        scratch.write("smtpd.conf", plain + "[tls]\ncertificate = " + scratch.at("chain.pem") +
                                        (key.empty() ? "\n" : "\nkey = " + scratch.at("key.pem") + "\n"));
        const auto said = run(site.smtpd, {"--check", "-C", site.configuration});
        return said.ending.status == 0 ? std::string("taken") : said.err;
    };
    const auto asked = [&](Words words) {
        const auto said = run(openssl, std::move(words));
        REQUIRE(said.ending.status == 0);
        return said.out;
    };
    for (const auto& key : every_key) {
        INFO(std::string(key.label));
        identity(openssl, scratch, key);
        const std::string chain = *scratch.read("made.crt"), made = *scratch.read("made.key"), file = scratch.at("made.key");
        CHECK(made.starts_with("-----BEGIN PRIVATE KEY"));
        CHECK(check(chain + made, {}) == "taken");
        CHECK(check("a word in front\n" + made + chain, {}) == "taken");
        CHECK(check(chain, made) == "taken");
        const std::string locked = asked({"pkey", "-in", file, "-aes256", "-passout", "pass:secret"});
        CHECK(locked.starts_with("-----BEGIN ENCRYPTED PRIVATE KEY"));
        CHECK(check(chain, locked).find("key.pem: no key in it that can be read without a password") != std::string::npos);
        const bool curve = key.label == std::string_view("P-384");
        if (!curve && key.label != std::string_view("RSA")) continue;
        const std::string old = asked({"pkey", "-in", file, "-traditional"});
        CHECK(old.starts_with(curve ? "-----BEGIN EC PRIVATE KEY" : "-----BEGIN RSA PRIVATE KEY"));
        CHECK(check(chain, old) == "taken");
        if (curve) CHECK(check(chain + asked({"ecparam", "-name", "P-384"}) + old, {}) == "taken");
        const std::string old_locked = asked({"pkey", "-in", file, "-traditional", "-aes256", "-passout", "pass:secret"});
        CHECK(old_locked.find("Proc-Type: 4,ENCRYPTED") != std::string::npos);
        CHECK(check(chain + old_locked, {}).find("chain.pem: no key in it that can be read") != std::string::npos);
        CHECK(check(chain, old.substr(0, old.size() / 2)).find("key.pem: no key in it that can be read") != std::string::npos);
    }
}

TEST_CASE("tls algorithms: a client of ours takes every kind of key and what a server insists on") {
    const std::string openssl = find_program("openssl"), client = program_path("mconnect");
    if (client.empty()) SKIP("mconnect is not built");
    if (openssl.empty()) SKIP("openssl is not installed");
    const Scratch scratch;
    scratch.write("line", "abc\n");
    const auto taken = [&](const std::string& pem, Words options) {
        const OpensslServer server(pem, std::move(options));
        const sys::Fd input = must(sys::open_read(scratch.at("line")));
        const auto said = run(client, {"-t", "-r", "-p", std::to_string(server.port()), "127.0.0.1"}, input.get());
        INFO(said.out << said.err);
        CHECK(said.out.find("cba") != std::string::npos);
    };
    for (const auto& key : every_key) {
        INFO(std::string(key.label));
        taken(identity(openssl, scratch, key), {});
    }
    const std::string rsa = identity(openssl, scratch, every_key[0]);
    for (const char* cipher :
         {"AES128-SHA", "DHE-RSA-AES256-GCM-SHA384", "ECDHE-RSA-AES256-SHA384", "ECDHE-RSA-CHACHA20-POLY1305"}) {
        INFO(std::string(cipher));
        taken(rsa, {"-tls1_2", "-cipher", cipher});
    }
    taken(rsa, {"-ciphersuites", "TLS_AES_128_GCM_SHA256"});
}
