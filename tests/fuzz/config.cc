// Any bytes as a configuration file: no crash, faults lie inside the file, and what parses without a fault shows as a file that
// parses to the same settings.
#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include "config/settings.hh"

using namespace greylag;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string bytes(data, data + size);
    const auto lines = std::count(bytes.begin(), bytes.end(), '\n') + 1;
    const config::Loaded loaded = config::parse(bytes, "fuzz");
    unsigned last = 1;
    for (const config::Fault& fault : loaded.faults) {
        if (fault.line < last || fault.line > lines || fault.what.empty()) std::abort();
        last = fault.line;
    }
    if (!loaded.faults.empty()) return 0;
    const std::string shown = config::as_file(loaded.settings);
    const config::Loaded again = config::parse(shown, "again");
    if (!again.faults.empty() || config::as_file(again.settings) != shown) std::abort();
    return 0;
}
