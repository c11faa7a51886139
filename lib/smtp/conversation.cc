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
            if (std::holds_alternative<effect::TakeBody>(effect)) body_.emplace(body_limits_);
            return std::visit([](auto& e) -> Step { return std::move(e); }, effect);
        }
        if (body_ && body_->ended) {
            const BodyReport report = body_->report();
            body_.reset();
            tell(event::BodyDone{report});
        } else if (body_) {
            if (input.empty()) return step::NeedInput{};
            take_body(input);
            if (body_->keep && !decoded_.empty()) return step::Store{decoded_};
        } else {
            InputLine line;
            if (!reader_.next(input, line)) return step::NeedInput{};
            tell(event::Line{line, !input.empty()});
        }
    }
}

// Decodes one piece. A body that will be refused is read on and no longer kept.
void Conversation::take_body(std::string_view& input) {
    std::string_view piece = input.substr(0, body_piece);
    const std::size_t before = piece.size();
    decoded_.clear();
    body_->ended = body_->decoder.feed(piece, decoded_);
    input.remove_prefix(before - piece.size());
    body_->received.feed(decoded_);
    octets_ = body_->decoder.octets();
    if (octets_ > session_.facts().size_limit || body_->decoder.faults().any() || body_->failed) body_->keep = false;
}

}  // namespace greylag::smtp
