// What smtptest says: the transcript for people, or a JSON object for each step; how long each took; and how all of it went.
#pragma once
#include <chrono>
#include <string>
#include <string_view>

#include "client/smtp_client.hh"

namespace greylag::smtptest {

class Report {
public:
    struct Style {
        bool json = false, time = false, colours = false;
    };
    explicit Report(Style style) : style_(style) {}

    // A line of the dialogue, escaped already.
    void dialogue(bool ours, std::string_view line);
    // The server's words as they came, without the letter in front: what follows the preparations when no person sits there.
    void words(const smtp_client::Reply& reply);
    void say(std::string_view line);  // a sentence of ours, in the transcript

    // A step begins; it is over with one of the others.
    void begin(std::string name);
    void done(const smtp_client::Reply& reply, std::string_view command = {});
    void done(std::string_view text = {});
    void failed(const smtp_client::Failure& failure);  // says it, too

    // The worst reply of the dialogue, or the last one, as an exit status.
    void judge(const smtp_client::Reply& reply, bool last_counts);
    void worst(int status);
    int status() const { return status_ != 0 ? status_ : verdict_; }
    bool json() const { return style_.json; }

private:
    void end(bool ok, int code, std::string_view enhanced, std::string_view text, std::string_view more);
    void out(std::string_view text);

    Style style_;
    std::string step_;
    std::chrono::steady_clock::time_point since_{};
    int status_ = 0;   // of a failure
    int verdict_ = 0;  // of the server's words
};

// A reply as it stood on the wire.
std::string wire(const smtp_client::Reply& reply);
// For a terminal: controls made visible, everything else as it is.
std::string harmless(std::string_view text);

}  // namespace greylag::smtptest
