// The pages that greylag's programs come from, option by option: each is in our table of options with an argument or without
// as there, and a test that is named here shows its meaning. And the originals' defects: each has a test that shows ours to
// do better.
#include <algorithm>
#include <map>
#include <set>
#include <span>

#include "base/ascii.hh"
#include "cmd/mconnect/options.hh"
#include "cmd/sendmessage/options.hh"
#include "cmd/smtp-source/options.hh"
#include "cmd/smtp/options.hh"
#include "cmd/smtpd/options.hh"
#include "cmd/smtptest/options.hh"
#include "tests/support/scratch.hh"
#include "tests/support/test.hh"

using namespace greylag;

namespace {

struct Seed {
    const char* program;
    std::span<const base::Option> table;
    std::vector<std::string> flags, with_argument;
};

std::vector<std::string> letters(std::string_view text) {
    std::vector<std::string> out;
    for (const char c : text) out.emplace_back(1, c);
    return out;
}

const std::vector<Seed>& seeds() {
    static const std::vector<Seed> all = {
        {"smtp", sender::option_table, letters("aAdfiops"), letters("bghu")},
        {"smtpd", smtpd::option_table, letters("aDdfgprs"), letters("chkmn")},
        {"smtptest", smtptest::option_table, letters("sciv"), letters("tpmauklrfno")},
        {"smtp-source", source::option_table, letters("46AcdLNov"), letters("CfFlmMrRsStTw")},
        {"mconnect", mconnect::option_table, letters("rh"), letters("p")},  // -h: its source, not its page
        // The program does not take a password where everybody can read it.
        {"sendmessage",
         submitter::option_table,
         {},
         {"servers", "ports", "client", "queue", "atleastone", "originator", "recipients", "header", "usetls", "tlspolicy",
          "username", "password-file"}},
    };
    return all;
}

// Which test shows it: a title, or words of a dialogue.
struct Shown {
    const char *options, *file, *words;
};
using Shows = std::vector<Shown>;

const std::map<std::string, Shows>& shows() {
    static const std::map<std::string, Shows> all = {
        {"smtp",
         {{"a u", "tests/e2e/smtp_auth_test.cc", "smtp -a: each mechanism, under TLS"},
          {"A h", "tests/e2e/smtp_test.cc", "smtp: what the words of the command line mean"},
          {"b g", "tests/e2e/smtp_route_test.cc", "smtp: what DNS says decides"},
          {"d p", "tests/e2e/smtp_test.cc", "smtp: -p sends nothing, -d shows everything"},
          {"f", "tests/e2e/smtp_test.cc", "smtp: -f, byte for byte"},
          {"i", "tests/e2e/smtp_auth_test.cc", "smtp -a: no TLS, no password, unless -i"},
          {"o", "tests/e2e/smtp_tls_test.cc", "smtp -s, -o and known: certificates"},
          {"s", "tests/e2e/smtp_tls_test.cc", "smtp -s: STARTTLS where it is offered, in clear where it is not"}}},
        {"smtpd",
         {{"a", "tests/dialog/submission.dialog", "@option -a"},
          {"c", "tests/e2e/auth_test.cc", "auth: no password stays in memory, however it came"},
          {"D", "tests/e2e/policy_test.cc", "-D: strangers wait, the long list longer"},
          {"d", "tests/unit/smtpd_debug_test.cc", "debug: a file of its own, for its owner's eyes"},
          {"f", "tests/dialog/tags.dialog", "suspect envelope domain"},
          {"g", "tests/e2e/grey_test.cc", "greylist: first call, early, in time, white from then on"},
          {"h", "tests/e2e/policy_test.cc", "-h: the mailer hears of the domain"},
          {"k", "tests/e2e/policy_test.cc", "-k: not a byte, not a line, exit 0"},
          {"m", "tests/e2e/mailer_test.cc", "mailer zoo: what it is given, exactly"},
          {"n", "tests/e2e/dns_test.cc", "smtpd: the peer's confirmed name stands in Received and in the log"},
          {"p", "tests/dialog/rows-auth-plain.dialog", "@option -p"},
          {"r", "tests/e2e/dns_test.cc", "smtpd -r: every answer DNS can give about a sender's domain"},
          {"s", "tests/e2e/policy_test.cc", "-s: blocked messages are saved, denied ones are not"}}},
        {"smtptest",
         {{"s l r v", "tests/e2e/smtptest_test.cc", "smtptest: TLS from the first octet, a realm"},
          {"c u", "tests/e2e/smtptest_test.cc", "smtptest: mechanisms that only other servers have"},
          {"m i k o", "tests/e2e/smtptest_test.cc", "smtptest: each mechanism of the server's, by name"},
          {"a t p", "tests/e2e/smtptest_test.cc", "smtptest: STARTTLS, the strongest mechanism, a message"},
          {"f", "tests/e2e/smtptest_test.cc", "smtptest: a file with bare LF goes out as SMTP"},
          {"n", "tests/e2e/smtptest_test.cc", "smtptest: three rounds, and whether TLS was resumed"}}},
        {"smtp-source",
         {{"4 6 C M s T", "tests/unit/source_order_test.cc", "smtp-source: every option of the seed's page has its meaning"},
          {"A m", "tests/unit/source_talk_test.cc", "smtp-source: -A goes on"},
          {"d", "tests/unit/source_talk_test.cc", "smtp-source: -d keeps the connection"},
          {"c S", "tests/e2e/load_test.cc", "load: both put the same message on the wire"},
          {"f t", "tests/e2e/load_test.cc", "load: the messages arrive as they were made"},
          {"F", "tests/unit/source_content_test.cc", "smtp-source: -F sends a file"},
          {"l", "tests/unit/source_content_test.cc", "smtp-source: -l gives so many octets"},
          {"L o", "tests/unit/source_talk_test.cc", "smtp-source: old mode and LMTP"},
          {"N r", "tests/unit/source_content_test.cc", "smtp-source: recipients numbered in both forms"},
          {"R w", "tests/unit/source_talk_test.cc", "smtp-source: pauses and rate are waits, not sleeps"},
          {"v", "tests/unit/source_secure_test.cc", "smtp-source: AUTH"}}},
        {"mconnect",
         {{"p", "tests/e2e/mconnect_test.cc", "mconnect: who cannot be reached, and what is no command line"},
          {"h", "tests/e2e/mconnect_test.cc", "mconnect: TLS from the first octet, a source address"},
          {"r", "tests/e2e/mconnect_test.cc", "mconnect: line ends on the wire, cooked and raw"}}},
        {"sendmessage",
         {{"ports client queue originator recipients header usetls", "tests/e2e/sendmessage_test.cc",
           "sendmessage: options on the wire"},
          {"servers", "tests/e2e/sendmessage_test.cc", "sendmessage: exit statuses, and --json for scripts"},
          {"atleastone", "tests/e2e/sendmessage_test.cc", "sendmessage: through the real smtpd into a mailbox"},
          {"tlspolicy", "tests/e2e/sendmessage_test.cc", "sendmessage: the policy's word, and a command that is asked"},
          {"username password-file", "tests/e2e/sendmessage_test.cc", "sendmessage: a password from a file of one's own"}}},
    };
    return all;
}

// What the originals do wrong, and the test that ours does not.
struct Defect {
    const char *original, *defect, *file, *title;
};
constexpr Defect defects[] = {
    {"smtptest", "-f sends bare LF and waits for no reply", "tests/e2e/smtptest_test.cc",
     "smtptest: a file with bare LF goes out as SMTP, one answer after the other"},
    {"smtptest", "-x sends what it is given, unframed", "tests/e2e/smtptest_test.cc",
     "smtptest: one authenticated session serves several programs on a socket"},
    {"smtptest", "a greeting or EHLO that is refused is waited behind for ever", "tests/e2e/smtptest_test.cc",
     "smtptest: a greeting or an EHLO that is refused is an answer, not a silence"},
    {"smtptest", "after a refused STARTTLS the password goes in clear", "tests/e2e/smtptest_test.cc",
     "smtptest: STARTTLS refused, missing or broken: no password leaves"},
    {"smtptest", "454 to AUTH is taken for a challenge", "tests/e2e/smtptest_test.cc",
     "smtptest: AUTH that is put off, refused, or answered with nonsense"},
    {"smtptest", "no certificate is ever verified", "tests/e2e/smtptest_test.cc",
     "smtptest: a certificate is looked at, and a bad one is fatal where that was asked for"},
    {"smtptest", "-n does not say whether TLS was resumed", "tests/e2e/smtptest_test.cc",
     "smtptest: three rounds, and whether TLS was resumed"},
    {"smtptest", "status 0 whatever happened, nothing for scripts", "tests/e2e/smtptest_test.cc",
     "smtptest: for scripts: JSON, times, the exit status, the process id"},
    {"smtptest", "lines and passwords are cut at 1024 octets", "tests/e2e/smtptest_test.cc",
     "smtptest: long lines of a server's and a long password are whole"},
    {"smtp-source", "-A goes on after a greeting that refuses", "tests/unit/source_talk_test.cc",
     "smtp-source: -A goes on, and not where the greeting says no (the original does)"},
    {"smtp-source", "-A ends with 0 when every message was refused", "tests/unit/source_stats_test.cc",
     "smtp-source: the exit status says the worst"},
    {"smtp-source", "a reply that stalls holds up every session", "tests/e2e/load_test.cc",
     "load: a reply that stalls in the middle of its line holds up no other session"},
    {"smtp-source", "-F doubles carriage returns and adds a line", "tests/unit/source_content_test.cc",
     "smtp-source: -F sends a file, whatever its line ends, dots doubled"},
    {"smtp-source", "a connection that is lost is fatal under -A", "tests/unit/source_talk_test.cc",
     "smtp-source: 421 and 521 take a new connection under -A"},
    {"smtp-source", "port 99999 is refused as a connection", "tests/unit/source_order_test.cc",
     "smtp-source: what cannot be understood names the fault"},
    {"smtp-source", "no figures of any kind", "tests/unit/source_stats_test.cc", "smtp-source: the summary"},
    {"mconnect", "-p25 takes the host for the port; unknown options are silent; 0 for an unknown host",
     "tests/e2e/mconnect_test.cc", "mconnect: who cannot be reached, and what is no command line"},
    {"mconnect", "what comes after the end of input is lost after ten seconds", "tests/e2e/mconnect_test.cc",
     "mconnect: the end of input is the end of our side only, and the server's close ends it"},
    {"smtp", "1: AUTH that fails is ignored", "tests/unit/smtp_client_send_test.cc", "tcllib defect 1: "},
    {"smtp", "2: STARTTLS refused, and all goes in clear", "tests/unit/smtp_client_send_test.cc", "tcllib defect 2: "},
    {"smtp", "3: any certificate is believed", "tests/unit/smtp_client_send_test.cc", "tcllib defect 3: "},
    {"smtp", "4: after 'secure' the error is the greeting", "tests/unit/smtp_client_send_test.cc", "tcllib defect 4: "},
    {"smtp", "5: fields twice, stray lines in the digest", "tests/unit/smtp_client_send_test.cc", "tcllib defect 5: "},
    {"smtp", "6: no AUTH in silence, an option nobody knows", "tests/unit/smtp_client_send_test.cc", "tcllib defect 6: "},
};

// A title that begins with it, or a line of a dialogue that holds it.
bool stands_in(const std::string& file, const std::string& words) {
    const auto text = test::read_whole(file);
    const bool dialogue = file.ends_with(".dialog");
    return text && text->find(dialogue ? words : "TEST_CASE(\"" + words) != std::string::npos;
}

std::set<std::string> words_of(std::string_view text) {
    std::set<std::string> out;
    for (const auto word : base::words(text)) out.emplace(word);
    return out;
}

}  // namespace

