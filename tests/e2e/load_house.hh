// smtp-source and smtp-sink, the real programs, and Postfix's where they are installed.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/ascii.hh"
#include "sys/child.hh"
#include "sys/file.hh"
#include "sys/io.hh"
#include "sys/rights.hh"
#include "tests/support/must.hh"
#include "tests/support/scratch.hh"
#include "tests/support/spawn.hh"
#include "tests/support/stream.hh"

namespace greylag::test {

inline sys::Command load_command(const std::string& program, std::vector<std::string> words) {
    sys::Command command;
    command.path = program;
    command.arguments = std::move(words);
    command.environment = {"PATH=/usr/sbin:/usr/bin:/bin", "TZ=UTC"};
    return command;
}

struct Loaded {
    int status = 0;  // or minus the signal
    std::string out, err;

    // The number behind "name": in JSON; -1 when it is not there.
    long number(const std::string& name) const {
        const std::string key = "\"" + name + "\":";
        const std::size_t at = out.find(key);
        if (at == std::string::npos) return -1;
        const std::string_view rest = std::string_view(out).substr(at + key.size());
        return static_cast<long>(
            base::parse_number<std::uint32_t>(rest.substr(0, rest.find_first_not_of("0123456789"))).value_or(0));
    }
};

inline Loaded run_load(const std::string& program, std::vector<std::string> words) {
    const auto said = must(sys::run(load_command(program, std::move(words)), soon(), 1 << 20, 1 << 20));
    const bool exited = said.ending.how == sys::Ending::How::exited;
    return {exited ? said.ending.status : -said.ending.status, said.out, said.err};
}

inline std::string load_path() { return program_path("smtp-source"); }
inline Loaded source(std::vector<std::string> words) {
    words.insert(words.begin(), {"--json", "-M", "h.example"});
    return run_load(load_path(), std::move(words));
}

// Our sink, listening.
class Sink {
public:
    explicit Sink(std::vector<std::string> words, const std::string& place = "127.0.0.1:0") {
        words.insert(words.begin(), "--json");
        words.push_back(place);
        const sys::Fd out(must(sys::create_file(dir_.at("out"), 0600)));
        const sys::Fd err(must(sys::create_file(dir_.at("err"), 0600)));
        auto command = load_command(program_path("smtp-sink"), std::move(words));
        command.out = out.get();
        command.err = err.get();
        child_ = std::make_unique<sys::Child>(must(sys::Child::spawn(command)));
        constexpr std::string_view listening = "listening on ";
        must_hold(eventually([&] { return this->err().find(listening) != std::string::npos && this->err().ends_with('\n'); }));
        const std::string said = this->err();
        const std::size_t at = said.find(listening) + listening.size();
        where = said.substr(at, said.find('\n', at) - at);
    }

    std::string where;
    std::string err() const { return dir_.read("err").value_or(""); }
    void signal(int number) { child_->kill(number); }
    // Its counts when it has ended, by a signal or by itself.
    Loaded end(int number = 15) {
        if (number != 0) child_->kill(number);
        const auto ending = must(child_->wait(soon()));
        return {ending.status, dir_.read("out").value_or(""), err()};
    }

private:
    static void must_hold(bool good) {
        if (!good) throw std::runtime_error("smtp-sink did not begin to listen");
    }
    Scratch dir_;
    std::unique_ptr<sys::Child> child_;
};

// Postfix's program of this name; empty where it is not installed (or is ours).
inline std::string postfix_program(const std::string& name) {
    const std::string path = "/usr/sbin/" + name;
    const auto status = sys::status(path);
    return status && status->executable ? path : "";
}

class PostfixSink {
public:
    explicit PostfixSink(std::vector<std::string> words) {
        port = must(listen_at("127.0.0.1")).port;  // free a moment ago
        if (sys::is_root()) words.insert(words.begin(), {"-u", "nobody"});
        words.insert(words.end(), {"127.0.0.1:" + std::to_string(port), "1000"});
        child_ =
            std::make_unique<sys::Child>(must(sys::Child::spawn(load_command(postfix_program("smtp-sink"), std::move(words)))));
        if (!eventually([&] { return connect_to("127.0.0.1", port).has_value(); })) throw std::runtime_error("no sink");
    }
    std::uint16_t port = 0;
    std::string where() const { return "127.0.0.1:" + std::to_string(port); }

private:
    std::unique_ptr<sys::Child> child_;
};

}  // namespace greylag::test

#define NEEDS_LOAD                                                                                  \
    if (::greylag::test::load_path().empty() || ::greylag::test::program_path("smtp-sink").empty()) \
    SKIP("smtp-source or smtp-sink is not built")
