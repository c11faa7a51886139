// smtp-source's session played in memory against answers that stand in the test.
#pragma once
#include <deque>
#include <string>
#include <vector>

#include "base/ascii.hh"
#include "client/digests.hh"
#include "cmd/smtp-source/options.hh"
#include "cmd/smtp-source/talk.hh"
#include "tests/support/must.hh"
#include "tests/support/pieces.hh"

namespace greylag::source {

inline Order order_of(std::vector<std::string> words) {
    words.insert(words.begin(), {"-M", "h", "-f", "a@x", "-t", "b@y", "-F", "file"});
    words.emplace_back("127.0.0.1");
    std::vector<char*> arguments;
    for (auto& word : words) arguments.push_back(word.data());
    return test::must(make_order(test::must(base::parse_command_line(arguments, option_table)), "host"));
}

// One session against answers that are given one after the other; "+" in front of one: the next is sent along with it.
struct Play {
    explicit Play(const std::vector<std::string>& words, std::vector<std::string> with_answers = {})
        : plan{order_of(words),
               test::must(Content::make(order_of(words), {"Hi\n.\n", "", "", ""})),
               "secret",
               client::all_digests(),
               [] { return std::string("nonce"); },
               [this](std::string_view line) { said += std::string(line) + "\n"; }},
          ledger(plan.order.messages, plan.order.rate, plan.order.duration),
          desk(plan, ledger, 1),
          talk(desk, 0),
          answers(with_answers.begin(), with_answers.end()) {}
    Play(const Play&) = delete;
    Play& operator=(const Play&) = delete;

    void take_output() {
        std::string sent;
        for (const auto piece : talk.output()) sent += piece;
        // By pieces, as a slow socket takes them.
        for (const auto piece : test::pieces(sent, seed)) talk.written(piece.size());
        for (const auto line : base::split(std::string_view(sent).substr(0, sent.empty() ? 0 : sent.size() - 2), '\n'))
            if (!sent.empty()) wire += "C: " + std::string(base::trim(line)) + "\n";
    }

    // Until the session is over, waits, or has no more answers.
    std::string& run() {
        talk.begin(now);
        for (;;) {
            switch (talk.wish()) {
                case Talk::Wish::dial:
                    wire += "connect\n";
                    talk.connected(now);
                    break;
                case Talk::Wish::talk:
                    take_output();
                    if (answers.empty()) return wire;
                    answer();
                    break;
                case Talk::Wish::hang_up:
                    wire += "close\n";
                    talk.begin(now);
                    break;
                case Talk::Wish::handshake:
                    take_output();
                    wire += "handshake\n";
                    talk.secured({tls_works, "no certificate", bindings}, now);
                    break;
                case Talk::Wish::wait: wire += "wait " + std::to_string(talk.due() - now) + "\n"; return wire;
                case Talk::Wish::over: wire += "over\n"; return wire;
            }
        }
    }

    void answer() {
        std::string octets;
        bool more = true;
        while (more && !answers.empty()) {
            more = answers.front().starts_with('+');
            octets += answers.front().substr(more ? 1 : 0) + "\r\n";
            answers.pop_front();
        }
        now += 100;
        for (const auto piece : test::pieces(octets, seed)) talk.heard(piece, now);
    }

    std::uint64_t failed(Failure f) const { return desk.stats.failed[static_cast<std::size_t>(f)]; }

    std::string said, wire;
    Plan plan;
    Ledger ledger;
    Desk desk;
    Talk talk;
    std::deque<std::string> answers;
    Tick now = 0;
    unsigned seed = 0;
    bool tls_works = true;
    sasl::Bindings bindings;
};

inline const std::string message = "C: Hi\nC: ..\nC: .\n";

}  // namespace greylag::source
