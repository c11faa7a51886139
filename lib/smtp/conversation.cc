#include "smtp/conversation.hh"

namespace greylag::smtp {

namespace {
// A step of the body at a time, so that what is decoded stays in the cache and memory stays flat.
constexpr std::size_t body_piece = 64 << 10;
}  // namespace

Conversation::Conversation(ServerFacts facts, DotDecoder::Limits body_limits)
    : session_(std::move(facts)), reader_(command_limit), body_limits_(body_limits) {
    pending_ = session_.on(event::Opened{});
}

void Conversation::tell(const Event& event) {
    Effects more = session_.on(event);
    pending_.erase(pending_.begin(), pending_.begin() + static_cast<std::ptrdiff_t>(done_));
    done_ = 0;
    pending_.insert(pending_.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
}

void Conversation::fail_body(mail::Verdict why) {
    if (body_ && !body_->failed) body_->failed = std::move(why);
}

Step Conversation::next(std::string_view& input) {
    for (;;) {
        if (done_ < pending_.size()) {
            Effect& effect = pending_[done_++];
            if (const auto* take = std::get_if<effect::TakeBody>(&effect)) begin_body(*take);
            return std::visit([](auto& e) -> Step { return std::move(e); }, effect);
        }
        if (session_.phase() == ServerSession::Phase::closed) {
            input = {};
            return step::NeedInput{};
        }
        if (body_ && body_->ended) {
            end_body();
        } else if (in_body()) {
            if (input.empty() && !(body_->chunked && body_->chunks.left() == 0)) return step::NeedInput{};
            take_body(input);
            if (body_->keep && !decoded_.empty()) return step::Store{decoded_};
        } else {
            InputLine line;
            if (!secret() && reader_.begins_with(tls_hello, input)) {
                input = {};
                tell(event::Line{{tls_hello}, false});
                continue;
            }
            reader_.set_limit(secret() ? auth_limit : command_limit);
            if (!reader_.next(input, line)) return step::NeedInput{};
            tell(event::Line{line, !input.empty()});
            reader_.forget();
        }
    }
}

void Conversation::begin_body(const effect::TakeBody& take) {
    if (take.begins || !body_) {
        body_.emplace(body_limits_);
        octets_ = 0;
    }
    body_->chunked = take.chunk.has_value();
    body_->idle = body_->ended = false;
    if (!take.keep) body_->keep = false;
    if (take.chunk) body_->chunks.begin(*take.chunk);
}

// Decodes one piece. A body that will be refused is read on and no longer kept.
void Conversation::take_body(std::string_view& input) {
    std::string_view piece = input.substr(0, body_piece);
    const std::size_t before = piece.size();
    decoded_.clear();
    body_->ended = body_->chunked ? body_->chunks.feed(piece, decoded_) : body_->dots.feed(piece, decoded_);
    input.remove_prefix(before - piece.size());
    if (body_->ended && body_->chunked && session_.in_last_chunk()) body_->chunks.finish(decoded_);
    body_->received.feed(decoded_);
    octets_ = body_->chunked ? body_->chunks.octets() : body_->dots.octets();
    const bool too_big = octets_ > session_.facts().size_limit || body_->received.octets() > ServerSession::header_limit;
    if (too_big || body_->dots.faults().any() || body_->failed) body_->keep = false;
}

BodyReport Conversation::report() const {
    return {octets_, body_->dots.faults(), body_->received.count(), body_->received.octets(), body_->failed};
}

void Conversation::end_body() {
    const BodyReport seen = report();
    body_->ended = false;
    if (body_->chunked && !session_.in_last_chunk())
        body_->idle = true;
    else
        body_.reset();
    tell(event::BodyDone{seen});
}

}  // namespace greylag::smtp
