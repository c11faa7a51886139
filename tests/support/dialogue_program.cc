#include "tests/support/dialogue_program.hh"

#include "base/ascii.hh"
#include "base/base64.hh"
#include "base/escape.hh"
#include "sasl/client.hh"
#include "tests/support/fake_mailer.hh"
#include "tests/support/sasl.hh"

namespace greylag::test {

std::string with_world(std::string text, const std::string& directory) {
    constexpr std::string_view name = "$WORLD";
    for (std::size_t at = text.find(name); at != std::string::npos; at = text.find(name, at + directory.size()))
        text.replace(at, name.size(), directory);
    return text;
}

namespace {

class Program : public Peer {
public:
    explicit Program(const World& world) : world_(world) {}

    Result<void> start(const std::string& program, Wire wire) {
        lay_out(program);
        Start how;
        how.program = program;
        how.arguments = {"-C", scratch_.at("smtpd.conf")};
        if (!world_.peer.empty()) {
            how.arguments.emplace_back("-n");
            how.arguments.push_back(scratch_.at("net"));
        }
        for (const std::string& option : world_.options) how.arguments.push_back(with_world(option, scratch_.path()));
        how.environment = {"PATH=/usr/bin:/bin", "TZ=UTC"};
        how.wire = wire;
        session_.emplace(TRY(Session::start(how)));
        return {};
    }

    Result<void> send(std::string_view octets) override {
        auto sent = session_->wire.send(octets);
        if (!sent && sent.error().kind == Kind::closed) return {};
        return sent;
    }
    Result<void> cut() override { return session_->wire.flushed(); }
    Result<std::string> read_reply(sys::Deadline deadline) override { return session_->wire.read_reply(deadline); }
    Result<bool> speaks_or_closes(sys::Deadline deadline) override { return session_->wire.wait_readable(deadline); }
    Result<std::string> read_to_end(sys::Deadline deadline) override { return session_->wire.read_to_end(deadline); }
    void half_close() override { session_->wire.half_close(); }
    Result<void> start_tls() override { return session_->wire.start_tls(); }
    Result<void> authenticate(const std::vector<std::string>& words) override;

    Result<Aftermath> finish(sys::Deadline deadline) override {
        Aftermath after;
        session_->wire.half_close();
        after.unread = TRY(session_->wire.read_to_end(deadline));
        const sys::Ending ending = TRY(session_->wait(deadline));
        if (ending.how == sys::Ending::How::timed_out)
            after.fault = "smtpd does not end";
        else if (ending.how == sys::Ending::How::signalled)
            after.fault = "smtpd died of signal " + std::to_string(ending.status);
        else if (ending.status != world_.exit)
            after.fault = "smtpd exited with " + std::to_string(ending.status) + ", expected " + std::to_string(world_.exit);
        const std::string err = session_->err();
        if (!after.fault.empty() || (!err.empty() && world_.exit == 0)) after.fault += "; its standard error: " + err;
        after.delivered = delivered();
        const std::string log = scratch_.read("log").value_or("");
        for (const std::string_view line : base::split(log, '\n'))
            if (!line.empty()) after.log.emplace_back(line);
        return after;
    }

private:
    void lay_out(const std::string& program) {
        const std::string beside = program.substr(0, program.rfind('/'));
        const std::string libexec = world_.real_send ? beside : scratch_.at("libexec");
        scratch_.write("smtpd.conf", "[smtpd]\ndomain = example.org\n[paths]\nstate = " + scratch_.at("state") +
                                         "\nmail = " + scratch_.at("state") + "/mail/%d/%u/Maildir\nlibexec = " + libexec +
                                         "\nlib = " + scratch_.at("lib") + "\n[log]\nto = " + scratch_.at("log") + "\n" +
                                         with_world(world_.config, scratch_.path()));
        scratch_.make_directory("state/spool");
        scratch_.make_directory("lib");
        for (const std::string& user : world_.users) {
            const auto parts = base::cut(user, '@');
            scratch_.make_directory("state/mail/" + std::string(parts->second) + "/" + base::file_name(parts->first));
        }
        std::string aliases;
        for (const std::string& alias : world_.aliases) aliases += alias + "\n";
        if (!aliases.empty()) scratch_.write("lib/aliases", aliases);
        std::string passwords;
        for (const auto& [user, password] : world_.passwords) passwords += sasl::show_user(user_with(user, password)) + "\n";
        if (!passwords.empty()) scratch_.write("users", passwords);
        if (world_.config.find("$WORLD/mx.pem") != std::string::npos)
            scratch_.write("mx.pem", make_identity(KeyKind::p256, "mx.example.org"));
        for (const World::File& file : world_.files) scratch_.write(file.name, file.text);
        if (!world_.peer.empty()) {
            const bool v6 = world_.peer.find(':') != std::string::npos;
            scratch_.write("net/remote", world_.peer + "!40000\n");
            scratch_.write("net/local", v6 ? "2001:db8::25!25\n" : "192.0.2.25!25\n");
        }
        // Under the name of the default mailer smtpd looks users up as it would for the real one.
        mailer_.emplace(scratch_, world_.mailer, "libexec/send");
    }

    std::optional<std::string> delivered() const {
        if (world_.real_send) {
            std::optional<std::string> last;
            for (const std::string& file : scratch_.files("state/mail"))
                if (file.find("/new/") != std::string::npos) last = scratch_.read("state/mail/" + file);
            return last;
        }
        const auto runs = mailer_->runs();
        return runs.empty() ? std::nullopt : std::optional(runs.back().message);
    }

    const World& world_;
    Scratch scratch_;
    std::optional<FakeMailer> mailer_;
    std::optional<Session> session_;
};

// One whole exchange but for its last reply: that is for the script's next step.
Result<void> Program::authenticate(const std::vector<std::string>& words) {
    const std::string name = words.empty() ? "PLAIN" : words[0];
    const auto mechanism = sasl::find(name);
    if (!mechanism) return base::fail(Kind::usage, "auth: no such mechanism " + name);
    Stream& wire = session_->wire;
    sasl::Bindings bindings;
    if (wire.tls() != nullptr) bindings = {wire.tls()->exporter(), wire.tls()->end_point()};
    if (*mechanism != sasl::Mechanism::scram_sha_256_plus) bindings = {};
    sasl::Client client(*mechanism, {digests, "ofTheClient", bindings}, words.size() > 1 ? words[1] : "joe",
                        words.size() > 2 ? words[2] : "secret");
    const auto initial = client.initial();
    TRY(wire.send("AUTH " + name + (initial ? " " + base::base64_encode(*initial) : "") + "\r\n"));
    for (;;) {
        const std::string reply = TRY(wire.read_reply());
        if (!reply.starts_with("334 ")) {
            wire.unread(reply);
            return {};
        }
        const auto challenge = base::base64_decode(base::trim(std::string_view(reply).substr(4)));
        if (!challenge) return base::fail(Kind::protocol, "auth: no challenge: " + reply);
        TRY(wire.send(base::base64_encode(TRY(client.respond(*challenge))) + "\r\n"));
    }
}

}  // namespace

Result<std::unique_ptr<Peer>> start_program(const std::string& program, const World& world, Wire wire) {
    auto peer = std::make_unique<Program>(world);
    if (auto started = peer->start(program, wire); !started) return std::unexpected(std::move(started.error()));
    return peer;
}

}  // namespace greylag::test
