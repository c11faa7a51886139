// AUTH under attack and under strain: guesses that add up, memory that is short, secrets that do not stay.
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>
#include <utime.h>

#include "base/base64.hh"
#include "cmd/smtpd/auth.hh"
#include "cmd/smtpd/penalty.hh"
#include "sys/slots.hh"
#include "tests/e2e/receiver.hh"
#include "tests/support/sasl.hh"
#include "tests/support/test.hh"
#include "tests/support/tls_layer.hh"

using namespace greylag;
using namespace greylag::test;

namespace {

std::string plain(std::string_view password, std::string_view user = "joe") {
    return "AUTH PLAIN " +
           base::base64_encode(std::string(1, '\0') + std::string(user) + std::string(1, '\0') + std::string(password));
}

// smtpd with one user, joe; passwords may be said in clear.
class House : public Receiver {
public:
    explicit House(const std::string& more = "", const std::string& password = "right") {
        auto joe = user_with("joe", password);
        joe.cram_md5.clear();  // the password itself
        scratch.write("users", sasl::show_user(joe) + "\n");
        set(more);
    }
    void set(const std::string& more) const {
        configure("/bin/true", "[smtpd]\npasswordinclear = on\n[auth]\nusers = " + scratch.at("users") + "\n" + more);
    }
    Session greeted(std::vector<std::string> options = {}) const {
        auto s = start(std::move(options), Wire::tcp);
        CHECK(s.wire.reply().starts_with("220 "));
        CHECK(s.wire.ask("EHLO client.home.arpa").find("AUTH") != std::string::npos);
        return s;
    }
    // The codes of the answer to a login.
    std::string said(std::string_view password, std::string_view user = "joe") const {
        auto s = greeted();
        const std::string answer = s.wire.ask(plain(password, user));
        // What it logs it writes behind its reply.
        CHECK(s.wire.ask("QUIT").starts_with("221 "));
        return answer.substr(0, 9);
    }
    bool logs(std::string_view text) const {
        return eventually([&] { return log().find(text) != std::string::npos; });
    }
    std::string records() const {
        std::string all;
        for (const auto& name : scratch.list("state/auth-failed"))
            all += name + ":" + std::to_string(scratch.read("state/auth-failed/" + name)->size()) + " ";
        return all;
    }
};

}  // namespace

TEST_CASE("auth: guesses of one network add up over sessions, and are answered no more") {
    const House house("failures = 3\npenalty = 1h\n");
    if (!house.built()) SKIP("smtpd is not built");
    const auto guess = [&](std::string_view password, std::string_view user = "joe") { return house.said(password, user); };
    CHECK(guess("right") == "235 2.7.0");
    CHECK(house.records().empty());
    // A telephone with an old password says the same for ever.
    for (int i = 0; i < 4; ++i) CHECK(guess("old") == "535 5.7.8");
    CHECK(house.records() == "127.0.0.1:1 ");
    CHECK(guess("right") == "235 2.7.0");
    CHECK(guess("b") == "535 5.7.8");
    CHECK(guess("old", "ann") == "535 5.7.8");
    CHECK(house.records() == "127.0.0.1:3 ");
    // From here on nobody is asked whether it is right.
    CHECK(guess("right") == "454 4.7.0");
    CHECK(guess("c") == "454 4.7.0");
    CHECK(house.records() == "127.0.0.1:3 ");
    CHECK(house.logs("auth-failed id="));
    CHECK(house.logs("reason=penalty"));
    // Its time over, or forgiven by hand.
    const std::string record = house.scratch.at("state/auth-failed/127.0.0.1");
    const utimbuf old{1, 1};
    REQUIRE(::utime(record.c_str(), &old) == 0);
    CHECK(guess("right") == "235 2.7.0");
    CHECK(guess("d") == "535 5.7.8");
    CHECK(house.records() == "127.0.0.1:1 ");
}

TEST_CASE("auth: trusted networks, and 0, count nothing; state that cannot be written holds nobody up") {
    const House house("failures = 1\n[smtpd]\nournets = 127.0.0.0/8\n");
    if (!house.built()) SKIP("smtpd is not built");
    const auto said = [&](std::string_view password) { return house.said(password).substr(0, 3); };
    CHECK(said("wrong") == "535");
    CHECK(said("right") == "235");
    house.set("failures = 0\n");
    CHECK(said("wrong") == "535");
    CHECK(said("right") == "235");
    CHECK(house.records().empty());
    house.scratch.write("state/auth-failed", "no directory");
    house.set("failures = 1\n");
    CHECK(said("wrong") == "535");
    CHECK(said("right") == "235");
    CHECK(house.logs("reason=auth said="));
}

