// c-ares behind values. Everything used here is in 1.18.1; what later releases deprecate of it they still carry.
#include "dns/channel.hh"

#include <algorithm>

#include "sys/io.hh"

namespace greylag::dns {

using sys::Deadline;

namespace {

void answered(void* argument, int status, int, unsigned char* packet, int length) {
    auto& question = *static_cast<Question*>(argument);
    question.done = true;
    question.status = status;
    if (packet != nullptr && length > 0)
        question.packet.assign(reinterpret_cast<char*>(packet), static_cast<std::size_t>(length));
}

std::string list(const std::vector<NameServer>& servers) {
    std::string out;
    for (const auto& server : servers) out += (out.empty() ? "" : ",") + server.text();
    return out;
}

}  // namespace

std::string reason(int status) {
    switch (status) {
        case ARES_ETIMEOUT: return "no name server answered in time";
        case ARES_ECONNREFUSED: return "no name server gives an answer";
        default: return ::ares_strerror(status);
    }
}

std::vector<NameServer> servers_of(ares_channel channel) {
    std::vector<NameServer> out;
    ares_addr_port_node* servers = nullptr;
    if (::ares_get_servers_ports(channel, &servers) != ARES_SUCCESS) return out;
    for (const auto* s = servers; s != nullptr; s = s->next) {
        const auto* bytes = reinterpret_cast<const std::uint8_t*>(&s->addr);
        NameServer server;
        if (s->family == AF_INET) {
            server.address = mail::IpAddress::v4({bytes[0], bytes[1], bytes[2], bytes[3]});
        } else {
            std::array<std::uint8_t, 16> v6{};
            std::copy_n(bytes, v6.size(), v6.begin());
            server.address = mail::IpAddress::v6(v6);
        }
        if (s->udp_port > 0) server.port = static_cast<std::uint16_t>(s->udp_port);
        out.push_back(server);
    }
    ::ares_free_data(servers);
    return out;
}

Result<void> Channel::open(const Settings& settings, int flags) {
    ares_options options{};
    char lookups[] = "b";
    options.flags = flags;
    // Each further round of tries waits twice as long: three rounds fit into the whole time, the last one cut short by it.
    options.timeout = std::max(1, static_cast<int>(settings.timeout.count() / 5));
    options.tries = 4;
    options.lookups = lookups;
    options.ndomains = 0;
    const int wanted = ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_LOOKUPS | ARES_OPT_DOMAINS;
    int status = ::ares_init_options(&channel_, &options, wanted);
    if (status != ARES_SUCCESS) channel_ = nullptr;
    if (status == ARES_SUCCESS && !settings.nameservers.empty())
        status = ::ares_set_servers_ports_csv(channel_, list(settings.nameservers).c_str());
    if (status != ARES_SUCCESS)
        return base::fail_later(Kind::unavailable, "the resolver cannot be started: " + reason(status), status);
    return {};
}

// ares_query would turn NXDOMAIN into a status without a packet and cannot ask for AD. The id is c-ares's own.
void Channel::send(const std::string& packet, Question& question) {
    ::ares_send(channel_, reinterpret_cast<const unsigned char*>(packet.data()), static_cast<int>(packet.size()), answered,
                &question);
}

Result<void> Channel::turn(Deadline deadline) {
    ares_socket_t sockets[ARES_GETSOCK_MAXNUM];
    const auto bits = static_cast<unsigned>(::ares_getsock(channel_, sockets, ARES_GETSOCK_MAXNUM));
    std::vector<sys::Interest> interests;
    for (unsigned i = 0; i < ARES_GETSOCK_MAXNUM; ++i) {
        const bool read = ((bits >> i) & 1u) != 0, write = ((bits >> (i + ARES_GETSOCK_MAXNUM)) & 1u) != 0;
        if (read || write) interests.push_back({sockets[i], read, write});
    }
    timeval room{};
    if (const timeval* next = ::ares_timeout(channel_, nullptr, &room))
        deadline = Deadline::earlier(deadline, Deadline::in(base::Millis(next->tv_sec * 1000 + (next->tv_usec + 999) / 1000)));
    static_cast<void>(TRY(sys::wait_any(interests, deadline)));
    for (const auto& i : interests)
        if (i.read || i.write) ::ares_process_fd(channel_, i.read ? i.fd : ARES_SOCKET_BAD, i.write ? i.fd : ARES_SOCKET_BAD);
    ::ares_process_fd(channel_, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    return {};
}

Result<void> Channel::wait(const Question& question, Deadline deadline) {
    deadline = Deadline::earlier(deadline, question.until);
    // At least one turn, also when the time is over: the answer may lie in the socket since long.
    for (bool late = false; !question.done && !late;) {
        late = deadline.passed();
        TRY(turn(deadline));
    }
    if (!question.done) return base::fail_later(Kind::timeout, "no answer in time");
    return {};
}

}  // namespace greylag::dns
