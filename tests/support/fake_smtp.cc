#include "tests/support/fake_smtp.hh"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <stdexcept>

#include "base/ascii.hh"
#include "base/escape.hh"
#include "sys/io.hh"
#include "tests/support/stream.hh"

namespace greylag::test {

namespace {

// One client; every wait ends when the server is to stop, too.
class Talk {
public:
    Talk(sys::Fd client, int stop) : client_(std::move(client)), stop_(stop), deadline_(soon()) {}

    // Takes one turn; false: the conversation is over.
    bool take(const Turn& turn, Heard& heard) {
        switch (turn.until) {
            case Turn::Until::nothing: break;
            case Turn::Until::line:
                if (!line(turn.expect, heard)) return false;
                break;
            case Turn::Until::dot:
                if (!body(heard)) return false;
                break;
            case Turn::Until::octets:
                while (pending_.size() < turn.octets)
                    if (!fill(heard)) return false;
                pending_.erase(0, turn.octets);
                break;
        }
        if (!turn.identity.empty()) {
            if (!pending_.empty()) return fault(heard, "the client spoke in clear where TLS begins");
            auto layer = TlsLayer::serve(client_.get(), client_.get(), turn.identity, deadline_);
            if (!layer) return fault(heard, layer.error().text);
            tls_ = std::move(*layer);
            heard.bytes += "[TLS]";
        }
        for (std::size_t i = 0; i < turn.reply.size(); i += turn.piecewise ? 1 : turn.reply.size()) {
            const std::string_view piece = std::string_view(turn.reply).substr(i, turn.piecewise ? 1 : std::string_view::npos);
            const auto sent = tls_ ? tls_->send(piece, deadline_) : sys::write_all(client_.get(), piece, deadline_);
            if (!sent) return fault(heard, "the client does not read");
        }
        if (turn.then == Turn::Then::go_on) return true;
        if (turn.then == Turn::Then::stall) drain(heard);
        if (turn.then == Turn::Then::reset) Stream(std::move(client_)).reset();
        return false;
    }

    void drain(Heard& heard) {
        std::string none = heard.fault;
        while (fill(heard)) {}
        heard.fault = none;
    }

private:
    static bool fault(Heard& heard, std::string what) {
        heard.fault = std::move(what);
        return false;
    }

    bool fill(Heard& heard) {
        if (tls_) {
            const auto text = tls_->receive(deadline_);
            if (!text || text->empty()) return fault(heard, "the client left");
            pending_ += *text;
            heard.bytes += *text;
            return true;
        }
        pollfd fds[] = {{client_.get(), POLLIN, 0}, {stop_, POLLIN, 0}};
        if (::poll(fds, 2, deadline_.poll_timeout()) <= 0) return fault(heard, "the client is silent");
        if (fds[1].revents != 0) return fault(heard, "the test ended first");
        char room[16384];
        const auto n = sys::read_some(client_.get(), room, deadline_);
        if (!n || *n == 0) return fault(heard, "the client left");
        pending_.append(room, *n);
        heard.bytes.append(room, *n);
        return true;
    }

    bool line(const std::string& expect, Heard& heard) {
        std::size_t end = 0;
        while ((end = pending_.find("\r\n")) == std::string::npos)
            if (!fill(heard)) return false;
        const std::string got = pending_.substr(0, end);
        pending_.erase(0, end + 2);
        if (base::istarts_with(got, expect)) return true;
        return fault(heard, "expected " + expect + ", got " + base::quoted(got));
    }

    bool body(Heard& heard) {
        for (;;) {
            const std::size_t end = pending_.starts_with(".\r\n") ? 0 : pending_.find("\r\n.\r\n");
            if (end != std::string::npos) {
                const std::size_t size = end + (pending_.starts_with(".\r\n") ? 3 : 5);
                heard.bodies.push_back(pending_.substr(0, size));
                pending_.erase(0, size);
                return true;
            }
            if (!fill(heard)) return false;
        }
    }