TEST_CASE("auth: records are bounded, by /64 for IPv6, and those whose time is over make room") {
    const Scratch scratch;
    const auto record_of = [&](const char* address, base::Millis time = base::Seconds(3600)) {
        return smtpd::Penalty(scratch.path(), {2, time}, must(mail::IpAddress::parse(address)));
    };
    must(record_of("2001:db8:1:1::1").failed('a'));
    CHECK_FALSE(must(record_of("2001:db8:1:1::1").locked()));
    must(record_of("2001:db8:1:1:ffff::2").failed('b'));
    CHECK(must(record_of("2001:db8:1:1::3").locked()));
    CHECK_FALSE(must(record_of("2001:db8:1:2::1").locked()));
    CHECK(scratch.list("auth-failed").size() == 1);
    // A guess that cannot be told from another counts.
    must(record_of("192.0.2.1").failed(std::nullopt));
    must(record_of("192.0.2.1").failed(std::nullopt));
    CHECK(must(record_of("192.0.2.1").locked()));

    for (std::size_t i = 2; i < smtpd::Penalty::most_networks; ++i) scratch.write("auth-failed/10." + std::to_string(i), "x");
    CHECK_FALSE(record_of("192.0.2.2").failed('a').has_value());
    CHECK(scratch.list("auth-failed").size() == smtpd::Penalty::most_networks);
    must(record_of("192.0.2.1").failed('b'));
    must(record_of("192.0.2.2", base::Millis{0}).failed('a'));
    CHECK(scratch.list("auth-failed").size() == 1);
}

TEST_CASE("auth: a place for each password that is checked, or not now") {
    const House house;
    if (!house.built()) SKIP("smtpd is not built");
    // No place can be had.
    for (int i = 0; i < 4; ++i) house.scratch.make_directory("state/auth." + std::to_string(i));
    for (const auto* password : {"right", "wrong"}) CHECK(house.said(password) == "454 4.7.0");
    CHECK(house.logs("reason=auth said="));
    CHECK(house.log().find("auth-failed") == std::string::npos);
    for (int i = 0; i < 4; ++i) REQUIRE(::rmdir(house.scratch.at("state/auth." + std::to_string(i)).c_str()) == 0);

    // All are taken.
    std::vector<sys::Fd> places;
    for (int i = 0; i < 4; ++i) places.push_back(must(sys::take_slot(house.scratch.at("state/auth"), 4, soon())));
    smtpd::Setup setup;
    setup.settings = config::defaults();
    setup.settings.paths.state = house.scratch.at("state");
    setup.settings.auth.users = house.scratch.at("users");
    setup.settings.smtpd.passwordinclear = true;
    sys::Log::Settings quiet;
    quiet.to = sys::Log::To::file;
    quiet.path = house.scratch.at("log2");
    sys::Log log(quiet);
    smtpd::Authenticator auth(setup, log, std::nullopt, nullptr, base::Millis{50});
    const std::string response = std::string(1, '\0') + "joe" + std::string(1, '\0') + "right";
    CHECK(auth.begin({"PLAIN", response}, nullptr).step == smtp::event::Auth::Step::later);
    CHECK(house.scratch.read("log2")->find("every place is taken") != std::string::npos);
    places.pop_back();
    CHECK(auth.begin({"PLAIN", response}, nullptr).step == smtp::event::Auth::Step::success);
}

TEST_CASE("auth: short of memory is 454 and never 535") {
    const House house;
    if (!house.built()) SKIP("smtpd is not built");
    if (sanitized()) SKIP("the sanitizer needs its own memory");
    auto s = house.greeted();
    const std::string pages = read_whole("/proc/" + std::to_string(s.pid()) + "/statm").value_or("");
    rlimit limit{};
    limit.rlim_cur = limit.rlim_max = static_cast<rlim_t>(std::atol(pages.c_str())) * 4096 + (8u << 20);
    REQUIRE(::prlimit(s.pid(), RLIMIT_AS, &limit, nullptr) == 0);
    for (const auto* password : {"right", "wrong"}) CHECK(s.wire.ask(plain(password)).starts_with("454 4.7.0 "));
    CHECK(s.wire.ask(plain("right", "nobody")).starts_with("454 4.7.0 "));
    CHECK(s.wire.ask("NOOP").starts_with("250 "));
    CHECK(house.logs("not enough memory"));

    // A hash that asks for a gigabyte, and one that is none.
    for (const char* hash :
         {"$argon2id$v=19$m=1048576,t=2,p=1$7k2F004sO8bP3sFPepSE9g$pougLZgESfdO13wpuK5tDeXbIPu6VOeDETjEo2QTQ4U",
          "$argon2id$v=19$m=19456,t=2,p=4$7k2F004sO8bP3sFPepSE9g$pougLZgESfdO13wpuK5tDeXbIPu6VOeDETjEo2QTQ4U"}) {
        house.scratch.write("users", std::string("joe argon2id=") + hash + "\n");
        auto t = house.start({}, Wire::tcp);
        t.wire.reply();
        // A user whose line says nothing usable is not even offered; one whose hash is too dear is, and later.
        if (t.wire.ask("EHLO client.home.arpa").find("AUTH") == std::string::npos) continue;
        CHECK(t.wire.ask(plain("right")).starts_with("454 4.7.0 "));
    }
    CHECK(house.log().find("auth-failed") == std::string::npos);
}

