// The SMTP client library of greylag (greylag-smtp(3)): one message through known servers, or one dialogue step by step.
//
// This is the whole of what is installed: it needs the standard library and nothing else. No exception leaves it, nothing is
// global; every wait has a deadline; SIGPIPE is never raised. An object is used by one thread at a time.
//
// TLS fails closed: where it was asked for and is not to be had, no password and no message leave, unless the policy says
// "insecure". Line ends on the wire are CRLF, whatever comes in. Passwords are wiped when they were used.
#pragma once
#include <cstddef>
#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#ifdef __GNUC__
#pragma GCC visibility push(default)
#endif

namespace greylag::smtp_client {

struct Failure {
    // What a script would do differently. refused: 5yz. later: 4yz, or the server could not be reached, or was silent.
    enum class Kind : std::uint8_t { usage, no_host, refused, later, protocol, tls, authentication, configuration };
    Kind kind = Kind::later;
    int code = 0;          // the server's, or 0
    std::string enhanced;  // "5.1.1" or empty
    std::string text;      // the server's words, escaped, or a sentence of ours that names what and where
};
int exit_status(Failure::Kind kind);  // 64 68 69 75 76 77 78, as every greylag tool ends

template <class T>
using Result = std::expected<T, Failure>;

struct Reply {
    int code = 0;
    std::string enhanced;
    std::vector<std::string> lines;  // without code, enhanced code and line end; not escaped, any octet may stand in them
    std::string text() const;        // the lines in one, escaped
    bool ok() const { return code >= 200 && code < 400; }
};

struct Endpoint {
    std::string host = "localhost";  // a name (/etc/hosts, then DNS, no search domains) or an address, brackets allowed; or
    std::string service = "25";      // a number or a service's name; with it
    std::string path;                // a UNIX socket instead
};

enum class Family : std::uint8_t { any, v4, v6 };

struct DialOptions {
    Family family = Family::any;
    std::string source;                    // our address; empty: the system's choice
    std::vector<std::string> nameservers;  // "address:port"; empty: the system's
    std::uint32_t timeout_ms = 60'000;     // for each step, the dial too; 0: 1 ms
    // Called before each address is tried, with an empty failure, and with the reason when that failed.
    std::function<void(std::string_view name, std::string_view address, std::string_view failure)> trying;
    // Each line of the dialogue without its end, escaped; secrets are masked. The body is counted, not shown. What write() and
    // read_some() carry is not shown.
    std::function<void(bool ours, std::string_view line)> trace;
};

struct TlsMemory;
std::shared_ptr<TlsMemory> make_tls_memory();

struct TlsOptions {
    bool insist = true;              // a certificate that is not believed is a Failure of kind tls; else it is reported
    std::string authorities;         // a hashed directory or a PEM file; empty: the system's
    std::vector<std::string> known;  // "sha256:HEX" or "spki-sha256:HEX"
    std::string identity;            // our certificate and key, a PEM file
    std::string minimum = "1.2";
    std::string name;  // of the server; empty: the host of the endpoint
    // The first handshake with it reads the files that are named above, and its session is offered again by the next one.
    std::shared_ptr<TlsMemory> memory;
};

struct TlsReport {
    bool believed = false, resumed = false;
    std::string reason;       // why it is not believed
    std::string description;  // "TLSv1.3 with cipher TLS_AES_256_GCM_SHA384"
    int bits = 0;
    std::string subject, issuer, not_after, sha256, spki_sha256;
};

struct Hello {
    Reply reply;
    std::vector<std::pair<std::string, std::string>> extensions;  // keyword in upper case, its parameters
    std::vector<std::string> mechanisms;                          // of AUTH, upper case
    const std::string* find(std::string_view keyword) const;      // its parameters, or nullptr
};

struct Credentials {
    std::string user, password;
    std::string authorization;            // whom to act for; empty: the user
    std::string realm;                    // DIGEST-MD5
    std::vector<std::string> mechanisms;  // allowed, in the order to be tried; empty: all that the server offers, strongest first
    bool without_tls = false;             // PLAIN, LOGIN and the like may cross an open wire
    bool initial_response = true;
    // Asked where a mechanism needs what a password is not (OTP, a realm): the prompt in, the answer out.
    std::function<std::string(std::string_view prompt)> challenge;
};

// One dialogue. Every call is one step with its deadline; after a Failure of kind later, protocol or tls it is over. What the
// server said before it went may still be read.
class Connection {
public:
    // A host in UTF-8 is looked for, and believed, by its ASCII form (RFC 5890).
    static Result<Connection> open(const Endpoint& to, const DialOptions& options);
    // Over a stream socket that the caller has connected: a tunnel, a proxy's, a pair. It belongs to the Connection from here on
    // and is closed with it, at once where this fails (no socket: kind usage). It may block or not: it is left as it is. `to`
    // says who is there: its host is the name that TLS looks for in the certificate and AUTH speaks of; with a path there is no
    // name. Of `options` only timeout_ms and trace count.
    static Result<Connection> over(int descriptor, const Endpoint& to, const DialOptions& options);
    ~Connection();
    Connection(Connection&&) noexcept;
    Connection& operator=(Connection&&) noexcept;

