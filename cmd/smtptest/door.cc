#include "cmd/smtptest/door.hh"

#include "base/ascii.hh"
#include "cmd/smtptest/talk.hh"
#include "sys/io.hh"

namespace greylag::smtptest {

namespace {

constexpr base::Seconds patience{600};
constexpr base::Seconds to_the_client{60};

// One client. True: the session is as it was before.
bool serve_one(int client, Round& round, Report& report) {
    bool left = false;
    Talk::Style style;
    style.last_counts = true;
    const auto say = [&](std::string_view text) {
        if (!sys::write_all(client, text, sys::Deadline::in(to_the_client))) left = true;
    };
    style.heard = [&](const smtp_client::Reply& reply) { say(wire(reply)); };
    bool quit = false;
    style.instead = [&](std::string_view line) {
        if (!base::iequals(base::trim(line), "QUIT")) return quit;
        quit = true;
        say("221 2.0.0 good bye, the session stays\r\n");
        return true;
    };
    Talk talk(round, report, style);
    Stream source(client, talk.meanwhile());
    const bool alive = talk.run(source);
    if (!alive || source.cut_short() || talk.in_body()) return false;
    const auto reset = round.server().command("RSET");
    return reset && reset->code / 100 == 2;
}

}  // namespace

void serve(const sys::UnixDoor& door, Round& round, Report& report) {
    round.show(Round::Shown::none);
    for (;;) {
        const auto client = door.accept(sys::Deadline::in(patience));
        if (!client) return;
        if (!serve_one(client->get(), round, report)) return;
    }
}

}  // namespace greylag::smtptest
