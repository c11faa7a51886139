// The test programs' main: doctest, and a reporter that names what was skipped and why, and counts for the last line.
#define DOCTEST_CONFIG_IMPLEMENT
#include "tests/support/test.hh"

#include <cstdio>
#include <string>
#include <vector>

namespace {

struct Skips {
    std::string why;  // of the running test case
};
Skips& skips() {
    static Skips s;
    return s;
}

struct Counter : doctest::IReporter {
    std::string current;
    unsigned passed = 0, failed = 0, skipped = 0;

    explicit Counter(const doctest::ContextOptions&) {}
    void report_query(const doctest::QueryData&) override {}
    void test_run_start() override {}
    void test_run_end(const doctest::TestRunStats&) override {
        std::printf("count %u %u %u\n", passed, failed, skipped);
        std::fflush(stdout);
    }
    void test_case_start(const doctest::TestCaseData& data) override {
        current = data.m_name;
        skips().why.clear();
    }
    void test_case_reenter(const doctest::TestCaseData&) override {}
    void test_case_end(const doctest::CurrentTestCaseStats& stats) override {
        if (!stats.testCaseSuccess) {
            ++failed;
            std::printf("FAILED: %s\n", current.c_str());
        } else if (!skips().why.empty()) {
            ++skipped;
            std::printf("skipped: %s: %s\n", current.c_str(), skips().why.c_str());
        } else {
            ++passed;
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

void greylag::test::skip(std::string why) { skips().why = std::move(why); }

int main(int argc, char** argv) {
    doctest::Context context(argc, argv);
    context.setOption("no-version", true);
    context.setOption("no-colors", true);
    return context.run();
}
