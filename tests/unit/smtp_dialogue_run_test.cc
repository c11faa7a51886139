// The runner of the dialogue language, over a channel that answers from a list.
#include "smtp/dialogue_run.hh"
#include "tests/support/must.hh"
#include "tests/support/test.hh"

using namespace greylag;
namespace dialogue = greylag::smtp::dialogue;

namespace {

class Listed : public dialogue::Channel {
public:
    explicit Listed(std::vector<std::string> replies) : replies_(std::move(replies)) {}
    Result<void> send(std::string_view octets) override { return said += octets, Result<void>(); }
    Result<void> cut() override { return said += "<cut>", Result<void>(); }
    Result<std::string> read_reply() override {
        if (next_ == replies_.size()) return base::fail(Kind::closed, "the end");
        return replies_[next_++];
    }
    Result<bool> speaks_or_closes() override { return next_ < replies_.size(); }
    Result<std::string> read_to_end() override { return next_ < replies_.size() ? replies_[next_] : ""; }
    Result<void> half_close() override { return said += "<close>", Result<void>(); }
    Result<void> start_tls() override { return said += "<tls>", Result<void>(); }
    Result<void> authenticate(const std::vector<std::string>& words) override {
        return said += "<auth " + std::to_string(words.size()) + ">", Result<void>();
    }
    std::string said;

private:
    std::vector<std::string> replies_;
    std::size_t next_ = 0;
};

std::string run(const std::string& script, std::vector<std::string> replies, std::string* said = nullptr) {
    Listed channel(std::move(replies));
    const auto fault = dialogue::run(*dialogue::parse(script), channel);
    if (said != nullptr) *said = channel.said;
    return fault ? std::to_string(fault->line) + ": " + fault->what : "";
}

}  // namespace

TEST_CASE("dialogue: the runner") {
    std::string said;
    CHECK(run("s: 220\nc: EHLO x\ns: 250\ns+ TLS\ntls\nauth PLAIN joe\ns: 235\ncut\nclose\nclosed\n",
              {"220 a\r\n", "250-a\r\n250 TLS\r\n", "235 ok\r\n"}, &said)
              .empty());
    CHECK(said == "EHLO x\r\n<tls><auth 2><cut><close>");
    CHECK(run("s: 220\n\nc: QUIT\ns: 221 bye\n", {"220 a\r\n", "221 ciao\r\n"}).starts_with("4: expected 221 bye, got "));
    CHECK(run("s: 220\nwait\n", {"220 a\r\n"}) == "2: the server neither speaks nor closes");
    CHECK(run("s: 220\ns: 250\n", {"220 a\r\n"}) == "2: expected a reply: the end");
    CHECK(run("closed\n", {"421 x\r\n"}).starts_with("1: expected the server to close, got "));
}

TEST_CASE("dialogue: several in one file, each line at its number") {
    const auto one = dialogue::sections("s: 220\n");
    REQUIRE(one.size() == 1);
    CHECK(one[0].title.empty());
    const auto two = dialogue::sections("s: 220\n=== first\nc: A\n=== second\nc: B\n");
    REQUIRE(two.size() == 2);
    CHECK(two[0].title == "first");
    CHECK(dialogue::parse(two[0].text)->steps.at(1).line == 3);
    CHECK(two[1].title == "second");
    CHECK(dialogue::parse(two[1].text)->steps.at(0).line == 1);
    CHECK(dialogue::parse(two[1].text)->steps.at(1).line == 5);
}
