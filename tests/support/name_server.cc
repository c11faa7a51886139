#include "tests/support/name_server.hh"

#include <fcntl.h>

#include <stdexcept>

#include "base/ascii.hh"
#include "dns/resolver.hh"
#include "tests/support/spawn.hh"

namespace greylag::test {

namespace {

std::string owner_of(const ZoneRecord& record) {
    return record.type == "PTR" ? DnsResponder::reverse_name(record.owner) : record.owner;
}

bool holds_name(const std::string& type) { return type == "MX" || type == "CNAME" || type == "PTR"; }

bool is_within(const std::string& name, const std::string& zone) { return name == zone || name.ends_with("." + zone); }

std::string zone_file(const std::string& zone, const std::vector<ZoneRecord>& records) {
    std::string text = zone + ". 60 IN SOA ns." + zone + ". root." + zone + ". 1 3600 600 86400 60\n" + zone + ". 60 IN NS ns." +
                       zone + ".\nns." + zone + ". 60 IN A 127.0.0.1\n";
    for (const auto& record : records)
        if (is_within(owner_of(record), zone))
            text += owner_of(record) + ". 60 IN " + record.type + " " + record.data + (holds_name(record.type) ? ".\n" : "\n");
    return text;
}

std::string nsd_configuration(const std::string& dir, const std::string& address, const std::vector<std::string>& zones) {
    std::string text = "server:\n ip-address: " + address + "@53\n username: \"\"\n zonesdir: \"" + dir +
                       "\"\n database: \"\"\n pidfile: \"\"\n server-count: 1\n cookie-secret-file: \"\"\n xfrdfile: \"" + dir +
                       "/xfrd\"\n zonelistfile: \"" + dir + "/zones\"\nremote-control:\n control-enable: no\n";
    for (const auto& zone : zones) text += "zone:\n name: " + zone + "\n zonefile: " + zone + ".zone\n";
    return text;
}

std::string knot_configuration(const std::string& dir, const std::string& address, const std::vector<std::string>& zones) {
    std::string text = "server:\n  listen: " + address + "@53\n  rundir: " + dir +
                       "\n  udp-workers: 1\n  tcp-workers: 1\n  background-workers: 1\ndatabase:\n  storage: " + dir +
                       "\nzone:\n";
    for (const auto& zone : zones)
        text += "  - domain: " + zone + "\n    storage: " + dir + "\n    file: " + zone + ".zone\n    zonefile-sync: -1\n";
    return text;
}

}  // namespace

void add(DnsResponder& to, const ZoneRecord& record) {
    if (record.type == "MX") {
        const std::size_t space = record.data.find(' ');
        const auto preference = base::parse_number<std::uint16_t>(std::string_view(record.data).substr(0, space));
        return to.mx(record.owner, preference.value_or(0), space + 1 < record.data.size() ? record.data.substr(space + 1) : ".");
    }
    if (record.type == "A" || record.type == "AAAA") return to.address(record.owner, record.data);
    if (record.type == "CNAME") return to.cname(record.owner, record.data);
    if (record.type == "PTR") return to.ptr(record.owner, record.data);
    if (record.type == "TXT") return to.txt(record.owner, record.data.substr(1, record.data.size() - 2));
    throw std::runtime_error("no record of type " + record.type);
}

std::vector<NameServer::Kind> NameServer::here() {
    std::vector<Kind> all;
    if (!find_program("nsd").empty()) all.push_back(Kind::nsd);
    if (!find_program("knotd").empty()) all.push_back(Kind::knot);
    all.push_back(Kind::responder);
    return all;
}

const char* NameServer::name(Kind kind) {
    switch (kind) {
        case Kind::nsd: return "nsd";
        case Kind::knot: return "knotd";
        case Kind::responder: break;
    }
    return "our responder";
}

NameServer::NameServer(Kind kind, const std::string& address, const std::vector<std::string>& zones,
                       const std::vector<ZoneRecord>& records) {
    for (const auto& record : records) {
        bool inside = false;
        for (const auto& zone : zones) inside = inside || is_within(owner_of(record), zone);
        if (!inside) throw std::runtime_error(owner_of(record) + " is in no zone");
    }
    // The children of one that was killed hold the port until each of them has died; knotd ends at once when it is taken.
    if (!eventually([&] { return DnsResponder::is_free(address, 53); }))
        throw std::runtime_error("port 53 of " + address + " stays taken");
    if (kind == Kind::responder) {
        responder_ = std::make_unique<DnsResponder>(address, 53);
        for (const auto& record : records) add(*responder_, record);
        return;
    }
    for (const auto& zone : zones) scratch_.write(zone + ".zone", zone_file(zone, records));
    start(kind, address, zones);
}

void NameServer::start(Kind kind, const std::string& address, const std::vector<std::string>& zones) {
    scratch_.write("conf", kind == Kind::nsd ? nsd_configuration(scratch_.path(), address, zones)
                                             : knot_configuration(scratch_.path(), address, zones));
    sys::Command command;
    command.path = find_program(name(kind));
    command.arguments = {"-c", scratch_.at("conf")};
    if (kind == Kind::nsd) command.arguments.emplace_back("-d");
    scratch_.write("log", "");
    const sys::Fd log(::open(scratch_.at("log").c_str(), O_WRONLY | O_APPEND | O_CLOEXEC));
    command.out = command.err = log.get();
    child_ = must(sys::Child::spawn(command));
    // It listens before it has read its zones, and says SERVFAIL meanwhile.
    for (const auto& zone : zones) {
        const bool ready = eventually([&] {
            dns::Resolver resolver({{{must(mail::IpAddress::parse(address)), 53}}, base::Millis(1000)});
            const auto said = resolver.take(resolver.ask_a("ns." + zone));
            return said && !said->records.empty();
        });
        if (!ready)
            throw std::runtime_error(std::string(name(kind)) + " does not answer for " + zone + ": " +
                                     scratch_.read("log").value_or(""));
    }
}

}  // namespace greylag::test