TEST_CASE("seeds: every option of every page is ours, with an argument or without as there") {
    for (const Seed& seed : seeds()) {
        const auto takes = [&](const std::string& name, bool argument) {
            INFO(seed.program << " -" << name);
            const auto found = std::find_if(seed.table.begin(), seed.table.end(), [&](const base::Option& one) {
                return one.name == name || (name.size() == 1 && one.letter == name.front());
            });
            REQUIRE(found != seed.table.end());
            CHECK(!found->argument.empty() == argument);
        };
        for (const auto& name : seed.flags) takes(name, false);
        for (const auto& name : seed.with_argument) takes(name, true);
    }
}

TEST_CASE("seeds: every option of every page has a test of its meaning") {
    for (const Seed& seed : seeds()) {
        std::set<std::string> asked(seed.flags.begin(), seed.flags.end()), shown;
        asked.insert(seed.with_argument.begin(), seed.with_argument.end());
        for (const Shown& one : shows().at(seed.program)) {
            INFO((std::string(seed.program) + " " + one.options + ": " + one.words));
            CHECK(stands_in(one.file, one.words));
            shown.merge(words_of(one.options));
        }
        INFO(std::string(seed.program));
        CHECK(shown == asked);
    }
}

TEST_CASE("seeds: every defect of the originals has a test that ours does better") {
    for (const Defect& one : defects) {
        INFO((std::string(one.original) + ": " + one.defect));
        CHECK(stands_in(one.file, one.title));
    }
}
