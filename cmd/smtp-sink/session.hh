// One client of the sink as a value: octets and moments in, octets and one wish out. It judges nothing: any sender, any
// recipient, in any order, as long as no rule says otherwise.
#pragma once
#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cmd/smtp-sink/rules.hh"
#include "sasl/server.hh"
#include "smtp/chunk.hh"
#include "smtp/command.hh"
#include "smtp/dot.hh"
#include "smtp/line_reader.hh"

namespace greylag::sink {

using Tick = std::int64_t;  // microseconds since the start
constexpr Tick micros(base::Millis wait) { return wait.count() * 1000; }

// Of all sessions, in all threads.
struct Totals {
    std::atomic<std::uint64_t> sessions{0}, quits{0}, messages{0}, recipients{0}, octets{0}, refused{0}, lost{0};
};

// A whole message, for -d and -D.
struct Dump {
    std::string helo, sender;
    std::vector<std::string> recipients;
    std::string text;  // LF lines
    bool extended = false;
};

// What carries the octets. Bound: the TLS session has what SCRAM is tied to it by.
enum class Over : std::uint8_t { clear, tls, bound_tls };
inline constexpr std::size_t overs = 3;

struct House {
    const Rules& rules;
    Totals& totals;
    sasl::Digests digests;
    std::string (*random)() = nullptr;
    std::function<void(std::string_view line)> say;
    std::function<std::string(const Dump& dump, std::string_view peer)> write_dump;  // only where -d or -D; a fault, or nothing
    std::array<std::string, overs> hello;                                            // the whole answer to EHLO or LHLO
    std::string waste;  // where octets go that nobody keeps; a house is one thread's
};
std::string make_hello(const Rules& rules, Over over);

class Session {
public:
    enum class Wish : std::uint8_t {
        talk,       // write output(), read, heard()
        wait,       // write output(), read nothing until due(), then resume()
        handshake,  // write output(), then TLS, then secured()
        stall,      // read and forget
        close,      // write output(), close
        reset,      // break off
    };
    Session(House& house, std::string peer, std::uint64_t number);

    Wish wish() const { return wish_; }
    Tick due() const { return due_; }
    void begin(Tick now);
    void resume(Tick now);
    void secured(sasl::Bindings bindings, Tick now);
    void heard(std::string_view octets, Tick now);
    void gone();  // the client left, or was silent for too long

    std::string& output() { return out_; }  // taken from its front by who writes it

private:
    enum class In : std::uint8_t { commands, body, chunk, auth };
    void take(std::string_view& octets, Tick now);
    void body(std::string_view& octets, Tick now);
    void line(const smtp::InputLine& line, Tick now);
    void command(std::string_view line, Tick now);
    void at(Point point, Tick now);  // what the rules want here, or answer()
    void act(Point point, Tick now);
    Tick delay_at(Point point);
    void say(std::string_view reply);
    void code(std::string_view code, std::string_view enhanced, std::string_view text);
    void wait(Tick until) { wish_ = Wish::wait, due_ = until; }

    // session_answers.cc
    void answer(Point point, Tick now);
    void hello(bool extended);
    void mail();
    void recipient();
    void data(Tick now);
    void chunk(Tick now);
    void end_of_message();
    void forget_message();

    // session_auth.cc
    bool offers(sasl::Mechanism mechanism) const;
    void start_auth();
    void auth_line(std::string_view line);
    void auth_step(sasl::Step step);

    House* house_;
    const Rules* rules_;
    std::string peer_;
    std::uint64_t dice_;
    Wish wish_ = Wish::talk;
    Tick due_ = 0;
    In in_ = In::commands;
    std::optional<Point> held_point_;  // to be answered when the wait is over
    bool aborting_ = false, leaving_ = false, secure_ = false;

    smtp::LineReader reader_;
    smtp::DotDecoder dots_{smtp::DotDecoder::Limits{}};
    smtp::ChunkDecoder chunks_;
    bool last_chunk_ = false;
    std::string argument_;  // of the command in hand
    std::string held_;      // octets that came while nothing was to be read
    std::string text_;      // of the message, where it is dumped
    std::string out_;
    Dump dump_;
    unsigned recipients_ = 0;
    std::uint64_t octets_ = 0;

    std::unique_ptr<sasl::Server> sasl_;
    sasl::Bindings bindings_;
};

}  // namespace greylag::sink