    Result<Reply> read_reply();                                     // the greeting, or the next answer
    Result<Reply> command(std::string_view line);                   // one line without its end; its answer, whatever it says
    Result<Hello> hello(std::string_view name, bool lmtp = false);  // EHLO, then HELO where that is not known; or LHLO
    Result<TlsReport> start_tls(const TlsOptions& options);         // the handshake alone: after 220 to STARTTLS, or at once
    // AUTH until a mechanism succeeds; its reply. All refused: kind authentication, or later where one of them said 4yz. A server
    // that does not prove that it knows the password itself (SCRAM, DIGEST-MD5) is kind authentication at once.
    Result<Reply> authenticate(const Hello& offered, const Credentials& credentials);

    Result<void> write_line(std::string_view line);      // CRLF is added
    Result<void> write_message(std::string_view piece);  // line ends made CRLF, dots stuffed
    Result<Reply> end_message();                         // the final dot; its answer. LMTP: read_reply() for each further one
    // Octets as they are, for what is not SMTP.
    Result<void> write(std::string_view octets);
    Result<std::size_t> read_some(std::span<char> room);  // 0: the end
    Result<void> half_close();                            // nothing more comes from us

    void timeout(std::uint32_t ms);  // for each further step

    bool secure() const;
    int descriptor() const;  // to be polled for reading
    bool pending() const;    // octets are here already that poll would not see
    // Octets, or the end, are here or come within this time (0: 1 ms). After poll(2) it says whether read_some() would wait:
    // under TLS what came may be nothing for us.
    bool readable(std::uint32_t within_ms);
    std::string local() const, remote() const;  // "192.0.2.1:25"; or the path; what over() cannot tell: empty, and the host
    void close();                               // at once; QUIT is a command

private:
    struct [[gnu::visibility("hidden")]] State;
    class [[gnu::visibility("hidden")]] Login;
    explicit Connection(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

// --- one message through known servers ---------------------------------------------------------------------------------------

struct Server {
    std::string host;
    std::uint16_t port = 25;
};

enum class TlsAnswer : std::uint8_t { secure, insecure };

struct Options {
    // Tried in turn while nothing is decided: one that cannot be reached, has no good greeting, no TLS or no AUTH where they are
    // asked for, or says "later". What a server accepts or refuses for ever is final, and so is what is lost behind the message's
    // last octet: it may have been taken.
    std::vector<Server> servers{{"localhost", 25}};
    std::string client;                                        // our name; empty: localhost where a server is, else the host's
    bool queue = false;                                        // QUED, where XQUE is offered; else Report::notes says it
    bool at_least_one = false;                                 // one recipient accepted is enough
    std::string originator;                                    // an address as in a header; empty: From, else the login name
    bool null_originator = false;                              // <>, whatever the header says
    std::string recipients;                                    // as in a header, commas between; empty: To, Cc, Dcc, Bcc
    std::vector<std::pair<std::string, std::string>> headers;  // replace or join those of the message
    enum class Tls : std::uint8_t { off, offered, required, implicit };
    Tls tls = Tls::offered;  // offered: used where the server has it, and then never left
    TlsOptions tls_options;
    // Called when STARTTLS was refused, with the reply's code, and with 0 when TLS is required and not offered, or when the
    // handshake or the certificate failed. Without one the answer is "secure": this server is left, the next one is tried.
    // "insecure": on with that server, passwords included: in clear after a refusal; after a failure over TLS without a believed
    // certificate, and in clear only where that fails, too.
    std::function<TlsAnswer(int code, std::string_view text)> tls_policy;
    Credentials credentials;  // no user: no AUTH; a user: without AUTH nothing is sent
    DialOptions dial;
    std::uint32_t final_timeout_ms = 120'000;  // for the answer to the message
};

struct Refusal {
    std::string address;
    int code = 0;  // 0: no reply decided it
    std::string enhanced;
    std::string text;
};

struct Report {
    std::vector<Refusal> refused;  // under at_least_one, and blind copies that failed when the message was through
    std::vector<std::string> accepted;
    Server server;                   // who has it
    Reply reply;                     // its answer to the message
    std::vector<std::string> notes;  // what was asked for and could not be had
};

struct SendFailure : Failure {
    Server server;                 // who said it; no host: nobody
    std::vector<Refusal> refused;  // recipients, where that was why
};

// `message` has a header, an empty line and a body; line ends as they come. It is copied once; what is missing in the header is
// supplied: From, Sender, To, Date, Message-ID. Bcc and Dcc never leave: who is in Bcc gets a copy of his own.
std::expected<Report, SendFailure> send_message(const Options& options, std::string_view message);

}  // namespace greylag::smtp_client

#ifdef __GNUC__
#pragma GCC visibility pop
#endif
