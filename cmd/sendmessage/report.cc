#include "cmd/sendmessage/report.hh"

#include <algorithm>

#include "base/escape.hh"

namespace greylag::submitter {

namespace {

using smtp_client::Failure;
using smtp_client::Refusal;

std::string joined(int code, const std::string& enhanced, const std::string& text) {
    std::string out = std::to_string(code);
    if (!enhanced.empty()) out += " " + enhanced;
    return text.empty() ? out : out + " " + text;
}

std::string place(const smtp_client::Server& server) {
    const bool bare_v6 = server.host.find(':') != std::string::npos;
    return (bare_v6 ? "[" + server.host + "]" : server.host) + ":" + std::to_string(server.port);
}

// {"recipient":"a@b","status":"refused","code":550,"enhanced":"5.1.1","text":"no such user"}
std::string object(const std::string& first, int code, const std::string& enhanced, const std::string& text) {
    std::string out = "{" + first + ",\"code\":" + std::to_string(code);
    if (!enhanced.empty()) out += ",\"enhanced\":" + base::json_string(enhanced);
    return out + ",\"text\":" + base::json_string(text) + "}\n";
}

std::string recipient(const std::string& address, const char* status) {
    return "\"recipient\":" + base::json_string(address) + ",\"status\":\"" + status + "\"";
}

std::string json_lines(const Outcome& outcome, int status) {
    std::string out;
    const std::string exit = ",\"exit\":" + std::to_string(status);
    for (const auto& r : outcome ? outcome->refused : outcome.error().refused)
        out += object(recipient(r.address, "refused"), r.code, r.enhanced, r.text);
    if (!outcome) {
        const auto& f = outcome.error();
        const std::string server = f.server.host.empty() ? "" : ",\"server\":" + base::json_string(place(f.server));
        return out + object("\"result\":\"failed\"" + exit + server, f.code, f.enhanced, f.text);
    }
    const auto& reply = outcome->reply;
    for (const auto& address : outcome->accepted)
        out += object(recipient(address, "accepted"), reply.code, reply.enhanced, reply.text());
    return out + object("\"result\":\"sent\"" + exit + ",\"server\":" + base::json_string(place(outcome->server)), reply.code,
                        reply.enhanced, reply.text());
}

}  // namespace

int status_of(const Outcome& outcome, bool at_least_one) {
    if (!outcome) return smtp_client::exit_status(outcome.error().kind);
    if (outcome->refused.empty() || at_least_one) return 0;
    const bool never =
        std::any_of(outcome->refused.begin(), outcome->refused.end(), [](const Refusal& r) { return r.code >= 500; });
    return smtp_client::exit_status(never ? Failure::Kind::refused : Failure::Kind::later);
}

std::string result_lines(const Outcome& outcome, bool at_least_one, bool json) {
    if (json) return json_lines(outcome, status_of(outcome, at_least_one));
    std::string out;
    for (const auto& r : outcome ? outcome->refused : outcome.error().refused)
        out += base::printable(r.address) + " " + joined(r.code, r.enhanced, r.text) + "\n";
    return out;
}

std::string complaint(const Outcome& outcome) {
    std::string out;
    if (outcome) {
        for (const auto& note : outcome->notes) out += "sendmessage: " + note + "\n";
        return out;
    }
    const auto& f = outcome.error();
    out = "sendmessage: ";
    // Our own sentences name the server where there is one.
    if (f.code != 0 && !f.server.host.empty()) out += place(f.server) + ": ";
    return out + (f.code != 0 ? joined(f.code, f.enhanced, f.text) : f.text) + "\n";
}

}  // namespace greylag::submitter
