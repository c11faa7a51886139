#include "tests/support/fake_mailer.hh"

#include <unistd.h>

#include <algorithm>
#include <climits>
#include <cstdlib>
#include <stdexcept>

#include "base/ascii.hh"
#include "tests/support/test.hh"

namespace greylag::test {

std::optional<std::string> MailerRun::variable(std::string_view name) const {
    for (const std::string& entry : environment)
        if (entry.size() > name.size() && entry.starts_with(name) && entry[name.size()] == '=')
            return entry.substr(name.size() + 1);
    return std::nullopt;
}

FakeMailer::FakeMailer(const Scratch& scratch, std::string_view does, std::string_view name)
    : name_(name), path_(scratch.at(name)), scratch_(scratch) {
    scratch_.make_directory(name_ + ".runs");
    now(does);
}

void FakeMailer::now(std::string_view does) {
    // A new name: the old file may be running.
    const std::string next = name_ + ".next";
    scratch_.write(next, "#!" + own_program() + " --fake-mailer\n" + std::string(does) + "\n", 0700);
    if (std::rename(scratch_.at(next).c_str(), path_.c_str()) != 0) throw std::runtime_error("cannot write " + path_);
}

namespace {

std::vector<std::string> pieces(const std::string& bytes) {
    std::vector<std::string> out;
    for (const std::string_view piece : base::split(bytes, '\0')) out.emplace_back(piece);
    if (!out.empty()) out.pop_back();  // behind the last NUL
    return out;
}

}  // namespace

std::vector<MailerRun> FakeMailer::runs() const {
    std::vector<MailerRun> all;
    for (std::size_t number = 1;; ++number) {
        const std::string run = name_ + ".runs/" + std::to_string(number) + "/";
        const auto facts = scratch_.read(run + "facts");
        if (!facts) return all;
        MailerRun r;
        r.arguments = pieces(scratch_.read(run + "argv").value_or(""));
        r.environment = pieces(scratch_.read(run + "environ").value_or(""));
        r.message = scratch_.read(run + "stdin").value_or("");
        for (const std::string_view line : base::split(*facts, '\n')) {
            const auto fact = base::cut(line, '=');
            if (!fact) continue;
            if (fact->first == "offset") r.offset = std::atoll(std::string(fact->second).c_str());
            if (fact->first == "writable") r.writable = fact->second == "1";
            if (fact->first == "own_group") r.own_group = fact->second == "1";
            if (fact->first == "open") r.open = fact->second;
        }
        r.seekable = r.offset >= 0;
        all.push_back(std::move(r));
    }
}

bool FakeMailer::wait_for(std::size_t count, sys::Deadline deadline) const {
    return eventually([&] { return runs().size() >= count; }, deadline);
}

}  // namespace greylag::test
