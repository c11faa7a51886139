// One session as a value: octets and moments in, octets and one wish out (RFC 5321, 2033, 2920, 3030, 3207, 4954). Whatever the
// other end sends, no other session is held up: nothing here waits.
//
// smtp::ClientSession delivers one message as well as it can be; this says what it was told to say, again and again, measures
// the answers, and in the steady state asks for no memory.
#pragma once
#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "client/auth_exchange.hh"
#include "cmd/smtp-source/desk.hh"
#include "smtp/reply_parser.hh"

namespace greylag::source {

// One message on its way: its envelope is answered command by command.
struct Transaction {
    Job job;
    Tick since = 0;
    unsigned asked = 0, accepted = 0, taken = 0;
    bool go_ahead = false;
    std::optional<Failure> failed;
    std::uint64_t octets = 0;
};

class Talk {
public:
    // What is to be done next.
    enum class Wish : std::uint8_t {
        wait,       // until due(), then begin(); a connection may be open: what it says is still heard()
        dial,       // then connected() or not_connected()
        talk,       // write output(), read, heard()
        handshake,  // write output(), then TLS, then secured()
        hang_up,    // close, then begin()
        over,       // this session is done
    };
    enum class Lost : std::uint8_t { eof, broken, timeout };

    Talk(Desk& desk, unsigned session) : desk_(&desk), order_(&desk.plan.order), session_(session) {}

    Wish wish() const { return wish_; }
    Tick due() const { return due_; }
    bool open() const { return open_; }

    void begin(Tick now);
    void connected(Tick now);
    void not_connected(std::string_view why, Tick now);
    struct Secured {
        bool ok = false;
        std::string why;  // when not
        sasl::Bindings bindings;
    };
    void secured(const Secured& how, Tick now);
    void heard(std::string_view octets, Tick now);
    void lost(Lost how, Tick now);

    // What is to be written, one piece after the other, and how much of it was.
    std::array<std::string_view, 5> output() const;
    bool has_output() const { return unwritten_ != 0; }
    void written(std::size_t octets);

private:
    enum class Stage : std::uint8_t { greeting, hello, starttls, auth, mail, rcpt, data, final, empty, rset, quit };
    struct Expected {
        Stage stage = Stage::greeting;
        unsigned count = 0;
        Tick since = 0;
    };
    static std::string_view subject(Stage stage);

    // talk.cc: the connection up to its first message, and every ending
    void answered(Tick now);
    void greeting(Tick now);
    void hello(Tick now);
    void say_hello(Tick now);
    void after_hello(Tick now);
    void read_extensions();
    void ask_auth(Tick now);
    void say_auth(std::string line, Tick now);
    void auth(Tick now);
    void next(Tick now);
    void quit(Tick now);
    void hang_up();
    bool complain(std::string_view what);  // false: that was the end of the run
    void refused(Tick now);                // the reply ends the connection
    void broken(Failure how, std::string_view what, Tick now);
    void fail_oldest(Failure how);
    Failure count_refusal();
    std::string refusal(Stage stage) const;

    // talk_mail.cc: transactions
    void transaction(Tick now);
    void say_mail();
    void say_rcpt();
    void say_data(Tick now);
    void say_content(Tick now);
    void say_rset(Tick now);
    unsigned final_replies() const;
    bool more_recipients(const Transaction& t) const;
    void look_ahead(Tick now);
    void mail_answered(Stage stage, Tick now);
    void final_answered(Tick now);
    void step(Tick now);

    // output
    bool head_is_last() const { return octets_.body.empty() && octets_.rest.empty() && octets_.end.empty() && tail_.empty(); }
    std::string& line() { return head_is_last() ? buffer_.head : tail_; }
    template <class... Parts>
    void say(Parts... parts);
    void said(std::string& out, std::size_t from);
    void expect(Stage stage, unsigned count, Tick now);

    Desk* desk_;
    const Order* order_;
    unsigned session_;
    Wish wish_ = Wish::wait;
    Tick due_ = 0, pause_until_ = 0, dialled_ = 0;
    bool open_ = false, secure_ = false, authenticated_ = false, quit_said_ = false;
    unsigned attempts_ = 0;
    std::uint64_t done_here_ = 0;  // messages begun on this connection

    struct Extensions {
        bool pipelining = false, chunking = false, starttls = false;
        std::vector<std::string> mechanisms;
    } offered_;
    std::vector<std::string> hello_;  // the answer that offered_ was read from: it is the same on most connections
    std::optional<Job> job_;          // to be sent, not begun
    std::optional<Transaction> current_, closing_;
    std::unique_ptr<client::AuthExchange> auth_;
    sasl::Bindings bindings_;

    smtp::ReplyParser parser_;
    smtp::Reply reply_;
    static constexpr unsigned most_expected = 8;  // final, MAIL, RCPT, DATA, and an ending
    std::array<Expected, most_expected> expected_;
    unsigned first_ = 0, waiting_ = 0;

    Buffer buffer_;
    Octets octets_;
    std::string tail_;
    std::size_t written_ = 0, unwritten_ = 0;
};

template <class... Parts>
void Talk::say(Parts... parts) {
    std::string& out = line();
    const std::size_t from = out.size();
    (out.append(parts), ...);
    said(out, from);
}

}  // namespace greylag::source
