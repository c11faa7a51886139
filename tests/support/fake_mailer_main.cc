// What the fake mailer does when it is run (fake_mailer.hh). Plain system calls: nothing of the house may hide what it was given.
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <string_view>

#include "tests/support/fake_mailer.hh"

extern char** environ;  // NOLINT: POSIX

namespace greylag::test {

namespace {

struct Orders {
    bool deaf = false, linger = false, hang = false;
    std::string out, err;
    std::size_t chatter = 0;
    int signal = 0, status = 0;
};

std::string unescaped(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '\\' || i + 1 == text.size()) {
            out += text[i];
            continue;
        }
        switch (const char c = text[++i]; c) {
            case 'r': out += '\r'; break;
            case 'n': out += '\n'; break;
            case 't': out += '\t'; break;
            case 'x':
                out += static_cast<char>(strtol(std::string(text.substr(i + 1, 2)).c_str(), nullptr, 16));
                i += 2;
                break;
            default: out += c;
        }
    }
    return out;
}

Orders read_orders(const std::string& script) {
    Orders orders;
    const std::string text = read_whole(script).value_or("");
    for (std::size_t at = text.find('\n'); at != std::string::npos && at + 1 < text.size();) {
        const std::size_t end = std::min(text.find('\n', at + 1), text.size());
        const std::string_view line = std::string_view(text).substr(at + 1, end - at - 1);
        at = end;
        const std::size_t blank = std::min(line.find(' '), line.size());
        const std::string_view word = line.substr(0, blank);
        const std::string rest(line.substr(std::min(blank + 1, line.size())));
        if (word == "deaf") orders.deaf = true;
        if (word == "linger") orders.linger = true;
        if (word == "hang") orders.hang = true;
        if (word == "out") orders.out += unescaped(rest) + "\n";
        if (word == "err") orders.err += unescaped(rest) + "\n";
        if (word == "chatter") orders.chatter = strtoul(rest.c_str(), nullptr, 10);
        if (word == "signal") orders.signal = atoi(rest.c_str());
        if (word == "exit") orders.status = atoi(rest.c_str());
    }
    return orders;
}

void put(int fd, std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t n = ::write(fd, bytes.data(), bytes.size());
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return;
        bytes.remove_prefix(static_cast<std::size_t>(n));
    }
}

void keep(const std::string& path, std::string_view bytes) {
    const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) _exit(71);
    put(fd, bytes);
    ::close(fd);
}

std::string facts() {
    std::string out = "offset=" + std::to_string(::lseek(0, 0, SEEK_CUR)) + "\n";
    const int mode = ::fcntl(0, F_GETFL);
    bool writable = mode >= 0 && (mode & O_ACCMODE) != O_RDONLY;
#ifdef F_GET_SEALS
    const int seals = ::fcntl(0, F_GET_SEALS);
    if (seals >= 0 && (seals & F_SEAL_WRITE) != 0) writable = false;
#endif
    out += std::string("writable=") + (writable ? "1\n" : "0\n");
    out += std::string("own_group=") + (::getpgrp() == ::getpid() ? "1\n" : "0\n");
    out += "open=";
    for (int fd = 0, first = 1; fd < 1024; ++fd) {
        if (::fcntl(fd, F_GETFD) < 0) continue;
        out += (first != 0 ? "" : " ") + std::to_string(fd);
        first = 0;
    }
    return out + "\n";
}

std::string whole_input() {
    std::string bytes;
    char room[65536];
    for (;;) {
        const ssize_t n = ::read(0, room, sizeof room);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return bytes;
        bytes.append(room, static_cast<std::size_t>(n));
    }
}

// DIR.runs/N appears whole: written under another name, renamed to the first free number.
void record(const std::string& script, int argc, char** argv, const Orders& orders) {
    const std::string known = facts();
    const std::string runs = script + ".runs/";
    const std::string part = runs + "part." + std::to_string(::getpid());
    if (::mkdir(part.c_str(), 0700) != 0) _exit(71);
    std::string bytes;
    for (int i = 3; i < argc; ++i) bytes.append(argv[i]).push_back('\0');
    keep(part + "/argv", bytes);
    bytes.clear();
    for (char** entry = environ; *entry != nullptr; ++entry) bytes.append(*entry).push_back('\0');
    keep(part + "/environ", bytes);
    keep(part + "/stdin", orders.deaf ? std::string() : whole_input());
    keep(part + "/facts", known);
    for (unsigned n = 1; ::rename(part.c_str(), (runs + std::to_string(n)).c_str()) != 0; ++n)
        if (errno != ENOTEMPTY && errno != EEXIST) _exit(71);
}

}  // namespace

int fake_mailer_main(int argc, char** argv) {
    const std::string script = argv[2];
    const Orders orders = read_orders(script);
    record(script, argc, argv, orders);
    put(1, orders.out);
    put(2, orders.err);
    for (std::size_t left = orders.chatter; left > 0;) {
        const std::string some(std::min<std::size_t>(left, 4096), 'x');
        put(1, some);
        put(2, some);
        left -= some.size();
    }
    if (orders.linger && ::fork() == 0) {
        ::poll(nullptr, 0, 60000);
        _exit(0);
    }
    while (orders.hang) ::pause();
    if (orders.signal != 0) {
        ::signal(orders.signal, SIG_DFL);
        ::kill(::getpid(), orders.signal);
    }
    // No exit handlers: a sanitizer's last words would be a mailer's.
    _exit(orders.status);
}

}  // namespace greylag::test
