// Octets and moments into commands, and what the rules make of them: a delay, a refusal, misbehaviour, or the answer.
#include "cmd/smtp-sink/session.hh"

#include <algorithm>

#include "base/ascii.hh"
#include "base/escape.hh"
#include "client/auth_exchange.hh"

namespace greylag::sink {

namespace {

constexpr std::size_t longest_line = 64 << 10;
constexpr std::size_t longest_shown = 500;

Point point_of(smtp::Verb verb) {
    using smtp::Verb;
    switch (verb) {
        case Verb::helo: return Point::helo;
        case Verb::ehlo: return Point::ehlo;
        case Verb::mail: return Point::mail;
        case Verb::rcpt: return Point::rcpt;
        case Verb::data: return Point::data;
        case Verb::bdat: return Point::bdat;
        case Verb::rset: return Point::rset;
        case Verb::noop: return Point::noop;
        case Verb::quit: return Point::quit;
        case Verb::vrfy: return Point::vrfy;
        case Verb::starttls: return Point::starttls;
        case Verb::auth: return Point::auth;
        case Verb::expn:
        case Verb::help:
        case Verb::refused:
        case Verb::foreign:
        case Verb::unknown: break;
    }
    return Point::other;
}

// Behind AUTH's mechanism may stand a password.
std::string_view shown_argument(Point point, std::string_view argument) {
    return point == Point::auth ? argument.substr(0, argument.find(' ')) : argument;
}

bool starts_with_word(std::string_view line, std::string_view word) {
    return base::istarts_with(line, word) && (line.size() == word.size() || line[word.size()] == ' ');
}

}  // namespace

Session::Session(House& house, std::string peer, std::uint64_t number)
    : house_(&house), rules_(&house.rules), peer_(std::move(peer)), dice_(number), reader_(longest_line) {}

// --- octets and moments ----------------------------------------------------------------------------------------------

void Session::begin(Tick now) {
    house_->totals.sessions.fetch_add(1, std::memory_order_relaxed);
    if (rules_->smtps) {
        wish_ = Wish::handshake;
    } else {
        at(Point::connect, now);
    }
}

void Session::resume(Tick now) {
    wish_ = Wish::talk;
    if (std::exchange(aborting_, false)) {
        code("550", "5.3.0", "Error: command failed");
        wish_ = Wish::close;
    } else if (held_point_) {
        const Point point = *held_point_;
        held_point_.reset();
        act(point, now);
    }
    if (wish_ != Wish::talk || held_.empty()) return;
    const std::string octets = std::move(held_);
    held_.clear();
    heard(octets, now);
}

void Session::secured(sasl::Bindings bindings, Tick now) {
    secure_ = true;
    bindings_ = std::move(bindings);
    forget_message();
    dump_.helo.clear();
    wish_ = Wish::talk;
    if (rules_->smtps) at(Point::connect, now);
}

void Session::heard(std::string_view octets, Tick now) {
    while (!octets.empty() && wish_ == Wish::talk) take(octets, now);
    // What stands behind STARTTLS in clear text was not said under TLS.
    if (wish_ == Wish::wait) held_ += octets;
}

void Session::gone() {
    if (!leaving_) house_->totals.lost.fetch_add(1, std::memory_order_relaxed);
}

void Session::take(std::string_view& octets, Tick now) {
    if (in_ == In::body || in_ == In::chunk) return body(octets, now);
    smtp::InputLine next;
    if (reader_.next(octets, next)) line(next, now);
}

void Session::line(const smtp::InputLine& line, Tick now) {
    if (rules_->verbose)
        house_->say(peer_ + ": <- " +
                    (in_ == In::auth || base::istarts_with(line.text, "AUTH ") ? client::shown_auth(line.text)
                                                                               : base::printable(line.text, longest_shown)));
    if (line.fault != smtp::LineFault::none) return code("500", "5.5.2", "Error: bad syntax");
    if (in_ == In::auth) return auth_line(line.text);
    command(line.text, now);
}

void Session::body(std::string_view& octets, Tick now) {
    const std::size_t before = octets.size();
    std::string& text = house_->write_dump ? text_ : house_->waste;
    house_->waste.clear();
    const bool ended = in_ == In::body ? dots_.feed(octets, text) : chunks_.feed(octets, text);
    octets_ += before - octets.size();
    if (!ended) return;
    if (in_ == In::body) {
        in_ = In::commands;
        return at(Point::dot, now);
    }
    in_ = In::commands;
    at(Point::bdat, now);
}

// --- commands --------------------------------------------------------------------------------------------------------

void Session::command(std::string_view line, Tick now) {
    const auto command = smtp::parse_command(line);
    argument_ = command.argument;
    Point point = point_of(command.verb);
    if (starts_with_word(line, "LHLO")) {
        point = Point::lhlo;
        argument_ = line.substr(std::min<std::size_t>(line.size(), 5));
    }
    const bool other_hello =
        point == Point::lhlo ? !rules_->lmtp : (point == Point::helo || point == Point::ehlo) && rules_->lmtp;
    if (other_hello || (point == Point::ehlo && !rules_->extended)) point = Point::other;
    if (point == Point::other &&
        (starts_with_word(line, "XCLIENT") ? rules_->xclient : starts_with_word(line, "XFORWARD") && rules_->xforward))
        return code("250", "2.0.0", "Ok");
    if (point == Point::bdat) return chunk(now);
    at(point, now);
}

Tick Session::delay_at(Point point) {
    const Delay& delay = rules_->delays[static_cast<std::size_t>(point)];
    Tick wait = micros(delay.wait);
    if (wait == 0 || delay.odds == 0) return wait;
    const auto roll = [this] {
        dice_ = dice_ * 6364136223846793005U + 1442695040888963407U;
        return (dice_ >> 33) % 100;
    };
    Tick times = 1;
    while (roll() < delay.odds && times < 1000) ++times;
    return wait * times;
}

void Session::at(Point point, Tick now) {
    if (rules_->logged[static_cast<std::size_t>(point)])
        house_->say(peer_ + ": " + std::string(name(point)) +
                    (argument_.empty() ? "" : " " + base::printable(shown_argument(point, argument_), longest_shown)));
    if (const Tick delay = delay_at(point); delay != 0) {
        held_point_ = point;
        return wait(now + delay);
    }
    act(point, now);
}

void Session::act(Point point, Tick now) {
    const Deed deed = rules_->deed(point);
    if (deed == Deed::answer) return answer(point, now);
    house_->totals.refused.fetch_add(1, std::memory_order_relaxed);
    const bool message = point == Point::dot || point == Point::bdat;
    const unsigned replies = rules_->lmtp && point == Point::dot ? std::max(recipients_, 1U) : 1;
    if (message) forget_message();
    switch (deed) {
        case Deed::answer: break;
        case Deed::soft:
        case Deed::hard:
            for (unsigned i = 0; i < replies; ++i) say(deed == Deed::soft ? rules_->soft : rules_->hard);
            if (point == Point::connect || point == Point::quit) wish_ = Wish::close;
            return;
        case Deed::say421:
            code("421", "4.0.0", "Server closing connection");
            wish_ = Wish::close;
            return;
        case Deed::drop: wish_ = Wish::close; return;
        case Deed::stall: wish_ = Wish::stall; return;
        case Deed::garbage: say("%! no reply at all"); return;
        case Deed::half:
            out_ += "250-ha";
            wish_ = Wish::close;
            return;
        case Deed::reset: wish_ = Wish::reset; return;
    }
}

// --- what is said ----------------------------------------------------------------------------------------------------

void Session::say(std::string_view reply) {
    if (rules_->verbose) house_->say(peer_ + ": -> " + std::string(reply));
    out_.append(reply).append("\r\n");
}

void Session::code(std::string_view code, std::string_view enhanced, std::string_view text) {
    const std::size_t from = out_.size();
    out_.append(code).append(" ");
    if (rules_->enhanced) out_.append(enhanced).append(" ");
    out_.append(text);
    if (rules_->verbose) house_->say(peer_ + ": -> " + out_.substr(from));
    out_ += "\r\n";
}

}  // namespace greylag::sink
