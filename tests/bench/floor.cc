// The least a program of our kind can be: it greets, waits for one command and leaves. What smtpd takes beyond it is smtpd's.
#include <unistd.h>

#include <string_view>

int main() {
    constexpr std::string_view greeting = "220 floor ESMTP\r\n";
    char command[512];
    if (::write(1, greeting.data(), greeting.size()) < 0) return 1;
    return ::read(0, command, sizeof command) < 0 ? 1 : 0;
}
