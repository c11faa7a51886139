// What this machine is called, without NSS and without DNS.
#pragma once
#include <string>
#include <string_view>

namespace greylag::sys {

// gethostname when it has a dot, else the first dotted alias of it in /etc/hosts, else the first word of /etc/mailname, else
// the bare name ("localhost" when there is none).
std::string host_name();
// The same choice from the texts of the two files.
std::string choose_host_name(std::string_view hostname, std::string_view hosts, std::string_view mailname);

// A session's id: unique on this host, letters and digits, sortable by time: from the clock, the pid and a counter.
std::string make_id();

}  // namespace greylag::sys
