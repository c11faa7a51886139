// A program on a terminal of its own: what it shows there is read, and what a person would type is written.
#pragma once
#include <pty.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "sys/fd.hh"
#include "sys/io.hh"
#include "tests/support/must.hh"

namespace greylag::test {

class OnTerminal {
public:
    // `input` takes the place of the terminal as standard input; -1: it is the terminal.
    OnTerminal(const std::string& program, std::vector<std::string> words, int input = -1) {
        std::vector<char*> arguments;
        words.insert(words.begin(), program);
        for (auto& word : words) arguments.push_back(word.data());
        arguments.push_back(nullptr);
        int terminal = -1;
        pid_ = ::forkpty(&terminal, nullptr, nullptr, nullptr);
        if (pid_ == 0) {
            if (input >= 0) ::dup2(input, 0);
            ::execv(program.c_str(), arguments.data());
            ::_exit(127);
        }
        if (pid_ < 0) throw std::runtime_error("forkpty");
        terminal_.reset(terminal);
    }
    ~OnTerminal() {
        if (pid_ <= 0) return;
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
    }
    OnTerminal(const OnTerminal&) = delete;
    OnTerminal& operator=(const OnTerminal&) = delete;

    // Until the text is there, or the program has gone: then the terminal gives an error.
    bool shows(std::string_view text) {
        while (shown.find(text) == std::string::npos) {
            char room[256];
            const auto got = sys::read_some(terminal_.get(), room, soon());
            if (!got || *got == 0) return false;
            shown.append(room, *got);
        }
        return true;
    }
    void type(const std::string& line) const { must(sys::write_all(terminal_.get(), line + "\n", soon())); }
    void kill(int signal) const { ::kill(pid_, signal); }
    // Its exit status; -1 when it was killed or does not end.
    int end() {
        shows("\x01 there is no such text");
        int status = -1;
        if (!eventually([&] { return ::waitpid(pid_, &status, WNOHANG) == pid_; })) return -1;
        pid_ = -1;
        return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    }

    std::string shown;

private:
    pid_t pid_ = -1;
    sys::Fd terminal_;
};

}  // namespace greylag::test
