// White or not, called before or not, asked in a fresh process each time: the files of ours beside other people's servers.
//
//   lookup fill-white STATE N        a whitelist of N lines and its index
//   lookup fill-grey STATE FROM TO   records FROM to TO, twenty recipients a network
//   lookup nop | white STATE I | grey STATE I | redis SOCKET I | postgrey SOCKET I
//   lookup time RUNS N WHAT PLACE... runs "lookup WHAT PLACE I" RUNS times, each in turn, half with an I below N; a line each:
//                                    median CPU us, median wall us
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <vector>

#include "base/ascii.hh"
#include "grey/records.hh"
#include "grey/whitelist.hh"
#include "sys/clock.hh"
#include "sys/file.hh"
#include "sys/io.hh"

using namespace greylag;

namespace {

using Number = std::uint64_t;

Number number(const char* text) { return base::parse_number<Number>(text).value_or(0); }

// Scattered, and the same for the same i: 60 % hosts, 20 % /24, 10 % IPv6 hosts, 10 % /48.
mail::Cidr network(Number i) {
    const Number x = (i + 1) * 0x9e3779b97f4a7c15u;
    const auto octet = [x](unsigned n) { return static_cast<std::uint8_t>(x >> (8 * n)); };
    if (i % 10 < 8) return mail::Cidr(mail::IpAddress::v4({octet(7), octet(6), octet(5), octet(4)}), i % 10 < 6 ? 32 : 24);
    std::array<std::uint8_t, 16> bytes{0x2a, octet(7), octet(6), octet(5), octet(4), octet(3)};
    if (i % 10 == 8) bytes[15] = 1;
    return mail::Cidr(mail::IpAddress::v6(bytes), i % 10 == 8 ? 128 : 48);
}

int fill_white(const std::string& state, Number count) {
    if (!sys::make_directories(sys::join(state, "grey"))) return 1;
    std::string text;
    for (Number i = 0; i < count; ++i) text += network(i).text() + "\n";
    grey::Whitelist list(state);
    return sys::replace_file(list.path(), text, 0600) && list.rebuild().value_or(false) ? 0 : 1;
}

grey::RecordName record(Number i) {
    const Number caller = i / 20;
    return {"192.0.2.25",
            mail::IpAddress::v4({10, static_cast<std::uint8_t>(caller >> 16), static_cast<std::uint8_t>(caller >> 8),
                                 static_cast<std::uint8_t>(caller)})
                .text(),
            grey::recipient_name("user" + std::to_string(i % 20) + "@example.org")};
}

int call(const std::string& state, Number i) { return grey::Records(state).call(record(i), sys::wall_millis(), {}) ? 0 : 1; }

int fill_grey(const std::string& state, Number from, Number to) {
    if (!sys::make_directories(state)) return 1;
    for (Number i = from; i < to; ++i)
        if (call(state, i) != 0) return 1;
    return 0;
}

// Says `question`, waits for an answer that ends in a line end.
int converse(const char* path, const std::string& question) {
    const sys::Fd fd(::socket(AF_UNIX, SOCK_STREAM, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path, sizeof address.sun_path - 1);
    if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) < 0) return 1;
    if (!sys::write_all(fd.get(), question, sys::Deadline::in(base::Seconds(5)))) return 1;
    char room[512];
    const auto got = sys::read_some(fd.get(), room, sys::Deadline::in(base::Seconds(5)));
    return got && *got > 0 ? 0 : 1;
}

int redis(const char* path, Number i) {
    const auto name = record(i);
    return converse(path, "SET " + name.remote + "/" + name.recipient + " 1800000000 NX EX 50400\r\n");
}

int postgrey(const char* path, Number i) {
    const auto name = record(i);
    return converse(path, "request=smtpd_access_policy\nprotocol_state=RCPT\nprotocol_name=ESMTP\nclient_address=" + name.remote +
                              "\nclient_name=unknown\nsender=a@b.example\nrecipient=" + name.recipient + "\ninstance=1\n\n");
}

struct Subject {
    const char* what;
    const char* place;
    std::vector<double> cpu, wall;
};

double microseconds(const timeval& t) { return static_cast<double>(t.tv_sec) * 1e6 + static_cast<double>(t.tv_usec); }

double median(std::vector<double> values) {
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::nth_element(values.begin(), middle, values.end());
    return *middle;
}

bool run(const char* program, Subject& subject, Number i) {
    std::string index = std::to_string(i);
    const char* argv[] = {program, subject.what, subject.place, index.c_str(), nullptr};
    const auto begin = std::chrono::steady_clock::now();
    const pid_t pid = ::vfork();
    if (pid == 0) {
        ::execv(program, const_cast<char* const*>(argv));
        ::_exit(127);
    }
    int status = 0;
    rusage usage{};
    ::wait4(pid, &status, 0, &usage);
    subject.wall.push_back(std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - begin).count());
    subject.cpu.push_back(microseconds(usage.ru_utime) + microseconds(usage.ru_stime));
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

int time_all(int argc, char** argv) {
    const Number runs = number(argv[2]), known = number(argv[3]);
    std::vector<Subject> subjects;
    for (int i = 4; i + 1 < argc; i += 2) subjects.push_back({argv[i], argv[i + 1], {}, {}});
    for (Number r = 0; r < runs; ++r) {
        const Number scattered = r * 0x9e3779b9u;
        for (auto& subject : subjects)
            if (!run("/proc/self/exe", subject, r % 2 == 0 ? scattered % known : known + r))
                return std::fprintf(stderr, "lookup: %s %s failed\n", subject.what, subject.place), 1;
    }
    for (const auto& s : subjects) std::printf("%.0f %.0f %s\n", median(s.cpu), median(s.wall), s.what);
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    const std::string_view what = argc > 1 ? argv[1] : "";
    if (what == "nop") return 0;
    if (what == "time" && argc > 5) return time_all(argc, argv);
    if (argc == 4 && what == "fill-white") return fill_white(argv[2], number(argv[3]));
    if (argc == 5 && what == "fill-grey") return fill_grey(argv[2], number(argv[3]), number(argv[4]));
    if (argc == 4 && what == "white") return grey::Whitelist(argv[2]).contains(network(number(argv[3])).address()) ? 0 : 1;
    if (argc == 4 && what == "grey") return call(argv[2], number(argv[3]));
    if (argc == 4 && what == "redis") return redis(argv[2], number(argv[3]));
    if (argc == 4 && what == "postgrey") return postgrey(argv[2], number(argv[3]));
    std::fputs("usage: lookup WHAT PLACE I | fill-white STATE N | fill-grey STATE FROM TO | time RUNS N WHAT PLACE...\n", stderr);
    return 64;
}
