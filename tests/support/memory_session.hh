// A receiving session in memory: octets in, replies out, the world as values. The same Conversation that smtpd performs.
#pragma once
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "smtp/conversation.hh"

namespace greylag::test {

// What the session's questions are answered with.
struct MemoryWorld {
    std::function<mail::Verdict(const smtp::Question&)> answer = [](const smtp::Question&) { return mail::Verdict::pass(); };
    // Whom a recipient stands for.
    std::function<std::optional<mail::Path>(const mail::Path&)> meant = [](const mail::Path&) { return std::nullopt; };
    // Whether the mailer is asked at all.
    std::function<mail::Verdict(const smtp::Envelope&)> may_deliver = [](const smtp::Envelope&) { return mail::Verdict::pass(); };
    std::function<mail::Verdict(const smtp::Envelope&, const std::string& body)> deliver =
        [](const smtp::Envelope&, const std::string&) { return mail::Verdict::pass(); };
    // An AUTH step; `given` is false where the client sent no initial response.
    std::function<smtp::event::Auth(const std::string& response, bool given)> auth = [](const std::string&, bool) {
        return smtp::event::Auth{};
    };
    smtp::event::TlsUp tls{};
    bool early = false;  // the client talks before the greeting
};

struct Delivered {
    smtp::Envelope envelope;
    std::string body;
};

class MemorySession {
public:
    explicit MemorySession(smtp::ServerFacts facts = {.domain = "mx.example"}, MemoryWorld world = {},
                           smtp::DotDecoder::Limits limits = {});

    // Hands octets over and returns what is said to them. After the close nothing is.
    std::string feed(std::string_view octets);
    std::string gone(smtp::event::Gone::Why why);
    // What was said before the first octet.
    const std::string& greeting() const { return greeting_; }

    bool closed() const { return closed_; }
    bool in_body() const { return conversation_.in_body(); }
    base::Millis waited() const { return waited_; }
    const std::vector<Delivered>& given() const { return given_; }          // to the mailer
    const std::vector<Delivered>& delivered() const { return delivered_; }  // and taken by it
    const std::vector<base::Event>& log() const { return log_; }

private:
    void perform(smtp::Step& step);
    void drain(std::string_view input);
    void ask(const smtp::Question& question);

    MemoryWorld world_;
    smtp::Conversation conversation_;
    std::string said_, greeting_, body_;
    std::vector<Delivered> given_, delivered_;
    std::vector<base::Event> log_;
    base::Millis waited_{0};
    bool waiting_for_input_ = false;
    bool closed_ = false;
};

}  // namespace greylag::test
