// The forms a value can have. Each kind reads the whole text or nothing, shows what it reads, and says what it expects.
//
//   type      what Settings holds
//   expects   the end of the sentence "... expected"
//   parse     the value, or nothing; numbers are decimal, without sign, and never silently out of range
//   show      text that parse reads back as the same value
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/ascii.hh"
#include "base/time.hh"
#include "config/settings.hh"

namespace greylag::config {

template <class T>
struct Word {
    std::string_view text;
    T value;
};
// One of a few words, in any case; the first word of a value is the one shown.
template <const auto& Words>
struct Choice {
    using type = decltype(Words[0].value);
    static std::optional<type> parse(std::string_view text) {
        for (const auto& word : Words) {
            if (base::iequals(word.text, text)) return word.value;
        }
        return std::nullopt;
    }
    static std::string show(type value) {
        for (const auto& word : Words) {
            if (word.value == value) return std::string(word.text);
        }
        return {};
    }
};

inline constexpr std::array<Word<bool>, 6> switch_words{
    {{"on", true}, {"off", false}, {"yes", true}, {"no", false}, {"true", true}, {"false", false}}};
struct Switch : Choice<switch_words> {
    static constexpr std::string_view expects = "on or off";
};

inline constexpr std::array<Word<BareNewline>, 2> bare_newline_words{
    {{"reject", BareNewline::reject}, {"normalize", BareNewline::normalize}}};
struct BareNewlineWord : Choice<bare_newline_words> {
    static constexpr std::string_view expects = "reject or normalize";
};

inline constexpr std::array<Word<RemoteMail>, 2> remote_words{{{"smtp", RemoteMail::smtp}, {"refuse", RemoteMail::refuse}}};
struct RemoteWord : Choice<remote_words> {
    static constexpr std::string_view expects = "smtp or refuse";
};

inline constexpr std::array<Word<MailerArguments>, 2> arguments_words{
    {{"at", MailerArguments::at}, {"bang", MailerArguments::bang}}};
struct ArgumentsWord : Choice<arguments_words> {
    static constexpr std::string_view expects = "at or bang";
};

inline constexpr std::array<Word<LogFormat>, 2> format_words{{{"text", LogFormat::text}, {"json", LogFormat::json}}};
struct FormatWord : Choice<format_words> {
    static constexpr std::string_view expects = "text or json";
};

inline constexpr std::array<Word<LogLevel>, 2> level_words{{{"all", LogLevel::all}, {"quiet", LogLevel::quiet}}};
struct LevelWord : Choice<level_words> {
    static constexpr std::string_view expects = "all or quiet";
};

struct Duration {
    using type = base::Millis;
    static constexpr std::string_view expects = "a duration such as 200ms, 15s, 5m, 14h or 36d";
    static std::optional<type> parse(std::string_view text) { return base::parse_duration(text); }
    static std::string show(type value) { return base::show_duration(value); }
};

struct Size {
    using type = std::uint64_t;
    static constexpr std::string_view expects = "a size in octets, or with k, M or G such as 50M";
    static std::optional<type> parse(std::string_view text);
    static std::string show(type value);
};

struct Count {
    using type = unsigned;
    static constexpr std::string_view expects = "a whole number";
    static std::optional<type> parse(std::string_view text) { return base::parse_number<unsigned>(text); }
    static std::string show(type value) { return std::to_string(value); }
};

// Kinds kept as the text they were given, or in one canonical spelling of it.
struct Text {
    using type = std::string;
    static std::string show(const type& value) { return value; }
};

struct CommandLineText : Text {
    static constexpr std::string_view expects = "a program, a command line or lmtp:PLACE";
    static std::optional<type> parse(std::string_view text);
};

struct FileName : Text {  // may be empty: no such file
    static constexpr std::string_view expects = "a file name that begins with '/', or nothing";
    static std::optional<type> parse(std::string_view text);
};

struct Directory : Text {
    static constexpr std::string_view expects = "a directory name that begins with '/'";
    static std::optional<type> parse(std::string_view text);
};

struct MaildirTemplate : Text {
    static constexpr std::string_view expects = "a name that begins with '/', with %u for the user and %d for the domain";
    static std::optional<type> parse(std::string_view text);
};

struct DomainName : Text {  // may be empty: the host's name
    static constexpr std::string_view expects = "a domain name such as mx.example.org, or nothing";
    static std::optional<type> parse(std::string_view text);
};

struct UserName : Text {  // may be empty: stay who we are
    static constexpr std::string_view expects = "a user's login name, or nothing";
    static std::optional<type> parse(std::string_view text);
};

struct Address : Text {  // may be empty: nobody
    static constexpr std::string_view expects = "an address such as joe or joe@example.org, or nothing";
    static std::optional<type> parse(std::string_view text);
};

struct TlsVersion : Text {
    static constexpr std::string_view expects = "1.2 or 1.3";
    static std::optional<type> parse(std::string_view text);
};

struct Fingerprint : Text {  // colons between the octets are allowed; kept in lower case without them
    static constexpr std::string_view expects = "sha256:HEX or spki-sha256:HEX with 64 hexadecimal digits";
    static std::optional<type> parse(std::string_view text);
};

struct Mechanism : Text {  // kept in upper case, the IANA spelling
    static constexpr std::string_view expects = "one of SCRAM-SHA-256-PLUS SCRAM-SHA-256 CRAM-MD5 PLAIN LOGIN";
    static std::optional<type> parse(std::string_view text);
};

struct Network {
    using type = mail::Cidr;
    static constexpr std::string_view expects = "an address or network such as 192.0.2.1, 192.0.2.0/24, 192.0.2 or 2001:db8::/32";
    static std::optional<type> parse(std::string_view text);
    static std::string show(const type& value) { return value.text(); }
};

struct DomainOrBelow {
    using type = mail::DomainPattern;
    static constexpr std::string_view expects = "a domain such as example.org, or *.example.org";
    static std::optional<type> parse(std::string_view text);
    static std::string show(const type& value) { return value.text(); }
};

struct Server {
    using type = NameServer;
    static constexpr std::string_view expects = "an address such as 192.0.2.53, 192.0.2.53:5353 or [2001:db8::53]:53";
    static std::optional<type> parse(std::string_view text);
    static std::string show(const type& value);
};

}  // namespace greylag::config
