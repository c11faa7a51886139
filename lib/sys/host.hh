// What this machine is called, without NSS and without DNS.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "mail/ip.hh"

namespace greylag::sys {

// gethostname when it has a dot, else the first dotted alias of it in /etc/hosts, else the first word of /etc/mailname, else
// the bare name ("localhost" when there is none).
std::string host_name();
// The same choice from the texts of the two files.
std::string choose_host_name(std::string_view hostname, std::string_view hosts, std::string_view mailname);

// The addresses of `name`: itself when it is one, the loopback's for localhost, else those /etc/hosts gives it. Empty: unknown.
std::vector<mail::IpAddress> host_addresses(std::string_view name);
// The same from the text of the file.
std::vector<mail::IpAddress> choose_host_addresses(std::string_view name, std::string_view hosts);

// A session's id: unique on this host, letters and digits, sortable by time: from the clock, the pid and a counter.
std::string make_id();

// Where the running program's file lies; empty where the system does not say.
std::string own_directory();

}  // namespace greylag::sys
