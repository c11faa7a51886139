// The figures in words: for people, for scripts, for spreadsheets. Pure functions of values.
#pragma once
#include <string>

#include "cmd/smtp-source/stats.hh"

namespace greylag::source {

struct Run {
    Stats stats;
    Tick elapsed = 0;
    std::uint64_t sessions = 0, threads = 0;
    bool stopped = false;  // by a signal
};

// "850 us", "1.25 ms", "12.5 s".
std::string show_time(Tick micros);

std::string summary(const Run& run);         // several lines, the histogram last
std::string histogram(const Histogram& of);  // a bar for each power of two that is not empty at the ends
std::string json(const Run& run);            // one line
std::string csv(const Run& run);             // a head, then a row a phase

// What the running display shows; taken several times a second.
struct Glance {
    std::uint64_t sent = 0, failed = 0, bytes = 0;
    Tick median = 0, p99 = 0;
};
// One line without its end: "1234 sent, 617/s, p50 1.2 ms, p99 4.0 ms, 3 failed". The rate is of the time between the two.
std::string live_line(const Glance& now, const Glance& before, Tick between);

}  // namespace greylag::source
