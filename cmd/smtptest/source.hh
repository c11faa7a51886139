// Where the client's lines come from: a file, a pipe, a terminal, another program on a socket.
#pragma once
#include <array>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hh"
#include "cmd/smtptest/editor.hh"
#include "sys/clock.hh"

namespace greylag::smtptest {

class Source {
public:
    virtual ~Source() = default;
    // The next line without its end, LF or CRLF; nothing: there is none, or the server said something that ends it.
    virtual Result<std::optional<std::string>> line(bool in_body) = 0;
    // Octets as they are, behind a line; fewer at the end.
    virtual Result<std::string> octets(std::size_t count) = 0;
    virtual bool cut_short() const { return false; }  // the last line had no end
};

class Text : public Source {
public:
    explicit Text(std::string_view text) : rest_(text) {}
    Result<std::optional<std::string>> line(bool in_body) override;
    Result<std::string> octets(std::size_t count) override;

private:
    std::string_view rest_;
};

// What a source that waits does meanwhile: the descriptor of the server, and whether to go on after it became readable.
struct Meanwhile {
    int server = -1;
    std::function<bool()> server_speaks;
    std::function<bool()> server_pending;
};

// A pipe or a socket, read line by line: a program may wait for an answer before it says more.
class Stream : public Source {
public:
    Stream(int fd, Meanwhile meanwhile) : fd_(fd), meanwhile_(std::move(meanwhile)) {}
    Result<std::optional<std::string>> line(bool in_body) override;
    Result<std::string> octets(std::size_t count) override;
    bool cut_short() const override { return cut_short_; }

private:
    Result<bool> fill();  // false: the end
    int fd_;
    Meanwhile meanwhile_;
    std::string buffer_;
    bool over_ = false, cut_short_ = false;
    std::array<char, 8192> room_;
};

// A person at standard input, with an editor. The terminal is as it was whenever line() is not running.
class Person : public Source {
public:
    explicit Person(Meanwhile meanwhile);
    Result<std::optional<std::string>> line(bool in_body) override;
    Result<std::string> octets(std::size_t count) override;

private:
    Meanwhile meanwhile_;
    Editor editor_;
    std::string keys_;  // read, not yet used: of a line behind the last
    std::array<char, 1024> room_;
};

}  // namespace greylag::smtptest
