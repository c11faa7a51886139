// Greylisting in a session (-g): who is asked to come again. Nothing on disk is looked at before the first recipient; whatever
// goes wrong there lets the mail pass, and the log says so once.
#pragma once
#include <optional>

#include "cmd/smtpd/setup.hh"
#include "grey/decide.hh"
#include "grey/whitelist.hh"
#include "smtp/server.hh"
#include "sys/log.hh"
#include "sys/peer.hh"

namespace greylag::smtpd {

class Greylist {
public:
    // All must outlive it.
    Greylist(const Setup& setup, const sys::Ends& ends, sys::Log& log) : setup_(setup), ends_(ends), log_(log) {}

    // RCPT. The null sender is let through here: call-outs use it, and what they ask is whether the address exists.
    mail::Verdict recipient(const smtp::Envelope& envelope, const mail::Path& recipient);
    // DATA: the null sender's turn. One recipient who was called before is enough.
    mail::Verdict data(const smtp::Envelope& envelope);

private:
    bool settled();  // nothing to ask: white, or nobody can say
    mail::Verdict judge(const mail::Path* first, const mail::Path* last);
    void passed(const mail::Path& recipient);
    void fail_open(const std::string& said);
    void name_unreadable_lines(grey::Whitelist& whitelist);

    const Setup& setup_;
    const sys::Ends& ends_;
    sys::Log& log_;
    std::optional<bool> open_;  // asked already: true, mail passes
};

// For --check.
void check_greylist(const Setup& setup, std::vector<config::Fault>& faults, std::vector<std::string>& notes);

}  // namespace greylag::smtpd
