// One line of the log as a value. Everything the programs log is one of these words; the manual page and the
// tests share the table.
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace greylag::base {

enum class Word {
    connect,         // a client is here
    accept,          // a transaction was accepted up to its data
    reject,          // a command or message was refused; code= says whether for ever
    greylist,        // asked to come again
    whitelist,       // an address passed the greylist
    auth_ok,         //
    auth_failed,     //
    tls,             // a TLS session began, or failed
    deliver,         // the mailer took the message
    deliver_failed,  // the mailer did not
    drop,            // we ended the session: limits, errors
    disconnect,      // the end, with the counts
    note,            // our own bookkeeping: a fault of ours that no client caused
};
std::string_view name(Word word);  // "auth-ok"

// from_peer: the value was chosen by a stranger. Such fields are escaped, quoted and come last.
struct Field {
    std::string_view key;  // a literal: ip helo from to code reason size ms id msgid tls mailer ...
    std::string value;
    bool from_peer = false;
};

struct Event {
    Word word = Word::note;
    std::vector<Field> fields;

    Event& with(std::string_view key, std::string value);       // ours
    Event& with_peer(std::string_view key, std::string value);  // a stranger's
};

// "word key=value key=\"peer text\"": one line without its end. Our own values are written bare when they are made of
// printable ASCII without blank or quote, else quoted. `id` when not empty becomes the first field.
std::string show_text(const Event& event, std::string_view id);
// {"event":"word","id":"...","key":"value",...}: one line without its end.
std::string show_json(const Event& event, std::string_view id);

}  // namespace greylag::base
