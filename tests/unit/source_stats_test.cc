// What smtp-source measured and how it says so.
#include "cmd/smtp-source/report.hh"

#include <algorithm>
#include <vector>

#include "cmd/smtp-source/sizes.hh"
#include "tests/support/test.hh"

using namespace greylag::source;

TEST_CASE("smtp-source: a bucket holds what falls into it") {
    for (Tick value = 0; value < 5'000'000; value += value / 97 + 1) {
        const auto bucket = Histogram::bucket(value);
        CHECK(Histogram::lowest(bucket) <= value);
        CHECK(Histogram::lowest(bucket + 1) > value);
    }
    CHECK(Histogram::bucket(-5) == 0);
    CHECK(Histogram::bucket(Tick{1} << 62) == Histogram::buckets - 1);
}

TEST_CASE("smtp-source: percentiles are right within three percent") {
    Dice dice(7);
    std::vector<Tick> values;
    Histogram h, a, b;
    for (int i = 0; i < 30'000; ++i) {
        const auto value = static_cast<Tick>(dice.below(1U << dice.below(26)));
        values.push_back(value);
        h.add(value);
        (i % 3 == 0 ? a : b).add(value);
    }
    a.add(b);
    std::sort(values.begin(), values.end());
    for (const double percent : {50.0, 90.0, 99.0, 99.9}) {
        const auto exact =
            static_cast<double>(values[static_cast<std::size_t>(percent / 100 * static_cast<double>(values.size())) - 1]);
        const auto got = static_cast<double>(h.percentile(percent));
        CHECK(got >= exact);
        CHECK(got <= exact * 1.032 + 1);
        CHECK(a.percentile(percent) == h.percentile(percent));
    }
    CHECK(h.least() == values.front());
    CHECK(h.most() == values.back());
    CHECK(a.least() == h.least());
    CHECK(a.most() == h.most());
    CHECK(a.count() == 30'000);
    CHECK(Histogram().percentile(99) == 0);
    Histogram one;
    one.add(1234);
    CHECK(one.percentile(50) == 1234);
    CHECK(one.percentile(99.9) == 1234);
}

TEST_CASE("smtp-source: times for people") {
    CHECK(show_time(0) == "0 us");
    CHECK(show_time(999) == "999 us");
    CHECK(show_time(1250) == "1.25 ms");
    CHECK(show_time(123'456) == "123.5 ms");
    CHECK(show_time(12'500'000) == "12.50 s");
}

TEST_CASE("smtp-source: the histogram in text") {
    Histogram h;
    for (int i = 0; i < 100; ++i) h.add(100);
    for (int i = 0; i < 2; ++i) h.add(300);
    h.add(5000);
    CHECK(histogram(h) ==
          "  <   128 us       100 ##################################################\n"
          "  <   256 us         0\n"
          "  <   512 us         2 #\n"
          "  <  1.02 ms         0\n"
          "  <  2.05 ms         0\n"
          "  <  4.10 ms         0\n"
          "  <  8.19 ms         1 #\n");
    CHECK(histogram(Histogram()) == "");
}

namespace {
Run sample() {
    Run run;
    Stats& s = run.stats;
    s.sent = 3;
    s.recipients = 5;
    s.bytes = 3500;
    s.connections = 2;
    s.failed[static_cast<std::size_t>(Failure::refused)] = 1;
    s.failed[static_cast<std::size_t>(Failure::lost)] = 2;
    s.codes[550] = 1;
    s.timed(Phase::mail, 100);
    s.timed(Phase::whole, 200);
    run.elapsed = 500'000;
    run.sessions = 2;
    run.threads = 1;
    return run;
}
}  // namespace

TEST_CASE("smtp-source: the summary") {
    CHECK(summary(sample()) ==
          "sent         3 messages to 5 recipients, 3.5 kB\n"
          "failed       3 (refused 1, lost 2)\n"
          "refusals     550: 1\n"
          "connections  2 in 2 sessions, 1 thread\n"
          "elapsed      500.0 ms: 6.0 messages/s, 7.0 kB/s\n"
          "\n"
          "phase         count        min        p50        p90        p99      p99.9        max\n"
          "mail              1     100 us     100 us     100 us     100 us     100 us     100 us\n"
          "whole             1     200 us     200 us     200 us     200 us     200 us     200 us\n"
          "\n"
          "a whole message, from MAIL to the last reply\n"
          "  <   256 us         1 ##################################################\n");
    CHECK(summary(Run()).find("failed       0\n") != std::string::npos);
}

TEST_CASE("smtp-source: JSON and CSV") {
    CHECK(json(sample()) ==
          "{\"sent\":3,\"recipients\":5,\"bytes\":3500,\"failed\":3,\"connections\":2,\"sessions\":2,\"threads\":1,\"elapsed\":0."
          "500000,"
          "\"messages_per_second\":6.000,\"bytes_per_second\":7000.0,\"stopped\":false,\"failures\":{\"refused\":1,\"later\":0,"
          "\"lost\":2,\"timeout\":0,\"unreachable\":0,\"protocol\":0,\"tls\":0,\"auth\":0},\"refusals\":{\"550\":1},"
          "\"latency_us\":{\"mail\":{\"count\":1,\"min\":100,\"mean\":100.0,\"p50\":100,\"p90\":100,\"p99\":100,\"p99.9\":100,"
          "\"max\":100},\"whole\":{\"count\":1,\"min\":200,\"mean\":200.0,\"p50\":200,\"p90\":200,\"p99\":200,\"p99.9\":200,"
          "\"max\":200}}}\n");
    const std::string table = csv(sample());
    CHECK(table.starts_with("phase,count,min_us,mean_us,p50_us,p90_us,p99_us,p99.9_us,max_us\nconnect,0,0,0.0,0,0,0,0,0\n"));
    CHECK(table.find("\nmail,1,100,100.0,100,100,100,100,100\n") != std::string::npos);
}

TEST_CASE("smtp-source: the running line") {
    const Glance before{100, 0, 0, 0, 0}, now{350, 0, 0, 1200, 4000};
    CHECK(live_line(now, before, 500'000) == "350 sent, 500/s, p50 1.20 ms, p99 4.00 ms");
    const Glance bad{350, 2, 0, 0, 0};
    CHECK(live_line(bad, bad, 0) == "350 sent, 0/s, p50 0 us, p99 0 us, 2 failed");
}

TEST_CASE("smtp-source: the exit status says the worst") {
    struct Row {
        std::vector<Failure> failed;
        int status;
    };
    const Row rows[] = {
        {{}, 0},
        {{Failure::refused}, 69},
        {{Failure::later}, 75},
        {{Failure::lost}, 75},
        {{Failure::timeout}, 75},
        {{Failure::unreachable}, 75},
        {{Failure::refused, Failure::later}, 75},
        {{Failure::protocol, Failure::later}, 76},
        {{Failure::tls}, 76},
        {{Failure::auth, Failure::tls, Failure::refused}, 77},
    };
    for (const auto& row : rows) {
        Stats s;
        for (const auto f : row.failed) ++s.failed[static_cast<std::size_t>(f)];
        CHECK(verdict(s) == row.status);
    }
}
