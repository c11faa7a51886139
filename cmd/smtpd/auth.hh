// AUTH of one session: which mechanisms would really work, and the exchange between sasl, the users file and the password
// hashes. Unknown users and wrong passwords are alike in words and in time.
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cmd/smtpd/crypto.hh"
#include "cmd/smtpd/penalty.hh"
#include "cmd/smtpd/setup.hh"
#include "sasl/server.hh"
#include "smtp/server.hh"
#include "sys/log.hh"

namespace greylag::smtpd {

class Authenticator {
public:
    // hmac_md5 is nullptr where there is no CRAM-MD5. Setup and log must outlive it. `patience` is for the place of a password
    // that is checked.
    Authenticator(const Setup& setup, sys::Log& log, const std::optional<mail::IpAddress>& peer, Hmac hmac_md5,
                  base::Millis patience = base::Millis{20'000});

    // What would work now; `channel` is the TLS session, or nullptr.
    std::vector<std::string> mechanisms(const Channel* channel) const;
    // What would work if there was one.
    std::vector<std::string> mechanisms_under_tls() const;

    smtp::event::Auth begin(const smtp::question::Auth& asked, const Channel* channel);
    smtp::event::Auth respond(std::string_view response);

private:
    std::vector<std::string> offer(bool tls, bool binding) const;
    smtp::event::Auth settle(sasl::Step step);
    smtp::event::Auth settled(const sasl::step::Check& asked);
    smtp::event::Auth settled(const sasl::step::Find& asked);
    smtp::event::Auth settled(const sasl::step::Success& done);
    smtp::event::Auth settled(const sasl::step::Failure& failed);
    smtp::event::Auth settled(const sasl::step::Challenge& challenge);
    smtp::event::Auth later(const std::string& why);
    bool locked();
    void count_failure();
    void note(const std::string& said);
    sasl::User nobody(const std::string& name) const;

    const Setup& setup_;
    sys::Log& log_;
    std::string peer_;  // as the log calls it
    Penalty penalty_;
    base::Millis patience_;
    std::optional<char> guess_;  // see Penalty::failed
    bool lock_logged_ = false;
    sasl::Digests digests_;
    std::string users_;  // the file
    sasl::Usable usable_;
    sasl::Mechanism mechanism_ = sasl::Mechanism::plain;
    std::unique_ptr<sasl::Server> server_;
};

// The faults of the users file, ready to print; an unreadable file is one.
std::vector<config::Fault> check_users_file(const std::string& file);

}  // namespace greylag::smtpd
