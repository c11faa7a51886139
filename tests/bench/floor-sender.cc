// The least a sender can be: one message from standard input to 127.0.0.1, no answer looked at but for its end. What smtp takes
// beyond it is smtp's.
//
//   floor-sender PORT FROM TO
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

namespace {

// Reads until `text` has been said, in a line that is an answer's last.
bool hears(int fd, std::string& heard, std::string_view text) {
    char room[4096];
    while (heard.find(text) == std::string::npos) {
        const ssize_t n = ::read(fd, room, sizeof room);
        if (n <= 0) return false;
        heard.append(room, static_cast<std::size_t>(n));
    }
    return true;
}

bool says(int fd, const std::string& text) { return ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()); }

}  // namespace

int main(int argc, char** argv) {
    if (argc != 4) return 64;
    char room[8192];
    const ssize_t size = ::read(0, room, sizeof room);
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    sockaddr_in server{};
    server.sin_family = AF_INET;
    server.sin_port = htons(static_cast<std::uint16_t>(std::atoi(argv[1])));
    server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const void* place = &server;
    if (size < 0 || ::connect(fd, static_cast<const sockaddr*>(place), sizeof server) != 0) return 75;
    std::string message;
    for (const char c : std::string_view(room, static_cast<std::size_t>(size))) message += c == '\n' ? "\r\n" : std::string(1, c);
    std::string heard;
    const std::string envelope = "MAIL FROM:<" + std::string(argv[2]) + ">\r\nRCPT TO:<" + argv[3] + ">\r\nDATA\r\n";
    const bool sent = hears(fd, heard, "220 ") && says(fd, "EHLO client.home.arpa\r\n") && hears(fd, heard, "\n250 ") &&
                      says(fd, envelope) && hears(fd, heard, "\n354 ") && says(fd, message + ".\r\nQUIT\r\n") &&
                      hears(fd, heard, "\n221 ");
    return sent ? 0 : 75;
}
