// Messages that a sink keeps: the text of a dump, and where it goes.
#pragma once
#include <functional>
#include <string>

#include "base/time.hh"
#include "cmd/smtp-sink/session.hh"

namespace greylag::sink {

// What -d and -D write of one message (smtp-sink(1)). Pure.
std::string dump_text(const Rules& rules, const Dump& dump, std::string_view peer, std::string_view id, base::WallTime when);

// For House: writes a file for each message, or appends; safe from any thread. Empty where no dump was asked for.
std::function<std::string(const Dump& dump, std::string_view peer)> make_dumper(const Rules& rules);

}  // namespace greylag::sink
