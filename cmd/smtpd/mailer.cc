#include "cmd/smtpd/mailer.hh"

#include <sysexits.h>

#include <algorithm>

#include "base/ascii.hh"
#include "base/escape.hh"

namespace greylag::smtpd {

namespace {

constexpr std::string_view lmtp_scheme = "lmtp:";

Result<std::vector<std::string>> split_words(std::string_view text) {
    std::vector<std::string> words;
    std::string word;
    bool in_word = false;
    char quote = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (c == '\\' && quote != '\'') {
            if (++i == text.size()) return base::fail(Kind::syntax, "mailer: nothing follows the last backslash");
            word += text[i];
            in_word = true;
        } else if (quote != 0) {
            if (c == quote)
                quote = 0;
            else
                word += c;
        } else if (c == '"' || c == '\'') {
            quote = c;
            in_word = true;
        } else if (base::is_blank(c)) {
            if (in_word) words.push_back(std::exchange(word, {}));
            in_word = false;
        } else {
            word += c;
            in_word = true;
        }
    }
    if (quote != 0) return base::fail(Kind::syntax, std::string("mailer: the quote ") + quote + " is not closed");
    if (in_word) words.push_back(std::move(word));
    return words;
}

// The gaps that may stand inside a word; %r is a word of its own.
Result<void> check_gaps(std::string_view word) {
    if (word == "%r") return {};
    for (std::size_t i = 0; i < word.size(); ++i) {
        if (word[i] != '%') continue;
        ++i;
        if (i == word.size() || std::string_view("sihu%").find(word[i]) == std::string_view::npos)
            return base::fail(Kind::syntax,
                              "mailer: '" + base::printable(word) + "': expected %s, %i, %h, %u, %% or the word %r");
    }
    return {};
}

Result<Mailer> parse_lmtp(std::string_view text) {
    const auto bad = [text](std::string_view why) {
        return base::fail(Kind::syntax, "mailer: '" + base::printable(text) + "': " + std::string(why));
    };
    Mailer mailer;
    mailer.program = text;
    mailer.upas = false;
    const std::string_view place = text.substr(lmtp_scheme.size());
    if (place.starts_with('/')) {
        mailer.lmtp = LmtpPlace{std::string(place), {}, 0};
        return mailer;
    }
    const auto colon = place.rfind(':');
    if (colon == std::string_view::npos) return bad("expected lmtp:/path or lmtp:host:port");
    const auto port = base::parse_number<std::uint16_t>(place.substr(colon + 1));
    if (!port || *port == 0) return bad("expected a port between 1 and 65535");
    std::string_view host = place.substr(0, colon);
    const bool brackets = host.size() > 2 && host.front() == '[' && host.back() == ']';
    if (brackets) host = host.substr(1, host.size() - 2);
    if (brackets ? !mail::IpAddress::parse(host) : host.find(':') != std::string_view::npos || !mail::Domain::parse(host))
        return bad("expected an address, [an IPv6 address] or a name of /etc/hosts");
    mailer.lmtp = LmtpPlace{{}, std::string(host), *port};
    return mailer;
}

std::string fill(const Mailer& mailer, const Handover& h, std::string_view word) {
    std::string out;
    for (std::size_t i = 0; i < word.size(); ++i) {
        if (word[i] != '%') {
            out += word[i];
            continue;
        }
        switch (word[++i]) {
            case 's': out += written(mailer, h.envelope.sender); break;
            case 'i': out += h.peer ? h.peer->text() : ""; break;
            case 'h': out += h.envelope.helo.text; break;
            case 'u': out += h.user; break;
            default: out += '%'; break;
        }
    }
    return out;
}

}  // namespace

std::string written(const Mailer& mailer, const mail::Path& path) {
    if (path.is_null()) return {};
    return mailer.bang ? path.bang() : path.text();
}

bool Mailer::is_send() const { return upas && program.ends_with("/send"); }

