#include "cmd/smtpd/delivery.hh"

#include "base/ascii.hh"
#include "base/escape.hh"
#include "cmd/smtpd/dump.hh"
#include "smtp/trace.hh"
#include "sys/clock.hh"

namespace greylag::smtpd {

namespace {

smtp::Trace trace_of(const Parcel& parcel) {
    const auto& envelope = parcel.envelope;
    smtp::Trace trace;
    trace.helo = envelope.helo.text;
    if (parcel.ends.remote) trace.peer = parcel.ends.remote->address;
    trace.by = parcel.setup.domain;
    trace.id = parcel.id;
    trace.extended = envelope.extended;
    trace.utf8 = envelope.utf8;
    trace.tls = envelope.tls;
    trace.tls_description = envelope.tls_description;
    trace.authenticated = !envelope.user.empty();
    if (envelope.recipients.size() == 1) trace.only_recipient = envelope.recipients.front();
    return trace;
}

std::string list(const std::vector<mail::Path>& paths) {
    std::string out;
    for (const auto& path : paths) out += (out.empty() ? "" : ",") + path.text();
    return out;
}

}  // namespace

std::string front_matter(const Parcel& parcel) {
    const auto& mailer = parcel.setup.mailer;
    smtp::Trace trace = trace_of(parcel);
    trace.peer_name = parcel.name;
    trace.when = sys::wall_now();
    std::string front;
    if (mailer.upas) front = smtp::from_line(parcel.envelope.sender, mailer.bang, trace.when);
    return front + smtp::received_field(trace);
}

mail::Verdict deliver(const Parcel& parcel, sys::Spool& spool, LmtpMailer& lmtp, sys::Log& log) {
    const auto start = sys::stopwatch();
    const auto& [setup, ends, envelope, name, id] = parcel;
    base::Event event{base::Word::deliver_failed, {}};
    event.with("ip", ends.remote ? ends.remote->address.text() : "unknown").with("msgid", id);
    event.with("size", std::to_string(spool.size())).with("mailer", setup.mailer.program);
    event.with_peer("from", envelope.sender.text()).with_peer("to", list(envelope.recipients));
    if (!name.empty()) event.with_peer("name", name);

    auto message = spool.finish();
    if (!message) {
        log.write(event.with("reason", "spool").with("said", message.error().text));
        return mail::Verdict::later(mail::Why::mailer_later);
    }
    if (setup.mailer.lmtp) return lmtp.deliver(envelope, id, message->get(), std::move(event));
    Handover handover{envelope,
                      ends.remote ? std::optional(ends.remote->address) : std::nullopt,
                      envelope.user,
                      smtp::with_protocol(trace_of(parcel)),
                      id,
                      spool.size(),
                      setup.file};
    // send reads the configuration and would not know what only our command line says.
    const auto source = setup.sources.find("smtpd.domain");
    if (source != setup.sources.end() && source->second == "-h") handover.domain = setup.domain;
    sys::Command command;
    command.path = setup.mailer.program;
    command.arguments = arguments(setup.mailer, handover);
    command.environment = environment(setup.mailer, handover);
    command.in = message->get();
    const auto said = sys::run(command, sys::Deadline::in(setup.settings.mailer.timeout));
    event.with("ms", std::to_string(sys::since(start).count()));
    if (!said) {
        log.write(event.with("reason", "cannot-start").with("said", said.error().text));
        return mail::Verdict::later(mail::Why::mailer_later);
    }
    auto answer = verdict(said->ending, said->err);
    if (answer.ok()) event.word = base::Word::deliver;
    event.with("status", describe(said->ending));
    for (const auto* text : {&said->out, &said->err}) {
        const auto line = base::trim(std::string_view(*text).substr(0, text->find('\n')));
        if (!line.empty()) event.with_peer(text == &said->out ? "stdout" : "stderr", std::string(line));
    }
    log.write(event);
    return answer;
}

void refuse_blocked(const Parcel& parcel, const mail::Verdict& verdict, sys::Spool& spool, sys::Log& log) {
    const auto& envelope = parcel.envelope;
    base::Event event{base::Word::reject, {}};
    event.with("ip", parcel.ends.remote ? parcel.ends.remote->address.text() : "unknown");
    event.with("code", std::to_string(smtp::say(verdict).code)).with("reason", std::string(name(verdict.why)));
    event.with("size", std::to_string(spool.size()));
    if (parcel.setup.settings.smtpd.saveblockedmsg) {
        const auto message = spool.finish();
        const auto saved =
            message ? save_blocked(parcel.setup.settings.paths.state, message->get()) : std::unexpected(message.error());
        event.with(saved ? "saved" : "not-saved", saved ? *saved : saved.error().text);
    }
    event.with_peer("helo", envelope.helo.text)
        .with_peer("from", envelope.sender.text())
        .with_peer("to", list(envelope.recipients));
    log.write(event);
}

}  // namespace greylag::smtpd
