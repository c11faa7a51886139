// A host of its own for one run of send: its configuration, its users, the message on a real file or pipe.
#pragma once
#include <unistd.h>

#include <string>
#include <vector>

#include "sys/child.hh"
#include "sys/file.hh"
#include "tests/support/must.hh"
#include "tests/support/scratch.hh"
#include "tests/support/spawn.hh"

namespace greylag::test {

struct SendHouse {
    Scratch dir;
    std::string send = program_path("send");  // by a name without the real smtp beside it
    std::vector<std::string> environment = {"PATH=/usr/bin:/bin"};

    // Users of example.org, and lines for the end of the configuration.
    explicit SendHouse(std::initializer_list<const char*> users, std::string_view more = "") {
        dir.write("conf", "[smtpd]\ndomain = example.org\n[paths]\nstate = " + dir.path() + "\nlib = " + dir.path() +
                              "\nlibexec = " + dir.at("libexec") + "\nmail = " + dir.at("mail/%d/%u/Maildir") + "\n" +
                              std::string(more));
        for (const char* user : users) dir.make_directory("mail/example.org/" + std::string(user));
        if (send.empty()) return;
        dir.make_directory("bin");
        if (::symlink(send.c_str(), dir.at("bin/send").c_str()) == 0) send = dir.at("bin/send");
    }

    // Runs `wrapper... send -C conf words...` with `message` on standard input.
    sys::Said run(std::vector<std::string> words, std::string_view message, std::vector<std::string> wrapper = {}) const {
        dir.write("message", message);
        return run_on(sys::Fd(must(sys::open_read(dir.at("message")))), std::move(words), std::move(wrapper));
    }
    sys::Said run_on(const sys::Fd& in, std::vector<std::string> words, std::vector<std::string> wrapper = {}) const {
        words.insert(words.begin(), {"-C", dir.at("conf")});
        return run_bare(in, std::move(words), std::move(wrapper));
    }
    sys::Said run_bare(const sys::Fd& in, std::vector<std::string> words, std::vector<std::string> wrapper = {}) const {
        wrapper.push_back(send);
        wrapper.insert(wrapper.end(), words.begin(), words.end());
        sys::Command command;
        command.path = wrapper.front();
        command.arguments.assign(wrapper.begin() + 1, wrapper.end());
        command.environment = environment;
        command.in = in.get();
        return must(sys::run(command, soon(), 1 << 20, 1 << 20));
    }

    std::vector<std::string> messages(const std::string& user) const {
        std::vector<std::string> all;
        const std::string box = "mail/example.org/" + user + "/Maildir/new";
        for (const auto& name : dir.list(box)) all.push_back(dir.read(box + "/" + name).value_or("unreadable"));
        return all;
    }
    // Files below mail/ wherever they are: nothing delivered and nothing left over is none.
    std::size_t files() const { return dir.files("mail").size(); }

    // A program in place of smtp: `script` is sh; it finds its directory in $D.
    void fake_smtp(std::string_view script) const {
        dir.write("libexec/smtp", "#!/bin/sh\nD=" + dir.path() + "\n" + std::string(script), 0700);
    }
};

// Exit status, or minus the signal.
inline int status(const sys::Said& said) {
    return said.ending.how == sys::Ending::How::exited ? said.ending.status : -said.ending.status;
}

}  // namespace greylag::test
