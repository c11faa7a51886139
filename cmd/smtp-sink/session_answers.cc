// What the sink answers where no rule says otherwise: a server to which everything is right.
#include <algorithm>

#include "base/ascii.hh"
#include "cmd/smtp-sink/session.hh"

namespace greylag::sink {

namespace {

// What stands behind "FROM:" and "TO:".
std::string_view behind_colon(std::string_view argument) {
    const auto parts = base::cut(argument, ':');
    return base::trim(parts ? parts->second : argument);
}

}  // namespace

std::string make_hello(const Rules& rules, Over over) {
    std::vector<std::string> lines{rules.host};
    if (rules.pipelining) lines.emplace_back("PIPELINING");
    if (rules.eight_bit) lines.insert(lines.end(), {"8BITMIME", "SMTPUTF8"});
    if (rules.auth) {
        std::string mechanisms = "AUTH PLAIN LOGIN";
        if (!rules.accounts.empty()) mechanisms += " CRAM-MD5 SCRAM-SHA-256";
        if (!rules.accounts.empty() && over == Over::bound_tls) mechanisms += " SCRAM-SHA-256-PLUS";
        lines.push_back(std::move(mechanisms));
    }
    if (rules.xclient) lines.emplace_back("XCLIENT NAME HELO");
    if (rules.xforward) lines.emplace_back("XFORWARD NAME ADDR PROTO HELO");
    if (rules.enhanced) lines.emplace_back("ENHANCEDSTATUSCODES");
    if (rules.dsn) lines.emplace_back("DSN");
    if (rules.tls() && over == Over::clear) lines.emplace_back("STARTTLS");
    lines.emplace_back("CHUNKING");
    std::string out;
    for (std::size_t i = 0; i < lines.size(); ++i) out += (i + 1 == lines.size() ? "250 " : "250-") + lines[i] + "\r\n";
    return out;
}

void Session::answer(Point point, Tick now) {
    switch (point) {
        case Point::connect:
            if (rules_->pix) return say("220 ********");
            out_.append("220 ")
                .append(rules_->host)
                .append(rules_->lmtp       ? " LMTP\r\n"
                        : rules_->extended ? " ESMTP\r\n"
                                           : " SMTP\r\n");
            return;
        case Point::helo: return hello(false);
        case Point::ehlo:
        case Point::lhlo: return hello(true);
        case Point::mail: return mail();
        case Point::rcpt: return recipient();
        case Point::data: return data(now);
        case Point::bdat:
            if (!last_chunk_) return code("250", "2.0.0", "Ok");
            chunks_.finish(text_);
            return end_of_message();
        case Point::dot: return end_of_message();
        case Point::rset: forget_message(); return code("250", "2.0.0", "Ok");
        case Point::noop: return code("250", "2.0.0", "Ok");
        case Point::vrfy: return code("252", "2.0.0", "Ok");
        case Point::quit:
            house_->totals.quits.fetch_add(1, std::memory_order_relaxed);
            code("221", "2.0.0", "Bye");
            leaving_ = true;
            wish_ = Wish::close;
            return;
        case Point::starttls:
            if (!rules_->tls() || secure_) break;
            code("220", "2.0.0", "Ready");
            wish_ = Wish::handshake;
            return;
        case Point::auth:
            if (!rules_->auth) break;
            return start_auth();
        case Point::other: break;
    }
    code("500", "5.5.1", "Error: unknown command");
}

void Session::hello(bool extended) {
    forget_message();
    dump_.helo = argument_;
    dump_.extended = extended;
    if (extended) {
        const auto over = !secure_ ? Over::clear : bindings_.any() ? Over::bound_tls : Over::tls;
        out_ += house_->hello[static_cast<std::size_t>(over)];
    } else {
        out_.append("250 ").append(rules_->host).append("\r\n");
    }
}

void Session::mail() {
    forget_message();
    if (house_->write_dump) dump_.sender = behind_colon(argument_);
    code("250", "2.1.0", "Ok");
}

void Session::recipient() {
    ++recipients_;
    if (house_->write_dump) dump_.recipients.emplace_back(behind_colon(argument_));
    code("250", "2.1.5", "Ok");
}

void Session::data(Tick now) {
    out_ += "354 End data with <CR><LF>.<CR><LF>\r\n";
    dots_ = smtp::DotDecoder(smtp::DotDecoder::Limits{});
    in_ = In::body;
    if (rules_->abort_after_data) {
        aborting_ = true;
        wait(now + micros(*rules_->abort_after_data));
    } else if (rules_->hold_after_data.count() != 0) {
        wait(now + micros(rules_->hold_after_data));
    }
}

// RFC 3030: its octets come at once, whatever the answer is going to be.
void Session::chunk(Tick now) {
    const auto bdat = smtp::parse_bdat(argument_);
    if (!bdat || bdat->countless) {
        code("501", "5.5.4", "Error: bad syntax");
        wish_ = Wish::close;
        return;
    }
    last_chunk_ = bdat->last;
    chunks_.begin(bdat->octets);
    in_ = In::chunk;
    if (bdat->octets != 0) return;
    in_ = In::commands;
    at(Point::bdat, now);
}

void Session::end_of_message() {
    std::string fault;
    if (house_->write_dump) {
        dump_.text = std::move(text_);
        fault = house_->write_dump(dump_, peer_);
    }
    Totals& totals = house_->totals;
    totals.messages.fetch_add(1, std::memory_order_relaxed);
    totals.recipients.fetch_add(recipients_, std::memory_order_relaxed);
    totals.octets.fetch_add(octets_, std::memory_order_relaxed);
    for (unsigned i = 0; i < (rules_->lmtp ? std::max(recipients_, 1U) : 1U); ++i) {
        if (fault.empty()) {
            code("250", "2.0.0", "Ok");
        } else {
            code("451", "4.3.0", "Error: the message was not kept");
        }
    }
    if (!fault.empty()) house_->say(fault);
    forget_message();
}

void Session::forget_message() {
    recipients_ = 0;
    octets_ = 0;
    last_chunk_ = false;
    text_.clear();
    dump_.sender.clear();
    dump_.recipients.clear();
    dump_.text.clear();
    chunks_ = {};
}

}  // namespace greylag::sink
