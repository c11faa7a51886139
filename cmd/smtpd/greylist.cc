#include "cmd/smtpd/greylist.hh"

#include "grey/names.hh"
#include "grey/records.hh"
#include "sys/clock.hh"
#include "sys/file.hh"

namespace greylag::smtpd {

using mail::Verdict;
using mail::Why;

namespace {

grey::Limits limits(const Setup& setup) { return {setup.settings.grey.min, setup.settings.grey.max}; }
grey::Grouping grouping(const Setup& setup) { return {setup.settings.grey.net4, setup.settings.grey.net6}; }

}  // namespace

void Greylist::fail_open(const std::string& said) {
    open_ = true;
    log_.write(base::Event{}.with("reason", "greylist").with("said", said + "; not greylisted"));
}

void Greylist::name_unreadable_lines(grey::Whitelist& whitelist) {
    for (auto& line : whitelist.take_complaints())
        log_.write(base::Event{}.with("reason", "whitelist").with("said", std::move(line)));
}

bool Greylist::settled() {
    if (open_) return *open_;
    if (!ends_.remote) {
        fail_open("the address of the peer is not known");
        return true;
    }
    grey::Whitelist whitelist(setup_.settings.paths.state);
    const auto white = whitelist.contains(ends_.remote->address);
    name_unreadable_lines(whitelist);
    if (white)
        open_ = *white;
    else
        fail_open(white.error().text);
    return *open_;
}

void Greylist::passed(const mail::Path& recipient) {
    open_ = true;
    const auto& caller = ends_.remote->address;
    const auto network = grey::network_of(caller, grouping(setup_));
    grey::Whitelist whitelist(setup_.settings.paths.state);
    const auto added = whitelist.append(caller, grey::own_line(network, sys::wall_millis() / 1000));
    name_unreadable_lines(whitelist);
    // The mail passes all the same; the record is there and the next call passes as this one did.
    if (!added) return fail_open(added.error().text);
    if (*added)
        log_.write(base::Event{base::Word::whitelist, {}}
                       .with("ip", caller.text())
                       .with("net", network.text())
                       .with_peer("to", recipient.text()));
}

Verdict Greylist::judge(const mail::Path* first, const mail::Path* last) {
    const grey::Records records(setup_.settings.paths.state);
    const std::optional<mail::IpAddress> local = ends_.local ? std::optional(ends_.local->address) : std::nullopt;
    const auto network = grey::network_of(ends_.remote->address, grouping(setup_));
    const mail::Path* known = nullptr;
    std::int64_t seconds = 0;
    for (const auto* recipient = first; recipient != last; ++recipient) {
        const auto decided = records.call(grey::record_name(local, network, *recipient), sys::wall_millis(), limits(setup_));
        if (!decided) {
            fail_open(decided.error().text);
            return Verdict::pass();
        }
        if (decided->call == grey::Call::pass) known = recipient;
        if (recipient == first || decided->seconds < seconds) seconds = decided->seconds;
    }
    if (known == nullptr) return Verdict::later(Why::greylisted, std::to_string(seconds));
    passed(*known);
    return Verdict::pass();
}

Verdict Greylist::recipient(const smtp::Envelope& envelope, const mail::Path& recipient) {
    if (envelope.sender.is_null() || settled()) return Verdict::pass();
    return judge(&recipient, &recipient + 1);
}

Verdict Greylist::data(const smtp::Envelope& envelope) {
    if (!envelope.sender.is_null() || settled()) return Verdict::pass();
    return judge(envelope.recipients.data(), envelope.recipients.data() + envelope.recipients.size());
}

void check_greylist(const Setup& setup, std::vector<config::Fault>& faults, std::vector<std::string>& notes) {
    if (!setup.settings.smtpd.greylist) return;
    const std::string grey = sys::join(setup.settings.paths.state, "grey");
    const grey::Whitelist whitelist(setup.settings.paths.state);
    if (sys::status(grey) && !sys::writable_directory(grey))
        return faults.push_back({grey, 0, "expected a directory that can be written"});
    const std::string tmp = sys::join(grey, "tmp");
    if (sys::status(tmp) && !sys::writable_directory(tmp)) faults.push_back({tmp, 0, "expected a directory that can be written"});
    const auto there = whitelist.each_line([&](std::uint64_t number, std::string_view line) {
        if (grey::read_line(line).what == grey::Line::What::unreadable)
            faults.push_back({whitelist.path(), static_cast<unsigned>(number), grey::complaint(line)});
        return true;
    });
    if (!there)
        faults.push_back({"paths.state", 0, there.error().text});
    else if (!*there)
        notes.push_back(whitelist.path() + " is missing: nobody is white yet");
}

}  // namespace greylag::smtpd
