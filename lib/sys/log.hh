// Where log lines go: syslog(3) facility mail, standard error, or a file.
#pragma once
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/event.hh"
#include "sys/fd.hh"

namespace greylag::sys {

class Log {
public:
    enum class To { syslog, stderr_, file, nowhere };
    enum class Format { text, json };
    struct Settings {
        To to = To::syslog;
        Format format = Format::text;
        std::string path;  // To::file
        std::string program;
        bool quiet = false;  // level: only note, reject, drop, auth-failed, deliver-failed
    };

    // No syslog socket, or a file that cannot be opened: standard error, said once there.
    explicit Log(Settings settings);
    ~Log();
    Log(const Log&) = delete;
    Log& operator=(const Log&) = delete;

    void set_id(std::string id) { id_ = std::move(id); }  // one id through all lines of a session
    void write(const base::Event& event);                 // one line, one write; a failing sink never fails the caller
    // From now on lines are kept until release(): a client that waits for its answer must not wait for the log.
    void hold() { holding_ = true; }
    void release();  // what was kept; later lines are kept again

private:
    void open();
    void put(base::Word word, const std::string& line);
    std::string line(const base::Event& event) const;

    Settings settings_;  // `to` becomes what is really used
    std::string id_;
    Fd file_;
    bool opened_ = false;
    bool holding_ = false;
    std::vector<std::pair<base::Word, std::string>> held_;
};

}  // namespace greylag::sys