namespace {

// Where in the writable memory of a process the text stands; "" is nowhere.
std::string found_in_memory(int pid, const std::string& text) {
    const std::string proc = "/proc/" + std::to_string(pid);
    const std::string maps = read_whole(proc + "/maps").value_or("");
    const sys::Fd mem(::open((proc + "/mem").c_str(), O_RDONLY | O_CLOEXEC));
    if (!mem) return "cannot look";
    std::string found;
    for (std::size_t at = 0; at < maps.size(); at = maps.find('\n', at) + 1) {
        const std::string line = maps.substr(at, maps.find('\n', at) - at);
        unsigned long from = 0, to = 0;
        char rights[8] = "";
        if (std::sscanf(line.c_str(), "%lx-%lx %7s", &from, &to, rights) != 3 || rights[1] != 'w') continue;
        std::string bytes(to - from, '\0');
        const ssize_t got = ::pread(mem.get(), bytes.data(), bytes.size(), static_cast<off_t>(from));
        if (got <= 0) continue;
        bytes.resize(static_cast<std::size_t>(got));
        if (bytes.find(text) != std::string::npos) found += line + "\n";
    }
    return found;
}

}  // namespace

TEST_CASE("auth: no password stays in memory, however it came") {
    // A short one fits into the string object itself, a long one does not.
    for (const std::string& password : {std::string("q7Zk4V"), std::string("correct-horse-battery-staple-9182")}) {
        const House house("", password);
        if (!house.built() || program_path("smtpd-tls").empty()) SKIP("smtpd or smtpd-tls is not built");
        if (sanitized()) SKIP("the sanitizer keeps what was freed");
        house.scratch.write("mx.pem", make_identity(KeyKind::p256, "greylag.test"));
        const std::string response = std::string(1, '\0') + "joe" + std::string(1, '\0') + password;
        const std::string encoded = base::base64_encode(response), alone = base::base64_encode(password);
        for (const bool tls : {false, true}) {
            for (const int way : {0, 1, 2, 3, 4, 5}) {
                CAPTURE(tls);
                CAPTURE(way);
                CAPTURE(password);
                auto s = house.start(
                    tls ? std::vector<std::string>{"-t", "-c", house.scratch.at("mx.pem")} : std::vector<std::string>{},
                    Wire::tcp);
                if (tls) must(s.wire.start_tls());
                s.wire.reply();
                s.wire.ask("EHLO client.home.arpa");
                std::string said;
                const auto dribble = [&](const std::string& line) {
                    for (const char c : line + "\r\n") {
                        must(s.wire.send({&c, 1}));
                        if (!tls) must(s.wire.flushed());
                    }
                    return s.wire.reply();
                };
                switch (way) {
                    case 0: said = s.wire.ask("AUTH PLAIN " + encoded); break;
                    case 1:
                        s.wire.ask("AUTH PLAIN");
                        said = s.wire.ask(encoded);
                        break;
                    case 2:
                        s.wire.ask("AUTH LOGIN");
                        s.wire.ask(base::base64_encode("joe"));
                        said = s.wire.ask(alone);
                        break;
                    case 3: said = dribble("AUTH PLAIN " + encoded); break;
                    case 4:
                        s.wire.ask("AUTH PLAIN");
                        said = dribble(encoded);
                        break;
                    // Refused before it was looked at, and where it was never asked for.
                    case 5: said = s.wire.ask("AUTH GSSAPI " + encoded); break;
                }
                CHECK(said.substr(0, 3) == (way == 5 ? "504" : "235"));
                CHECK(s.wire.ask("NOOP").starts_with("250 "));
                if (found_in_memory(s.pid(), "client.home.arpa") == "cannot look")
                    SKIP("memory of another process cannot be read");
                CHECK_FALSE(found_in_memory(s.pid(), "client.home.arpa").empty());  // the search can find
                CHECK(found_in_memory(s.pid(), password).empty());
                CHECK(found_in_memory(s.pid(), encoded).empty());
                CHECK(found_in_memory(s.pid(), alone).empty());
            }
        }
    }
}
