// The dialogue after the preparations: lines from a source, each performed and answered before the next.
#pragma once
#include <functional>
#include <string>

#include "cmd/smtptest/order.hh"
#include "cmd/smtptest/report.hh"
#include "cmd/smtptest/round.hh"
#include "cmd/smtptest/source.hh"
#include "cmd/smtptest/speech.hh"

namespace greylag::smtptest {

class Talk {
public:
    struct Style {
        bool skips = true;                                     // a message that DATA was refused for is not sent as commands
        bool last_counts = false;                              // the last reply decides the exit status, else the worst
        bool echo = false;                                     // lines of a message are shown
        std::function<void(const smtp_client::Reply&)> heard;  // each reply
        std::function<bool(std::string_view line)> instead;    // taken: the line is not performed
    };
    Talk(Round& round, Report& report, Style style)
        : round_(round), report_(report), style_(std::move(style)), speech_(round.lmtp(), style_.skips) {}

    // Until the source has no more, or the dialogue is over; a message that was begun is ended. True: the dialogue can go on.
    bool run(Source& source);
    bool quit();  // unless it was said; and closes
    bool in_body() const { return speech_.in_body(); }
    bool server_speaks();  // unasked
    Meanwhile meanwhile();

private:
    bool perform(const Deed& deed, Source& source);
    bool command(const std::string& text);
    bool listen(unsigned replies, const std::string& command);
    bool start_tls(const std::string& text);
    bool authenticate(const Deed& deed);
    bool put(std::string octets);
    bool flush();
    bool hear(const smtp_client::Result<smtp_client::Reply>& reply, const std::string& command);
    bool lost(const smtp_client::Failure& failure);

    Round& round_;
    Report& report_;
    Style style_;
    Speech speech_;
    std::string body_;  // not yet sent
    bool over_ = false;
};

}  // namespace greylag::smtptest
