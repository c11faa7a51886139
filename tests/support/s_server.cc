#include "tests/support/s_server.hh"

#include "base/ascii.hh"
#include "sys/io.hh"

namespace greylag::test {

OpensslServer::OpensslServer(const std::string& identity, std::vector<std::string> more) {
    scratch_.write("identity.pem", identity);
    auto pipe = must(sys::make_pipe());
    sys::Command command;
    command.path = find_program("openssl");
    command.arguments = {
        "s_server", "-accept", "127.0.0.1:0", "-cert", scratch_.at("identity.pem"), "-key", scratch_.at("identity.pem"), "-rev"};
    command.arguments.insert(command.arguments.end(), more.begin(), more.end());
    command.environment = {"PATH=/usr/bin:/bin"};
    command.out = pipe.write.get();
    child_.push_back(must(sys::Child::spawn(command)));
    pipe.write.reset();
    said_ = std::move(pipe.read);
    std::string text;
    constexpr std::string_view word = "ACCEPT 127.0.0.1:";
    for (;;) {
        const auto at = text.find(word);
        const auto end = at == std::string::npos ? at : text.find('\n', at);
        if (end != std::string::npos) {
            port_ = base::parse_number<std::uint16_t>(std::string_view(text).substr(at + word.size(), end - at - word.size()))
                        .value_or(0);
            return;
        }
        char room[512];
        const std::size_t got = must(sys::read_some(said_.get(), room, soon()));
        if (got == 0) throw std::runtime_error("openssl s_server ended: " + text);
        text.append(room, got);
    }
}

}  // namespace greylag::test
