#include "client/host.hh"

#include "client/route.hh"
#include "sys/host.hh"

namespace greylag::client {

Result<std::vector<mail::IpAddress>> find_host(std::string_view name, Families families, dns::Resolver& resolver) {
    auto found = sys::host_addresses(name);
    if (found.empty()) {
        auto answer = families.v4 && families.v6 ? resolver.addresses(name)
                      : families.v4              ? resolver.take(resolver.ask_a(name))
                                                 : resolver.take(resolver.ask_aaaa(name));
        if (!answer) return std::unexpected(std::move(answer).error());
        found = std::move(answer->records);
    }
    std::erase_if(found, [&](const mail::IpAddress& address) { return !(address.is_v4() ? families.v4 : families.v6); });
    return interleave(found);
}

}  // namespace greylag::client
