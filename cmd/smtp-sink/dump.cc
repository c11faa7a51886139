#include "cmd/smtp-sink/dump.hh"

#include <fcntl.h>

#include <memory>
#include <mutex>

#include "mail/date.hh"
#include "mail/ip.hh"
#include "sys/clock.hh"
#include "sys/file.hh"
#include "sys/io.hh"
#include "sys/random.hh"

namespace greylag::sink {

namespace {

constexpr std::size_t id_octets = 4;
constexpr base::Seconds patience{60};

Result<void> write_one(const std::string& path, std::string_view text) {
    const sys::Fd fd = TRY(sys::create_file(path, 0600));
    return sys::write_all(fd.get(), text, sys::Deadline::in(patience));
}

Result<void> append(const std::string& path, std::string_view text) {
    const sys::Fd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
    if (!fd) return sys::os_fail(path, errno);
    return sys::write_all(fd.get(), text, sys::Deadline::in(patience));
}

Result<void> folders_for(const std::string& path) {
    const std::size_t slash = path.rfind('/');
    if (slash == std::string::npos || slash == 0) return {};
    return sys::make_directories(path.substr(0, slash));
}

}  // namespace

std::string dump_text(const Rules& rules, const Dump& dump, std::string_view peer, std::string_view id, base::WallTime when) {
    const auto parsed = mail::IpAddress::parse(peer);
    const std::string address = std::string(parsed && !parsed->is_v4() ? "ipv6:" : "") + std::string(peer);
    const std::string proto = rules.lmtp ? "LMTP" : dump.extended ? "ESMTP" : "SMTP";
    std::string out = rules.dump_start;
    out += "X-Client-Addr: " + address + "\nX-Client-Proto: " + proto + "\n";
    if (!dump.helo.empty()) out += "X-Helo-Args: " + dump.helo + "\n";
    out += "X-Mail-Args: " + dump.sender + "\n";
    for (const auto& recipient : dump.recipients) out += "X-Rcpt-Args: " + recipient + "\n";
    out += "Received: from " + (dump.helo.empty() ? "[" + address + "]" : dump.helo) + " ([" + address + "])\n";
    out += "\tby " + rules.host + " (smtp-sink) with " + proto + " id " + std::string(id) + ";\n";
    out += "\t" + mail::rfc5322_date(when) + "\n";
    out += dump.text;
    return out + "\n";
}

std::function<std::string(const Dump& dump, std::string_view peer)> make_dumper(const Rules& rules) {
    if (rules.dump_one.empty() && rules.dump_all.empty()) return {};
    const auto lock = std::make_shared<std::mutex>();
    return [&rules, lock](const Dump& dump, std::string_view peer) -> std::string {
        const std::lock_guard hold(*lock);
        const auto when = sys::wall_now();
        const std::string id = sys::random_hex(id_octets);
        const std::string text = dump_text(rules, dump, peer, id, when);
        const auto keep = [&](const std::string& form, bool one) -> Result<void> {
            if (form.empty()) return {};
            const std::string path = expand(form, base::calendar(when)).value_or(form) + (one ? id : "");
            TRY(folders_for(path));
            return one ? write_one(path, text) : append(path, text);
        };
        for (const auto& done : {keep(rules.dump_one, true), keep(rules.dump_all, false)})
            if (!done) return done.error().text;
        return {};
    };
}

}  // namespace greylag::sink
