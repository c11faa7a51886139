// One connection's octets into a ServerSession and its effects out, still without I/O: which octets are lines and which are
// body is decided here and nowhere else, so the real program and a test in memory cannot differ.
//
//   for (;;) { step = conversation.next(input); perform it; }
//
// `input` holds what was received and not yet taken. NeedInput: append more, or tell(Gone). Watch and Ask must be answered by
// tell() before the next call, StartTls too: what is in `input` then was refused by the session, and must be empty.
#pragma once
#include <string>
#include <string_view>
#include <variant>

#include "mail/header.hh"
#include "smtp/chunk.hh"
#include "smtp/server.hh"

namespace greylag::smtp {

namespace step {
struct NeedInput {};
struct Store {  // a piece of the decoded body; valid until the next call
    std::string_view bytes;
};
}  // namespace step
using Step = std::variant<step::NeedInput, step::Store, effect::Watch, effect::Say, effect::Ask, effect::Wait, effect::TakeBody,
                          effect::StartTls, effect::Log, effect::Close>;

class Conversation {
public:
    static constexpr std::size_t command_limit = 4096;  // RFC 5321 4.5.3.1.4 with room for extensions
    static constexpr std::size_t auth_limit = 12288;    // RFC 4954 4

    Conversation(ServerFacts facts, DotDecoder::Limits body_limits);

    Step next(std::string_view& input);
    void tell(const Event& event);
    // The body cannot be kept: it is still read to its end, and then answered with this.
    void fail_body(mail::Verdict why);

    const ServerSession& session() const { return session_; }
    const Envelope& envelope() const { return session_.envelope(); }
    bool in_body() const { return body_.has_value() && !body_->idle; }
    // Of a message there is something to keep; between chunks too.
    bool has_message() const {
        const auto phase = session_.phase();
        return phase == ServerSession::Phase::body || phase == ServerSession::Phase::chunks;
    }
    // The next line is an answer to an AUTH challenge: nobody else may see it.
    bool secret() const { return session_.phase() == ServerSession::Phase::auth; }
    // Octets of the message so far (after its end: of the last one).
    std::uint64_t body_octets() const { return octets_; }

private:
    // A message in hand, from its first octet until it is answered or reset.
    struct BodyInHand {
        explicit BodyInHand(DotDecoder::Limits limits) : dots(limits), received("received") {}

        DotDecoder dots;
        ChunkDecoder chunks;
        mail::FieldCounter received;
        std::optional<mail::Verdict> failed;
        bool chunked = false;
        bool idle = false;   // between two chunks
        bool keep = true;    // false: the octets go by and are not stored
        bool ended = false;  // the dot, or the chunk's last octet, was seen
    };
    void begin_body(const effect::TakeBody& take);
    void take_body(std::string_view& input);
    void end_body();
    BodyReport report() const;

    ServerSession session_;
    LineReader reader_;
    DotDecoder::Limits body_limits_;
    std::optional<BodyInHand> body_;
    std::uint64_t octets_ = 0;
    std::string decoded_;
    Effects pending_;
    std::size_t done_ = 0;  // effects of pending_ already handed out
};

}  // namespace greylag::smtp
