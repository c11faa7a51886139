#include "grey/names.hh"

#include "base/ascii.hh"
#include "base/escape.hh"
#include "secret/digest.hh"

namespace greylag::grey {

namespace {
constexpr std::size_t longest = 200;  // NAME_MAX is 255
constexpr std::size_t kept = 120;
}  // namespace

mail::Cidr network_of(const mail::IpAddress& caller, const Grouping& grouping) {
    return mail::Cidr(caller, static_cast<int>(caller.is_v4() ? grouping.net4 : grouping.net6));
}

std::string recipient_name(std::string_view address) {
    const std::string text = base::lower(address);
    std::string name = base::file_name(text);
    if (name.size() <= longest) return name;
    const std::string digest = secret::hex(secret::digest(text));
    name.resize(kept);
    return name + "~" + digest;
}

RecordName record_name(const std::optional<mail::IpAddress>& local, const mail::Cidr& caller, const mail::Path& recipient) {
    return {local ? local->text() : "unknown", caller.address().text(), recipient_name(recipient.text())};
}

}  // namespace greylag::grey
