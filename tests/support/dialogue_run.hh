// Runs a dialogue (smtp/dialogue.hh) against a peer: the real program, or the pure session in memory. Both see the same world,
// described by the script's @ lines; both are judged by the same comparison.
//
//   @option -r -h mx.example     further words of the command line; $WORLD is the world's directory (in @config, too);
//                                $WORLD/mx.pem is a certificate
//   @config <<END                appended to the configuration; `[smtpd] domain` and all of [paths] and [log] are taken
//   @user joe | @user joe@dom    a local user, of example.org when nothing else is said
//   @password joe secret         joe can log in: $WORLD/users has him, with every mechanism
//   @alias name: target          a line of the alias file
//   @file name <<END             a file $WORLD/name
//   @peer 192.0.2.7              the client's address (-n); without it the peer is unknown
//   @mailer exit 75 [TEXT]       the mailer ends so and says TEXT on standard error; also `signal N`, `hang` and the other words
//                                of fake_mailer.hh; repeatable. Without it: exit 0
//   @mailer send                 the real one: @delivered then looks into the Maildir
//   @only program | @only memory
//   @exit 78                     the exit status of the program, 0 when nothing is said
//   @delivered <<END             the last message given to the mailer; a line "~ TEXT" stands for any line that begins with TEXT.
//                                A block that does not begin with "From " or "~ From " leaves out the From line and the first
//                                Received field, which the server put in front
//   @delivered none              the mailer was not started
//   @log word key=value ...      a log line has this word and these fields; values with blanks in double quotes
//   @log! word key=value ...     no log line has
#pragma once
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "smtp/dialogue.hh"
#include "tests/support/must.hh"

namespace greylag::test {

struct World {
    struct Delivered {
        unsigned line = 0;
        std::optional<std::string> text;  // nothing: none
    };
    struct LogLine {
        unsigned line = 0;
        bool absent = false;
        std::string word;
        std::vector<std::string> fields;  // key=value, quotes taken off
    };
    struct File {
        std::string name, text;
    };
    std::vector<std::string> options;
    std::string config;
    std::vector<std::string> users;  // local@domain
    std::vector<std::string> aliases;
    std::vector<std::pair<std::string, std::string>> passwords;
    std::vector<File> files;
    std::string peer;    // numeric, or empty
    std::string mailer;  // orders, a line each
    bool real_send = false;
    bool in_program = true, in_memory = true;
    int exit = 0;
    std::vector<Delivered> delivered;
    std::vector<LogLine> log;
};

std::expected<World, std::vector<smtp::dialogue::Fault>> world_of(const smtp::dialogue::Script& script);

class Peer {
public:
    virtual ~Peer() = default;
    // A server that has closed already is no error here: the next step that looks at it sees that.
    virtual Result<void> send(std::string_view octets) = 0;
    virtual Result<void> cut() = 0;  // what was sent has been read before more is sent
    virtual Result<std::string> read_reply(sys::Deadline deadline) = 0;
    virtual Result<bool> speaks_or_closes(sys::Deadline deadline) = 0;
    virtual Result<std::string> read_to_end(sys::Deadline deadline) = 0;  // what came before the server closed
    virtual void half_close() = 0;
    virtual Result<void> start_tls();
    virtual Result<void> authenticate(const std::vector<std::string>& words);

    // After the last step: the client's side is closed, the server comes to its end.
    struct Aftermath {
        std::string unread;                    // octets no step asked for
        std::optional<std::string> delivered;  // the last message the mailer got
        bool front = true;                     // with the lines the server puts in front
        bool driver_log = true;                // the log has the driver's lines: connect, deliver ...
        std::vector<std::string> log;
        std::string fault;  // it died, or wrote where it must not
    };
    virtual Result<Aftermath> finish(sys::Deadline deadline) = 0;
};

// Nothing when all is as the script says, else the first mismatch: "tests/dialog/hello.dialog:12: expected 250, got ...".
std::optional<std::string> run(const std::string& file, const smtp::dialogue::Script& script, const World& world, Peer& peer);

// A file's text as scripts with their worlds, or all faults, a line each. A line "=== TITLE" begins a connection of its own;
// what stands before the first one, steps and world, comes before the steps of each.
struct Dialogue {
    std::string file;  // and the title, where there is one: "tests/dialog/mail.dialog: TITLE"
    smtp::dialogue::Script script;
    World world;
};
std::expected<std::vector<Dialogue>, std::string> read_dialogues(const std::string& file);
std::vector<std::string> dialogue_files(const std::string& directory = "tests/dialog");  // *.dialog, sorted

}  // namespace greylag::test
