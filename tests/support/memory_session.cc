#include "tests/support/memory_session.hh"

namespace greylag::test {

using namespace smtp;

MemorySession::MemorySession(ServerFacts facts, MemoryWorld world, DotDecoder::Limits limits)
    : world_(std::move(world)), conversation_(std::move(facts), limits) {
    drain({});
    greeting_ = std::exchange(said_, {});
}

std::string MemorySession::feed(std::string_view octets) {
    drain(octets);
    return std::exchange(said_, {});
}

std::string MemorySession::gone(event::Gone::Why why) {
    conversation_.tell(event::Gone{why});
    return feed({});
}

void MemorySession::drain(std::string_view input) {
    waiting_for_input_ = false;
    while (!closed_ && !waiting_for_input_) {
        Step step = conversation_.next(input);
        perform(step);
    }
}

void MemorySession::ask(const Question& question) {
    if (const auto* auth = std::get_if<question::Auth>(&question))
        return conversation_.tell(world_.auth(auth->initial.value_or(""), auth->initial.has_value()));
    if (const auto* auth = std::get_if<question::AuthResponse>(&question))
        return conversation_.tell(world_.auth(auth->response, true));
    if (const auto* recipient = std::get_if<question::Recipient>(&question))
        return conversation_.tell(event::Answer{world_.answer(question), world_.meant(recipient->path)});
    if (!std::holds_alternative<question::Deliver>(question)) return conversation_.tell(event::Answer{world_.answer(question)});
    if (auto verdict = world_.may_deliver(conversation_.envelope()); !verdict.ok())
        return conversation_.tell(event::Delivered{std::move(verdict), {}});
    given_.push_back({conversation_.envelope(), body_});
    auto verdict = world_.deliver(conversation_.envelope(), body_);
    if (verdict.ok()) delivered_.push_back(given_.back());
    conversation_.tell(event::Delivered{std::move(verdict), "id" + std::to_string(delivered_.size())});
}

void MemorySession::perform(Step& step) {
    if (std::holds_alternative<step::NeedInput>(step)) waiting_for_input_ = true;
    if (const auto* store = std::get_if<step::Store>(&step)) body_ += store->bytes;
    if (std::holds_alternative<effect::Watch>(step)) conversation_.tell(event::Watched{world_.early});
    if (const auto* say = std::get_if<effect::Say>(&step)) said_ += wire(say->reply);
    if (const auto* asked = std::get_if<effect::Ask>(&step)) ask(asked->question);
    if (const auto* wait = std::get_if<effect::Wait>(&step)) waited_ += wait->wait;
    if (const auto* take = std::get_if<effect::TakeBody>(&step); take != nullptr && take->begins) body_.clear();
    if (std::holds_alternative<effect::StartTls>(step)) conversation_.tell(world_.tls);
    if (const auto* log = std::get_if<effect::Log>(&step)) log_.push_back(log->event);
    if (std::holds_alternative<effect::Close>(step)) closed_ = true;
}

}  // namespace greylag::test
