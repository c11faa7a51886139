// The test programs' main: doctest, and a reporter that names what was skipped and why, and counts for the last line.
// Called with --fake-mailer it is the fake mailer instead.
#define DOCTEST_CONFIG_IMPLEMENT
#include "tests/support/test.hh"

#include <stdlib.h>

#include <cstdio>
#include <string>
#include <string_view>

#include "tests/support/fake_mailer.hh"

namespace {

struct State {
    std::string why;  // the running test case was skipped
    unsigned passed = 0, failed = 0, skipped = 0;
    std::string program;
};
State& state() {
    static State s;
    return s;
}

struct Counter : doctest::IReporter {
    std::string current;

    explicit Counter(const doctest::ContextOptions&) {}
    void report_query(const doctest::QueryData&) override {}
    void test_run_start() override {}
    void test_run_end(const doctest::TestRunStats&) override {
        std::printf("count %u %u %u\n", state().passed, state().failed, state().skipped);
        std::fflush(stdout);
    }
    void test_case_start(const doctest::TestCaseData& data) override {
        current = data.m_name;
        state().why.clear();
    }
    void test_case_reenter(const doctest::TestCaseData&) override {}
    void test_case_end(const doctest::CurrentTestCaseStats& stats) override {
        if (!stats.testCaseSuccess) {
            ++state().failed;
            std::printf("FAILED: %s\n", current.c_str());
        } else if (!state().why.empty()) {
            ++state().skipped;
            std::printf("skipped: %s: %s\n", current.c_str(), state().why.c_str());
        } else {
            ++state().passed;
        }
    }
    void test_case_exception(const doctest::TestCaseException&) override {}
    void subcase_start(const doctest::SubcaseSignature&) override {}
    void subcase_end() override {}
    void log_assert(const doctest::AssertData&) override {}
    void log_message(const doctest::MessageData&) override {}
    void test_case_skipped(const doctest::TestCaseData&) override {}
};
DOCTEST_REGISTER_LISTENER("count", 1, Counter);

}  // namespace

void greylag::test::skip(std::string why) { state().why = std::move(why); }

void greylag::test::count(std::string_view name, bool ok) {
    if (!ok) std::printf("FAILED: %.*s\n", static_cast<int>(name.size()), name.data());
    ++(ok ? state().passed : state().failed);
}

const std::string& greylag::test::own_program() { return state().program; }

int main(int argc, char** argv) {
    if (argc > 2 && std::string_view(argv[1]) == "--fake-mailer") return greylag::test::fake_mailer_main(argc, argv);
    if (char* whole = ::realpath(argv[0], nullptr); whole != nullptr) {
        state().program = whole;
        ::free(whole);
    }
    doctest::Context context(argc, argv);
    context.setOption("no-version", true);
    context.setOption("no-colors", true);
    const int status = context.run();
    return status == 0 && state().failed > 0 ? 1 : status;
}
