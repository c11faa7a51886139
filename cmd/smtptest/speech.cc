#include "cmd/smtptest/speech.hh"

#include <algorithm>
#include <utility>

#include "base/ascii.hh"
#include "base/base64.hh"
#include "mail/ip.hh"

namespace greylag::smtptest {

namespace {

constexpr std::string_view help =
    "STARTTLS            ask for TLS and begin it\n"
    "AUTH [MECHANISM]    authenticate with the user and password given, or asked for\n"
    ".auth [MECHANISM [USER [PASSWORD]]]    the same for somebody else\n"
    ".b64 TEXT           send TEXT in base64; \\0 stands for a NUL\n"
    ".d64 TEXT           show what base64 TEXT means\n"
    ".raw LINE           send LINE as it is, whatever it looks like\n"
    ".help               this text\n"
    "everything else is sent as it is typed; end with QUIT or ^D";

Deed deed(Deed::What what, std::string text = {}) {
    Deed d;
    d.what = what;
    d.text = std::move(text);
    return d;
}

std::string with_nuls(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text.substr(i, 2) == "\\0") {
            out += '\0';
            ++i;
        } else {
            out += text[i];
        }
    }
    return out;
}

}  // namespace

Deed Speech::line(std::string_view line) {
    if (state_ == State::skipping) {
        if (line == ".") state_ = State::commands;
        return deed(Deed::What::skip);
    }
    if (state_ == State::body) {
        if (line == ".") return last();
        // A line that was stuffed already begins with two dots. One that begins with a single one was not, and would lose it.
        const bool bare = line.size() > 1 && line[0] == '.' && line[1] != '.';
        return deed(Deed::What::body, (bare ? "." : "") + std::string(line));
    }
    if (line.size() > 1 && line.front() == '.') return word(line);
    return command(line);
}

Deed Speech::word(std::string_view line) {
    const std::size_t blank = std::min(line.find(' '), line.size());
    const auto name = line.substr(0, blank);
    const auto rest = blank == line.size() ? std::string_view() : line.substr(blank + 1);
    asked_ = Asked::other;
    if (name == ".b64") return deed(Deed::What::command, base::base64_encode(with_nuls(rest)));
    if (name == ".raw") return deed(Deed::What::command, std::string(rest));
    if (name == ".help") return deed(Deed::What::tell, std::string(help));
    if (name == ".d64") return deed(Deed::What::tell, base::base64_decode(base::trim(rest)).value_or("that is no base64"));
    if (name == ".auth") {
        Deed d = deed(Deed::What::auth);
        for (const auto one : base::words(rest)) d.words.emplace_back(one);
        return d;
    }
    return deed(Deed::What::command, std::string(line));
}

Deed Speech::command(std::string_view line) {
    const auto words = base::words(line);
    const auto verb = words.empty() ? std::string_view() : words.front();
    const auto is = [&](std::string_view name) { return base::iequals(verb, name); };
    asked_ = Asked::other;
    if (is("STARTTLS") && words.size() == 1) return deed(Deed::What::starttls, std::string(line));
    if (is("AUTH") && words.size() <= 2) {
        Deed d = deed(Deed::What::auth);
        if (words.size() == 2) d.words.emplace_back(words[1]);
        return d;
    }
    if (is("BDAT") && words.size() >= 2) {
        Deed d = deed(Deed::What::chunk, std::string(line));
        d.octets = base::parse_number<std::size_t>(words[1]).value_or(0);
        if (lmtp_ && words.size() == 3 && base::iequals(words[2], "LAST")) d.replies = std::max(recipients_, 1U);
        return d;
    }
    if (is("DATA") && words.size() == 1) asked_ = Asked::data;
    if (is("RCPT")) asked_ = Asked::rcpt;
    if (is("MAIL") || is("RSET") || is("LHLO")) asked_ = Asked::mail;
    return deed(Deed::What::command, std::string(line));
}

Deed Speech::last() {
    Deed d = deed(Deed::What::last, ".");
    if (lmtp_) d.replies = std::max(recipients_, 1U);
    state_ = State::commands;
    asked_ = Asked::last;
    return d;
}

void Speech::replied(int code) {
    switch (std::exchange(asked_, Asked::other)) {
        case Asked::mail:
        case Asked::last: recipients_ = 0; break;
        case Asked::rcpt: recipients_ += code / 100 == 2 ? 1 : 0; break;
        case Asked::data:
            if (code == 354)
                state_ = State::body;
            else if (skips_)
                state_ = State::skipping;
            break;
        case Asked::other: break;
    }
}

Deed Speech::end() { return state_ == State::body ? last() : deed(Deed::What::nothing); }

std::string proxy_header(std::string_view client, std::string_view local, std::string_view remote) {
    using namespace std::string_literals;
    // Version 2, command LOCAL, no address: a health check of the proxy's own.
    if (base::iequals(client, "local")) return "\r\n\r\n\0\r\nQUIT\n\x20\0\0\0"s;
    if (base::iequals(client, "unknown")) return "PROXY UNKNOWN\r\n";
    const auto address = mail::IpAddress::parse(client);
    if (!address) return {};
    const auto port_of = [](std::string_view end) {
        const std::size_t colon = end.rfind(':');
        return colon == std::string_view::npos ? std::string("0") : std::string(end.substr(colon + 1));
    };
    std::string_view host = remote.substr(0, std::min(remote.rfind(':'), remote.size()));
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    // Both addresses of the header are of one family: a server that has none of the client's is spoken of by the unspecified one.
    const auto server = mail::IpAddress::parse(host);
    const bool same = server && server->is_v4() == address->is_v4();
    const std::string to = same ? std::string(host) : address->is_v4() ? "0.0.0.0" : "::";
    return std::string("PROXY TCP") + (address->is_v4() ? "4 " : "6 ") + std::string(client) + " " + to + " " + port_of(local) +
           " " + port_of(remote) + "\r\n";
}

}  // namespace greylag::smtptest
