// A sending session as a value: events in, effects out (RFC 5321, 1870, 2033, 2034, 2920, 3030, 6152, 6531, 9422). No byte is
// read or written here and no clock asked; whose replies they are and where the next host is, is not known either.
//
// What a server says is believed only where it was asked: a reply that comes unasked, of a class that cannot answer the
// command, or with the wrong code ends the session, and what was not decided by then is to be tried later.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "mail/path.hh"
#include "smtp/reply.hh"

namespace greylag::smtp {

struct ClientFacts {
    enum class StartTls : std::uint8_t { never, offered, required, first };  // first: before any word
    // Of the message as it stands in the spool: CRLF lines, no dot stuffed.
    struct Message {
        std::uint64_t octets = 0;
        bool eight_bit = false;
        bool utf8_header = false;  // a header field holds UTF-8 beyond ASCII (RFC 6532)
        bool long_lines = false;   // over 998 octets (RFC 5322 2.1.1)
        bool dots = true;          // a line begins with one, or nobody has looked
    };

    std::string name;  // for EHLO: a domain or an address literal
    bool lmtp = false;
    bool noop_first = false;      // do not wait for the greeting
    bool ping = false;            // no message: the recipients alone are asked about
    bool avoid_chunking = false;  // this server offers BDAT and does not know it
    StartTls starttls = StartTls::never;
    bool authenticate = false;
    mail::Path sender = mail::Path::null();
    std::vector<mail::Path> recipients;
    Message message;
};

// What the next reply, or octet of the body, belongs to; for the time-out and for the words of a failure.
enum class Stage : std::uint8_t { connect, greeting, hello, starttls, handshake, auth, mail, rcpt, data, body, final, quit };
std::string_view name(Stage stage);  // "greeting", "EHLO", "MAIL" ... "the message"

struct Outcome {
    enum class State : std::uint8_t { open, delivered, later, never };
    // unsuited: the server can never take this message as it is; silence: no reply decided it; unprepared: something is
    // missing on our side.
    enum class Cause : std::uint8_t { reply, unsuited, silence, no_host, tls, auth, unprepared };
    State state = State::open;
    Cause cause = Cause::reply;
    Stage stage = Stage::connect;
    std::uint16_t code = 0;
    std::string enhanced;  // "5.1.1" or empty
    std::string text;      // the server's words, not yet escaped, or ours

    std::string words() const;  // "550 5.1.1 no such user", printable
};

namespace client {
// events
struct Connected {};
struct Answered {
    Reply reply;
    bool more = false;  // octets behind it are already here
};
struct Malformed {  // what came is no reply
    std::string text;
};
struct BodySent {};
struct TlsUp {
    bool ok = false;
    std::string text;
};
struct Auth {                                                // the answer to AskAuth
    enum class Step : std::uint8_t { send, done, give_up };  // done: the session goes on, authenticated or not
    Step step = Step::give_up;
    std::string text{};                                                                         // send: the line without its end
    Outcome outcome{Outcome::State::later, Outcome::Cause::auth, Stage::auth, 0, "4.7.0", {}};  // give_up: everybody's
};
struct Gone {
    enum class Why : std::uint8_t { eof, timeout, broken };
    Why why = Why::eof;
};

// effects, to be performed in this order; all Send and Body of one event are one write where they are small
struct Send {
    std::string bytes;
};
struct Body {            // the message; what comes after it belongs to the same group
    bool chunk = false;  // exact octets; else dots stuffed and the final dot
    bool fold = false;   // lines over 998 octets must not reach this server
};
struct StartTls {};  // answered by TlsUp
struct AskAuth {     // what to say next; answered by Auth
    std::vector<std::string> mechanisms;
    bool tls = false;
    std::optional<Reply> reply;  // to what was said last
};
struct Close {};

using Event = std::variant<Connected, Answered, Malformed, BodySent, TlsUp, Auth, Gone>;
using Effect = std::variant<Send, Body, StartTls, AskAuth, Close>;
using Effects = std::vector<Effect>;
}  // namespace client

class ClientSession {
public:
    static constexpr std::size_t group_limit = 100;           // recipients in one write: the replies must fit a socket's buffers
    static constexpr std::uint64_t small_message = 64 << 10;  // goes with its envelope in one write where the server takes BDAT

    explicit ClientSession(ClientFacts facts);

    // Total: every event has an answer; after Close the answer is empty.
    client::Effects on(const client::Event& event);

    Stage stage() const;  // what is waited for
    bool closed() const { return closed_; }
    const ClientFacts& facts() const { return facts_; }
    // One a recipient, in the order of the facts. After Close none is open.
    const std::vector<Outcome>& outcomes() const { return outcomes_; }
    bool greeted() const { return greeted_; }  // a greeting was heard, whatever it said
    // Some of the message may be in this server's hands: no other host may get it.
    bool committed() const { return committed_; }
    // BDAT was offered and then not known: the same server again, with avoid_chunking.
    bool chunking_failed() const { return chunking_failed_; }

private:
    struct Expected {
        Stage stage;
        std::size_t recipient = 0;
    };
    struct Extensions {
        bool pipelining = false, eight_bit = false, utf8 = false, chunking = false, starttls = false;
        std::optional<std::uint64_t> size;  // 0: no fixed limit
        std::size_t recipients = 0;         // LIMITS RCPTMAX; 0: unknown
        std::vector<std::string> mechanisms;
    };

    // client.cc: the dialogue up to the envelope, and every ending
    void answered(const client::Answered& e);
    void dispatch(const Expected& expected, const Reply& reply);
    void gone(const client::Gone& e);
    void await_greeting();
    void greeting(const Reply& reply);
    void say_hello(bool extended);
    void hello(const Reply& reply);
    void read_extensions(const Reply& reply);
    void after_hello();
    void send_line(std::string line, Stage stage, std::size_t recipient = 0);
    void quit();
    void close();
    void settle(std::size_t i, Outcome outcome);
    void settle_rest(const Outcome& outcome);  // everyone who is still open
    void fail(Outcome outcome) { settle_rest(outcome), close(); }
    void protocol_fault(Stage stage, std::string text);

    // client_auth.cc
    void starttls(const Reply& reply);
    void tls_up(const client::TlsUp& e);
    void auth(const client::Auth& e);
    void ask_auth(std::optional<Reply> reply);

    // client_mail.cc: transactions
    bool suited();
    void begin_transaction();
    void say_mail();
    void send_group();
    void send_data();
    std::string mail_command() const;
    bool wants_chunk() const;
    void mail(const Reply& reply);
    void rcpt(std::size_t i, const Reply& reply);
    void data(const Reply& reply);
    void final(std::size_t i, const Reply& reply);
    void envelope_step();
    void transaction_done();
    std::size_t accepted_count() const;
    bool any_delivered() const;

    ClientFacts facts_;
    Extensions offered_;
    std::vector<Outcome> outcomes_;
    std::vector<bool> accepted_;      // RCPT was, the message is not yet
    std::vector<Expected> expected_;  // replies to come, the first at `answered_`
    std::size_t answered_count_ = 0;
    std::size_t first_ = 0, next_ = 0, end_ = 0;  // the transaction's recipients, and the one to be named next
    bool extended_ = false, tls_ = false, auth_done_ = false, greeted_ = false;
    bool mail_refused_ = false, data_said_ = false, chunked_ = false, body_open_ = false, quit_said_ = false, unfinished_ = false;
    bool committed_ = false, chunking_failed_ = false, closed_ = false;
    Stage waiting_ = Stage::connect;  // where no reply is expected
    client::Effects out_;
};

}  // namespace greylag::smtp
