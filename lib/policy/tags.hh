// Forgeries of our own domains in mail from strangers, named in front of the header (upas smtpd -f). Pure.
#pragma once
#include <string>
#include <string_view>

#include "mail/mailbox.hh"
#include "mail/path.hh"
#include "policy/relay.hh"

namespace greylag::policy {

// Header lines with LF ends, or nothing:
//
//   X-warning: suspect envelope domain    the sender of the envelope is of our domain
//   X-warning: suspect Sender: domain     a Sender field is
//   X-warning: suspect From: domain       a From field is; not looked at when a Sender field names somebody else, as those of
//                                         mailing lists do
//
// `header` is the message's beginning. An address without a host is taken to be of `helo`, what the client called itself.
std::string forgery_tags(const mail::Path& sender, const mail::Host& helo, std::string_view header, const Ours& ours);

}  // namespace greylag::policy
