// The alias file as a value (aliases(5) as far as it is safe): bytes in, names and targets out. Opens no file, follows no alias.
//
//   # a comment, also behind targets
//   name: target, target,
//         continued by a leading blank
//   info@example.org: somebody@elsewhere.example
//
// A name is a local part, good in every domain of ours, or local@domain for that domain alone; case does not count. A target
// is an address or a local name. Programs (|...), files (/...), and includes (:...) are refused: mail from strangers starts
// nothing here.
#pragma once
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "mail/mailbox.hh"

namespace greylag::mailbox {

struct AliasFault {
    unsigned line = 0;
    std::string what;  // "target '|prog' of 'name' starts a program: refused"
};

struct Alias {
    unsigned line = 0;
    std::vector<mail::Mailbox> targets;
    std::string fault;  // not empty: the entry cannot be followed, and this is why
};

class Aliases {
public:
    // Total: what cannot be understood is a fault, and the other entries stand.
    static Aliases parse(std::string_view bytes);

    // The entry of "local@domain", else that of "local". `local` and `domain` in any case.
    const Alias* find(std::string_view local, std::string_view domain) const;
    const std::vector<AliasFault>& faults() const { return faults_; }

private:
    void add(std::string_view text, unsigned line);
    std::map<std::string, Alias, std::less<>> entries_;  // lower case
    std::vector<AliasFault> faults_;
};

}  // namespace greylag::mailbox
