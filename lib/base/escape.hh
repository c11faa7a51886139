// Text from strangers made safe to show and to store.
#pragma once
#include <string>
#include <string_view>

namespace greylag::base {

// For logs and replies: printable ASCII as it is, backslash as \\, everything else as \xNN. At most `limit`
// bytes of output; longer text is cut and ends in "...". Never contains a control byte.
std::string printable(std::string_view text, std::size_t limit = 1024);

// printable() with \" for the quote, between double quotes (beyond the limit): what a log line carries.
std::string quoted(std::string_view text, std::size_t limit = 1024);

// A JSON string with its quotes. Bytes that are not valid UTF-8 become \u00NN of the byte.
std::string json_string(std::string_view text);

// A name that can be one component of a path: ASCII lower case, every byte outside [a-z0-9@._+=-] as %XX
// (upper-case hex), a leading dot as %2E. Never empty ("%" stands for the empty text), never "." or "..",
// never with '/' or NUL. Two texts that differ in more than ASCII case have different names. Length is not limited here.
std::string file_name(std::string_view text);

}  // namespace greylag::base
