// An LMTP server in the mailer's place: asked at RCPT time, given the message at the dot. One connection a transaction.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "cmd/smtpd/setup.hh"
#include "smtp/lmtp.hh"
#include "smtp/server.hh"
#include "sys/log.hh"

namespace greylag::smtpd {

// A connection to the server; the addresses of its host are tried in turn. For --check, too.
Result<sys::Fd> connect(const LmtpPlace& place, sys::Deadline deadline);

class LmtpMailer {
public:
    // Both must outlive it.
    LmtpMailer(const Setup& setup, sys::Log& log) : setup_(setup), log_(log) {}
    ~LmtpMailer() { forget(); }
    LmtpMailer(const LmtpMailer&) = delete;
    LmtpMailer& operator=(const LmtpMailer&) = delete;

    // The client's transaction ended or begins anew.
    void forget();
    // Would it take mail for `path`? The envelope holds the sender and the recipients that were taken before.
    mail::Verdict recipient(const smtp::Envelope& envelope, const mail::Path& path);
    // The whole message, at offset 0 of `message`, for the recipients of the envelope. Logs deliver or deliver-failed from
    // `event`, with a line more for each recipient that was refused; those are told to postmaster where others got theirs.
    mail::Verdict deliver(const smtp::Envelope& envelope, const std::string& id, int message, base::Event event);

private:
    sys::Deadline patience() const { return sys::Deadline::in(setup_.settings.mailer.timeout); }
    void open(const smtp::Envelope& envelope);
    void exchange(sys::Deadline deadline);
    bool say_data(const smtp::Envelope& envelope, sys::Deadline deadline);
    void send_body(int message, sys::Deadline deadline);
    void finish_body(sys::Deadline deadline);
    std::vector<mail::Verdict> taken() const;
    void note_refusals(const smtp::Envelope& envelope, const std::vector<mail::Verdict>& verdicts) const;
    void tell_postmaster(const smtp::Envelope& envelope, const std::vector<mail::Verdict>& verdicts, const std::string& id,
                         int message);

    const Setup& setup_;
    sys::Log& log_;
    sys::Fd fd_;
    std::optional<smtp::LmtpSession> session_;
    std::vector<std::size_t> places_;  // of the client's recipients among the session's verdicts
};

}  // namespace greylag::smtpd
