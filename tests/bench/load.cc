// A client that only makes work: raw octets, one command at a time as most senders speak, each answer checked.
//
//   load ADDRESS:PORT SESSIONS MESSAGES LENGTH    SESSIONS connections at once, one message each, MESSAGES in all
//                                                 (LENGTH none: 220 and QUIT only)
//   load --hold ADDRESS:PORT SESSIONS             as many greeted connections, held until standard input ends
//   load --knock ADDRESS:PORT SESSIONS            the same, not waiting for any greeting
//   load --free                                   prints a port of loopback that nobody uses
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "base/ascii.hh"
#include "sys/address.hh"
#include "sys/io.hh"
#include "sys/listener.hh"

using namespace greylag;

namespace {

constexpr base::Millis patience{60'000};
constexpr std::size_t block_size = 256 << 10;

std::string text_block(std::size_t length) {
    const std::string line = std::string(78, 'x') + "\r\n";
    std::string block;
    while (block.size() + line.size() <= length) block += line;
    return block;
}

class Client {
public:
    explicit Client(const sys::End& server) {
        sockaddr_storage address{};
        const socklen_t length = sys::socket_address(server, address);
        const void* place = &address;
        fd_.reset(::socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
        const int on = 1;
        ::setsockopt(fd_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        good_ = ::connect(fd_.get(), static_cast<const sockaddr*>(place), length) == 0;
    }

    bool good(bool greeted) { return greeted ? expect('2') : good_; }
    bool send(std::string_view bytes) { return good_ = good_ && sys::write_all(fd_.get(), bytes, sys::Deadline::in(patience)); }
    bool expect(char first) {
        char reply[4096];
        std::size_t have = 0;
        for (;;) {
            if (!good_ || have == sizeof reply) return good_ = false;
            const auto got = sys::read_some(fd_.get(), {reply + have, sizeof reply - have}, sys::Deadline::in(patience));
            if (!got || *got == 0) return good_ = false;
            have += *got;
            if (last_line_ended({reply, have})) return good_ = reply[0] == first;
        }
    }

    bool nothing() { return expect('2') && send("QUIT\r\n") && expect('2'); }
    bool message(std::string_view block, std::size_t length) {
        expect('2');
        for (const std::string_view command :
             {"HELO bench.home.arpa\r\n", "MAIL FROM:<from@bench.test>\r\n", "RCPT TO:<to@bench.test>\r\n"})
            send(command) && expect('2');
        send("DATA\r\n") && expect('3');
        send("Subject: bench\r\n\r\n");
        for (std::size_t sent = 0; good_ && sent < length; sent += block.size()) send(block.substr(0, length - sent));
        // A block may have been cut inside a line.
        send("\r\n.\r\n") && expect('2') && send("QUIT\r\n") && expect('2');
        return good_;
    }

private:
    static bool last_line_ended(std::string_view reply) {
        if (!reply.ends_with("\r\n")) return false;
        const auto before = reply.substr(0, reply.size() - 2).rfind('\n');
        const auto line = reply.substr(before == std::string_view::npos ? 0 : before + 1);
        return line.size() > 3 && line[3] != '-';
    }
    sys::Fd fd_;
    bool good_ = false;
};

int load(const sys::End& server, unsigned sessions, unsigned messages, std::optional<std::size_t> length) {
    const std::string block = text_block(std::max<std::size_t>(std::min(length.value_or(0), block_size), 80));
    for (unsigned i = 0; i < sessions; ++i) {
        if (::fork() != 0) continue;
        for (unsigned m = i; m < messages; m += sessions)
            if (Client client(server); !(length ? client.message(block, *length) : client.nothing())) ::_exit(1);
        ::_exit(0);
    }
    int failed = 0;
    for (int status = 0; ::wait(&status) > 0;) failed += status != 0 ? 1 : 0;
    if (failed != 0) std::fprintf(stderr, "load: %d of %u sessions failed\n", failed, sessions);
    return failed != 0 ? 1 : 0;
}

int hold(const sys::End& server, unsigned sessions, bool greeted) {
    std::vector<Client> clients;
    for (unsigned i = 0; i < sessions; ++i)
        if (!clients.emplace_back(server).good(greeted)) return std::fputs("load: no greeting\n", stderr), 1;
    std::puts("held");
    std::fflush(stdout);
    char rest[64];
    while (::read(0, rest, sizeof rest) > 0) {}
    return 0;
}

int free_port() {
    auto sockets = sys::listen_on({mail::IpAddress::v4({127, 0, 0, 1}), 0});
    if (!sockets) return 1;
    const std::string bound = sys::bound_address(sockets->front().get());
    std::puts(bound.substr(bound.rfind(':') + 1).c_str());
    return 0;
}

std::optional<sys::End> server_at(std::string_view text) {
    const auto where = sys::ListenAddress::parse(text);
    if (!where || !where->address) return std::nullopt;
    return sys::End{*where->address, where->port};
}

}  // namespace

int main(int argc, char** argv) {
    const std::vector<std::string_view> words(argv + 1, argv + argc);
    if (words.size() == 1 && words[0] == "--free") return free_port();
    const bool holds = words.size() == 3 && (words[0] == "--hold" || words[0] == "--knock");
    const auto server = holds ? server_at(words[1]) : words.size() == 4 ? server_at(words[0]) : std::nullopt;
    const auto number = [&](std::size_t i) { return base::parse_number<unsigned>(words[i]).value_or(0); };
    if (!server)
        return std::fputs("usage: load ADDRESS:PORT SESSIONS MESSAGES LENGTH | --hold|--knock ADDRESS:PORT SESSIONS | --free\n",
                          stderr),
               64;
    if (holds) return hold(*server, number(2), words[0] == "--hold");
    return load(*server, number(1), number(2), base::parse_number<std::size_t>(words[3]));
}