Result<Mailer> parse_mailer(std::string_view text, std::string_view libexec) {
    auto words = TRY(split_words(text));
    if (words.empty() || words.front().empty()) return base::fail(Kind::syntax, "mailer: expected a program");
    if (words.front().starts_with(lmtp_scheme)) {
        if (words.size() > 1)
            return base::fail(Kind::syntax, "mailer: nothing may follow '" + base::printable(words.front()) + "'");
        return parse_lmtp(words.front());
    }
    Mailer mailer;
    mailer.program = words.front();
    if (mailer.program.front() != '/') {
        if (mailer.program.find('/') != std::string::npos || mailer.program == "." || mailer.program == "..")
            return base::fail(Kind::syntax, "mailer: '" + base::printable(mailer.program) +
                                                "': expected an absolute name or the name of a program in " +
                                                std::string(libexec));
        mailer.program = std::string(libexec) + "/" + mailer.program;
    }
    words.erase(words.begin());
    for (const auto& word : words) {
        TRY(check_gaps(word));
        if (word == "%r") mailer.upas = false;
    }
    mailer.words = std::move(words);
    return mailer;
}

std::vector<std::string> arguments(const Mailer& mailer, const Handover& h) {
    std::vector<std::string> out;
    const auto recipients = [&] {
        for (const auto& path : h.envelope.recipients) out.push_back(written(mailer, path));
    };
    for (const auto& word : mailer.words) {
        if (word == "%r")
            recipients();
        else
            out.push_back(fill(mailer, h, word));
    }
    if (mailer.upas) {
        out.insert(out.end(), {"-r", "--"});
        recipients();
    }
    return out;
}

std::vector<std::string> environment(const Mailer& mailer, const Handover& h) {
    std::string recipients;
    for (const auto& path : h.envelope.recipients) recipients += (recipients.empty() ? "" : "\n") + written(mailer, path);
    std::vector<std::string> out{
        mailer_path,
        "LANG=C",
        "SENDER=" + written(mailer, h.envelope.sender),
        "RECIPIENTS=" + recipients,
        "REMOTEIP=" + (h.peer ? h.peer->text() : ""),
        "HELO=" + h.envelope.helo.text,
        "AUTHUSER=" + h.user,
        "PROTOCOL=" + h.protocol,
        "SIZE=" + std::to_string(h.size),
        "ID=" + h.id,
    };
    if (!h.configuration.empty()) out.push_back("GREYLAG_CONF=" + h.configuration);
    if (!h.domain.empty()) out.push_back("DOMAIN=" + h.domain);
    return out;
}

bool protects_recipients(const Mailer& mailer) {
    if (mailer.upas || mailer.lmtp) return true;
    const auto at = std::find(mailer.words.begin(), mailer.words.end(), "%r");
    return std::find(mailer.words.begin(), at, "--") != at;
}

bool protects_sender(const Mailer& mailer) {
    for (std::size_t i = 0; i < mailer.words.size(); ++i) {
        if (mailer.words[i] == "--") return true;
        if (mailer.words[i].starts_with("%s") && (i == 0 || mailer.words[i - 1] != "-f")) return false;
    }
    return true;
}

std::string describe(const sys::Ending& ending) {
    switch (ending.how) {
        case sys::Ending::How::exited: return "exit " + std::to_string(ending.status);
        case sys::Ending::How::signalled: return "signal " + std::to_string(ending.status);
        case sys::Ending::How::timed_out: return "timed out";
    }
    return {};
}

mail::Verdict verdict(const sys::Ending& ending, std::string_view said) {
    using mail::Verdict;
    using mail::Why;
    if (ending.how != sys::Ending::How::exited) return Verdict::later(Why::mailer_later);
    if (ending.status == EX_OK) return Verdict::pass();
    const auto detail = base::trim(said.substr(0, said.find('\n')));
    if (ending.status != EX_TEMPFAIL && said.find("mail refused") != std::string_view::npos)
        return Verdict::never(Why::mailer_refused, std::string(detail));
    switch (ending.status) {
        case EX_NOUSER: return Verdict::never(Why::mailer_no_user, std::string(detail));
        case EX_NOHOST: return Verdict::never(Why::mailer_no_host, std::string(detail));
        case EX_NOPERM: return Verdict::never(Why::mailer_denied, std::string(detail));
        case EX_DATAERR:
        case EX_UNAVAILABLE:
        case EX_PROTOCOL: return Verdict::never(Why::mailer_failed, std::string(detail));
        default: return Verdict::later(Why::mailer_later);
    }
}

}  // namespace greylag::smtpd
