// A client that only makes STARTTLS sessions: 220, EHLO, STARTTLS, a whole handshake, EHLO, QUIT. OpenSSL as smtp
// prepares it: the processors are shared, and what the client takes the server cannot have.
//
//   starttls ADDRESS:PORT SESSIONS COUNT    SESSIONS connections at once, COUNT in all; each with a handshake of its own
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "base/ascii.hh"
#include "sys/address.hh"
#include "sys/fd.hh"
#include "sys/listener.hh"
#include "tls/process.hh"

using namespace greylag;

namespace {

class Client {
public:
    Client(const sys::End& server, SSL_CTX* context) : context_(context) {
        sockaddr_storage address{};
        const socklen_t length = sys::socket_address(server, address);
        const void* place = &address;
        fd_.reset(::socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
        const int on = 1;
        ::setsockopt(fd_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        good_ = ::connect(fd_.get(), static_cast<const sockaddr*>(place), length) == 0;
    }
    ~Client() { ::SSL_free(ssl_); }
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;

    bool session() {
        return expect("220") && ask("EHLO bench.home.arpa\r\n", "250") && ask("STARTTLS\r\n", "220") && handshake() &&
               ask("EHLO bench.home.arpa\r\n", "250") && ask("QUIT\r\n", "221");
    }

private:
    bool handshake() {
        ssl_ = ::SSL_new(context_);
        ::SSL_set_fd(ssl_, fd_.get());
        return ::SSL_connect(ssl_) == 1;
    }
    bool ask(std::string_view line, std::string_view code) {
        const int size = static_cast<int>(line.size());
        const auto sent = ssl_ != nullptr ? ::SSL_write(ssl_, line.data(), size) : ::write(fd_.get(), line.data(), line.size());
        return sent == size && expect(code);
    }
    bool expect(std::string_view code) {
        char room[4096];
        std::size_t have = 0;
        while (good_ && have < sizeof room) {
            const auto left = sizeof room - have;
            const auto got =
                ssl_ != nullptr ? ::SSL_read(ssl_, room + have, static_cast<int>(left)) : ::read(fd_.get(), room + have, left);
            if (got <= 0) return false;
            have += static_cast<std::size_t>(got);
            const std::string_view said(room, have);
            const auto last = said.rfind('\n', have - 2);
            const auto line = said.substr(last == std::string_view::npos ? 0 : last + 1);
            if (said.ends_with("\r\n") && line.size() > 3 && line[3] != '-') return said.starts_with(code);
        }
        return false;
    }
    SSL_CTX* context_;
    SSL* ssl_ = nullptr;
    sys::Fd fd_;
    bool good_ = false;
};

int one_after_the_other(const sys::End& server, unsigned count) {
    tls::own_process();
    SSL_CTX* context = ::SSL_CTX_new(::TLS_client_method());
    for (unsigned i = 0; i < count; ++i)
        if (!Client(server, context).session()) return 1;
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    const std::vector<std::string_view> words(argv + 1, argv + argc);
    const auto where = words.size() == 3 ? sys::ListenAddress::parse(words[0]) : base::fail(Kind::usage, "");
    if (!where || !where->address) return std::fputs("usage: starttls ADDRESS:PORT SESSIONS COUNT\n", stderr), 64;
    const sys::End server{*where->address, where->port};
    const unsigned sessions = base::parse_number<unsigned>(words[1]).value_or(1);
    const unsigned count = base::parse_number<unsigned>(words[2]).value_or(1);
    for (unsigned i = 0; i < sessions; ++i)
        if (::fork() == 0) ::_exit(one_after_the_other(server, (count + i) / sessions));
    int failed = 0;
    for (int status = 0; ::wait(&status) > 0;) failed += status != 0 ? 1 : 0;
    if (failed != 0) std::fprintf(stderr, "starttls: %d of %u sessions failed\n", failed, sessions);
    return failed != 0 ? 1 : 0;
}
