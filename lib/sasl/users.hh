// The users file of smtpd as text (smtpd-passwd(8) describes it): a line a user, the name and then words "key=value".
//
//   joe argon2id=$argon2id$v=19$m=19456,t=2,p=1$... scram-sha-256=4096,SALT,STOREDKEY,SERVERKEY cram-md5=SECRET
//
// Blank lines and lines that begin with '#' say nothing. SALT, the keys and SECRET are base64.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sasl/scram.hh"

namespace greylag::sasl {

struct User {
    std::string name;
    std::string argon2id;  // for PLAIN and LOGIN; empty: not with these
    std::optional<ScramVerifier> scram;
    std::string cram_md5;  // the password itself; empty: not with CRAM-MD5
};

// A name that can stand in the file: plausible, no blank, no '#' in front.
bool is_user_name(std::string_view name);

// The first line of that name that can be read. Names are compared octet by octet.
std::optional<User> find_user(std::string_view file, std::string_view name);
// The first line that can be read: what stands for users who are not there takes its measure from it.
std::optional<User> first_user(std::string_view file);

// What somebody in the file could use. One look without parsing: a session asks before it offers.
struct Usable {
    bool password = false, scram = false, cram_md5 = false;
};
Usable usable(std::string_view file);

struct UserFault {
    unsigned line = 0;
    std::string what;
};
// Every line that cannot be read, and every name that stands twice.
std::vector<UserFault> check_users(std::string_view file);

std::string show_user(const User& user);  // its line, without the line end
// The file with this user's lines replaced by one, or with it at the end; nullopt takes the user out. All other lines stay
// as they are. A last line without its end is given one.
std::string replace_user(std::string_view file, std::string_view name, const std::optional<User>& user);

}  // namespace greylag::sasl
