#include "base/event.hh"
#include "tests/support/test.hh"

using namespace greylag::base;

TEST_CASE("event: the words of the log") {
    const std::pair<Word, std::string_view> words[] = {
        {Word::connect, "connect"},
        {Word::accept, "accept"},
        {Word::reject, "reject"},
        {Word::greylist, "greylist"},
        {Word::whitelist, "whitelist"},
        {Word::auth_ok, "auth-ok"},
        {Word::auth_failed, "auth-failed"},
        {Word::tls, "tls"},
        {Word::deliver, "deliver"},
        {Word::drop, "drop"},
        {Word::deliver_failed, "deliver-failed"},
        {Word::note, "note"},
        {Word::disconnect, "disconnect"},
    };
    for (const auto& [word, text] : words) CHECK(name(word) == text);
}

TEST_CASE("event: a stranger's text comes last, quoted, and cannot make a line or a field of its own") {
    Event event{.word = Word::reject, .fields = {}};
    event.with_peer("helo", "x\" code=250\r\nconnect ip=1").with("ip", "192.0.2.1").with("reason", "two words").with("size", "");
    CHECK(show_text(event, "a1") ==
          R"(reject id=a1 ip=192.0.2.1 reason="two words" size="" helo="x\" code=250\x0d\x0aconnect ip=1")");
    CHECK(show_text({.word = Word::note, .fields = {}}, "") == "note");
    CHECK(show_text(Event{}.with("from", "a\\b"), "") == "note from=a\\b");
    CHECK(show_text(Event{}.with("from", "caf\xc3\xa9"), "") == R"(note from="caf\xc3\xa9")");
}

TEST_CASE("event: the same as JSON") {
    Event event{.word = Word::auth_failed, .fields = {}};
    event.with_peer("user", "\"\n\xff").with("code", "535");
    CHECK(show_json(event, "a1") == R"({"event":"auth-failed","id":"a1","code":"535","user":"\"\u000a\u00ff"})");
    CHECK(show_json({}, "") == R"({"event":"note"})");
}
