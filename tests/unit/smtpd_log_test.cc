// The log as smtpd(8) describes it: every word and every key, both ways.
#include <dirent.h>

#include <set>

#include "base/ascii.hh"
#include "base/event.hh"
#include "tests/support/scratch.hh"
#include "tests/support/test.hh"

using namespace greylag;
using namespace greylag::test;

namespace {

std::string section(std::string_view page, std::string_view begin, std::string_view end) {
    const std::size_t from = page.find(begin);
    if (from == std::string_view::npos) return {};
    return std::string(page.substr(from, page.find(end, from) - from));
}

std::string joined(const std::set<std::string>& all) {
    std::string out;
    for (const auto& one : all) out += (out.empty() ? "" : " ") + one;
    return out;
}

// The first arguments of with("...") and with_peer("...").
void take_keys(std::string_view source, std::set<std::string>& keys) {
    for (const std::string_view call : {"with(\"", "with_peer(\""}) {
        for (std::size_t at = 0; (at = source.find(call, at)) != std::string_view::npos;) {
            at += call.size();
            // ends_with and starts_with are no keys of a log.
            if (at > call.size() && source[at - call.size() - 1] == '_') continue;
            keys.emplace(source.substr(at, source.find('"', at) - at));
        }
    }
}

std::set<std::string> keys_of_sources() {
    std::set<std::string> keys{"id", "stdout", "stderr"};  // given by the log itself, and by a choice of two
    for (const std::string directory : {"cmd/smtpd", "lib/smtp"}) {
        DIR* d = ::opendir(directory.c_str());
        REQUIRE(d != nullptr);
        while (const dirent* entry = ::readdir(d))
            if (const auto text = read_whole(directory + "/" + entry->d_name);
                text && std::string_view(entry->d_name).ends_with(".cc"))
                take_keys(*text, keys);
        ::closedir(d);
    }
    return keys;
}

}  // namespace

TEST_CASE("log: the manual page has every word and every key, and no other") {
    const std::string page = section(read_whole("man/smtpd.8").value_or(""), ".Ss The log", ".Sh ENVIRONMENT");
    REQUIRE(!page.empty());
    std::set<std::string> words, keys;
    for (const std::string_view line : base::split(page, '\n')) {
        if (!line.starts_with(".It ")) continue;
        const auto parts = base::words(line.substr(4), ",");
        if (parts.front() != "Va")
            words.emplace(parts.front());
        else
            for (const auto part : parts)
                if (part != "Va") keys.emplace(part);
    }
    std::set<std::string> known;
    for (int word = 0; word <= static_cast<int>(base::Word::note); ++word) known.emplace(name(static_cast<base::Word>(word)));
    CHECK(joined(words) == joined(known));
    CHECK(joined(keys) == joined(keys_of_sources()));
}