    sys::Fd client_;
    int stop_;
    sys::Deadline deadline_;
    std::string pending_;
    std::unique_ptr<TlsLayer> tls_;
};

}  // namespace

FakeSmtp::FakeSmtp(std::vector<Script> scripts, const std::string& address, std::uint16_t port)
    : scripts_(std::move(scripts)), stop_(must(sys::make_pipe())) {
    Listening door = must(listen_at(address, port));
    door_ = std::move(door.fd);
    port_ = door.port;
    thread_ = std::thread([this] { serve(); });
}

FakeSmtp::FakeSmtp(std::vector<Script> scripts, UnixSocket where) : scripts_(std::move(scripts)), stop_(must(sys::make_pipe())) {
    door_.reset(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un place{};
    place.sun_family = AF_UNIX;
    where.path.copy(place.sun_path, sizeof place.sun_path - 1);
    const void* address = &place;
    if (::bind(door_.get(), static_cast<const sockaddr*>(address), sizeof place) != 0 || ::listen(door_.get(), 16) != 0)
        throw std::runtime_error("cannot listen on " + where.path);
    thread_ = std::thread([this] { serve(); });
}

FakeSmtp::~FakeSmtp() {
    stop_.write.reset();
    thread_.join();
    for (std::thread& talk : talks_) talk.join();
}

void FakeSmtp::serve() {
    for (std::size_t number = 0;; ++number) {
        pollfd fds[] = {{door_.get(), POLLIN, 0}, {stop_.read.get(), POLLIN, 0}};
        if (::poll(fds, 2, -1) < 0 || fds[1].revents != 0) return;
        sys::Fd client(::accept4(door_.get(), nullptr, nullptr, SOCK_CLOEXEC));
        if (!client) continue;
        {
            const std::lock_guard guard(lock_);
            heard_.emplace_back();
        }
        talks_.emplace_back([this, number, fd = client.release()] { converse(sys::Fd(fd), number); });
    }
}

void FakeSmtp::converse(sys::Fd client, std::size_t number) {
    Heard heard;
    {
        Talk talk(std::move(client), stop_.read.get());
        const Script& script = scripts_[std::min(number, scripts_.size() - 1)];
        bool going = true;
        for (const Turn& turn : script) {
            if (!(going = talk.take(turn, heard))) break;
            const std::lock_guard guard(lock_);
            heard_[number] = heard;
        }
        if (going) talk.drain(heard);
    }
    heard.finished = true;
    const std::lock_guard guard(lock_);
    heard_[number] = std::move(heard);
}

std::vector<Heard> FakeSmtp::heard() const {
    const std::lock_guard guard(lock_);
    return heard_;
}

Heard FakeSmtp::wait_for(std::size_t n, sys::Deadline deadline) const {
    Heard last;
    const bool over = eventually(
        [&] {
            const auto all = heard();
            if (n < all.size()) last = all[n];
            return last.finished;
        },
        deadline);
    if (!over) last.fault = "not over in time";
    return last;
}

Script FakeSmtp::accepting(const std::vector<std::string>& keywords) {
    std::string ehlo = "250-fake.example\r\n";
    for (const std::string& keyword : keywords) ehlo += "250-" + keyword + "\r\n";
    ehlo += "250 ENHANCEDSTATUSCODES\r\n";
    return {Turn::say("220 fake.example ESMTP\r\n"),
            Turn::on("EHLO ", ehlo),
            Turn::on("MAIL FROM:<", "250 2.1.0 ok\r\n"),
            Turn::on("RCPT TO:<", "250 2.1.5 ok\r\n"),
            Turn::on("DATA", "354 go on\r\n"),
            Turn::body("250 2.0.0 kept\r\n"),
            Turn::on("QUIT", "221 2.0.0 bye\r\n").and_close()};
}

}  // namespace greylag::test
