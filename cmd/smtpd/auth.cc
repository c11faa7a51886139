#include "cmd/smtpd/auth.hh"

#include <algorithm>

#include "base/ascii.hh"
#include "client/digests.hh"
#include "secret/password.hh"
#include "secret/random.hh"
#include "secret/sha256.hh"
#include "sys/file.hh"
#include "sys/slots.hh"

namespace greylag::smtpd {

namespace {

constexpr std::size_t users_limit = 64 << 20;
// Each password hash in work takes 19 MiB or what its string says: so many at a time on this host, the others wait.
constexpr unsigned hashes_at_once = 4;

using Step = smtp::event::Auth::Step;

bool contains(const std::vector<std::string>& list, std::string_view name) {
    return std::any_of(list.begin(), list.end(), [&](const auto& one) { return base::iequals(one, name); });
}

}  // namespace

Authenticator::Authenticator(const Setup& setup, sys::Log& log, const std::optional<mail::IpAddress>& peer, Hmac hmac_md5,
                             base::Millis patience)
    : setup_(setup),
      log_(log),
      peer_(peer ? peer->text() : "unknown"),
      // A trusted host logs in for many, a webmail for all.
      penalty_(setup.settings.paths.state, {setup.settings.auth.failures, setup.settings.auth.penalty},
               setup.is_trusted(peer) ? std::nullopt : peer),
      patience_(patience),
      digests_(client::digests(hmac_md5)) {
    const std::string& file = setup.settings.auth.users;
    if (file.empty()) return;
    auto text = sys::read_file(file, users_limit, sys::Guard::private_to_owner);
    if (!text) {
        log_.write(base::Event{}.with("reason", "users").with("said", text.error().text));
        return;
    }
    users_ = *std::move(text);
    usable_ = sasl::usable(users_);
}

std::vector<std::string> Authenticator::offer(bool tls, bool binding) const {
    const auto& wanted = setup_.settings.auth.mechanisms;
    std::vector<std::string> out;
    for (const auto m : sasl::mechanisms) {
        const std::string name(sasl::name(m));
        if (!wanted.empty() && !contains(wanted, name)) continue;
        bool works = false;
        switch (m) {
            case sasl::Mechanism::scram_sha_256_plus: works = usable_.scram && binding; break;
            case sasl::Mechanism::scram_sha_256: works = usable_.scram; break;
            // It asks us to keep the password itself, and needs OpenSSL: only for who wants it by name.
            case sasl::Mechanism::cram_md5: works = usable_.cram_md5 && digests_.hmac_md5 != nullptr && !wanted.empty(); break;
            case sasl::Mechanism::plain:
            case sasl::Mechanism::login: works = usable_.password && (tls || setup_.settings.smtpd.passwordinclear); break;
            case sasl::Mechanism::scram_sha_1:
            case sasl::Mechanism::digest_md5:
            case sasl::Mechanism::otp:
            case sasl::Mechanism::external:
            case sasl::Mechanism::oauthbearer:
            case sasl::Mechanism::xoauth2:
            case sasl::Mechanism::anonymous: break;  // not served
        }
        if (works) out.push_back(name);
    }
    return out;
}

std::vector<std::string> Authenticator::mechanisms(const Channel* channel) const {
    // A binding is two digests' worth of work: not without a user who could use it.
    return offer(channel != nullptr, channel != nullptr && usable_.scram && channel->bindings().any());
}
std::vector<std::string> Authenticator::mechanisms_under_tls() const { return offer(true, true); }

smtp::event::Auth Authenticator::begin(const smtp::question::Auth& asked, const Channel* channel) {
    const auto mechanism = sasl::find(asked.mechanism);
    if (!mechanism || !sasl::served(*mechanism)) return {Step::failed, {}};
    if (locked()) return {Step::later, {}};
    mechanism_ = *mechanism;
    guess_.reset();
    sasl::Server::Facts facts;
    facts.digests = digests_;
    facts.nonce = secret::random_text(24);
    facts.challenge = "<" + secret::random_text(24) + "@" + setup_.domain + ">";
    if (channel != nullptr) facts.bindings = channel->bindings();
    facts.plus_offered = contains(mechanisms(channel), sasl::name(sasl::Mechanism::scram_sha_256_plus));
    server_ = std::make_unique<sasl::Server>(mechanism_, std::move(facts));
    return settle(asked.initial ? server_->begin(std::string_view(*asked.initial)) : server_->begin(std::nullopt));
}

smtp::event::Auth Authenticator::respond(std::string_view response) {
    if (!server_) return {Step::failed, {}};
    return settle(server_->respond(response));
}

smtp::event::Auth Authenticator::settle(sasl::Step step) {
    return std::visit([this](const auto& one) { return settled(one); }, step);
}

smtp::event::Auth Authenticator::settled(const sasl::step::Challenge& challenge) { return {Step::challenge, challenge.text}; }

// What stands for a user who is not there: the same work as for the first who is, and a salt that stays from try to try.
sasl::User Authenticator::nobody(const std::string& name) const {
    sasl::User user = sasl::first_user(users_).value_or(sasl::User{});
    const std::string salt = secret::hmac_sha256(user.argon2id + (user.scram ? user.scram->server_key : ""), name);
    const unsigned iterations = user.scram ? user.scram->iterations : sasl::least_iterations;
    user.scram = sasl::ScramVerifier{iterations, salt.substr(0, user.scram ? user.scram->salt.size() : 16), std::string(32, '\0'),
                                     std::string(32, '\0')};
    if (user.argon2id.empty()) user.argon2id = secret::nobodys_hash();
    user.cram_md5 = "nobody";
    return user;
}

smtp::event::Auth Authenticator::settled(const sasl::step::Find& asked) {
    auto user = sasl::find_user(users_, asked.user);
    const bool usable = user && (mechanism_ == sasl::Mechanism::cram_md5 ? !user->cram_md5.empty() : user->scram.has_value());
    return settle(server_->found(usable ? *user : nobody(asked.user), usable));
}

smtp::event::Auth Authenticator::settled(const sasl::step::Check& asked) {
    const auto user = sasl::find_user(users_, asked.user);
    const bool known = user && !user->argon2id.empty();
    guess_ = secret::hmac_sha256(secret::hmac_sha256(users_, asked.user), asked.password.get()).front();
    // Without a place memory has no bound: whether all are taken or none can be had, the answer is not now.
    const auto slot =
        sys::take_slot(sys::join(setup_.settings.paths.state, "auth"), hashes_at_once, sys::Deadline::in(patience_));
    if (!slot) return later(slot.error().text);
    // A hash that cannot be checked says nothing about the password.
    const auto right = secret::is_password(known ? user->argon2id : nobody(asked.user).argon2id, asked.password.get());
    if (!right) return later(right.error().text);
    return settle(server_->checked(known && *right));
}

void Authenticator::note(const std::string& said) {
    log_.write(base::Event{}.with("ip", peer_).with("reason", "auth").with("said", said));
}

// Who cannot be counted is not held up.
bool Authenticator::locked() {
    const auto seen = penalty_.locked();
    if (!seen) note(seen.error().text);
    if (!seen || !*seen) return false;
    if (!std::exchange(lock_logged_, true))
        log_.write(base::Event{base::Word::auth_failed, {}}.with("ip", peer_).with("reason", "penalty"));
    return true;
}

void Authenticator::count_failure() {
    if (const auto counted = penalty_.failed(guess_); !counted) note(counted.error().text);
}

smtp::event::Auth Authenticator::later(const std::string& why) {
    server_.reset();
    note(why);
    return {Step::later, {}};
}

smtp::event::Auth Authenticator::settled(const sasl::step::Success& done) {
    server_.reset();
    base::Event event{base::Word::auth_ok, {}};
    event.with("ip", peer_).with("auth", std::string(sasl::name(mechanism_))).with_peer("user", done.user);
    log_.write(event);
    return {Step::success, done.user};
}

smtp::event::Auth Authenticator::settled(const sasl::step::Failure& failed) {
    server_.reset();
    base::Event event{base::Word::auth_failed, {}};
    event.with("ip", peer_).with("auth", std::string(sasl::name(mechanism_))).with("reason", std::string(word(failed.why)));
    if (!failed.user.empty()) event.with_peer("user", failed.user);
    log_.write(event);
    if (failed.why == sasl::Why::password) count_failure();
    return {failed.unreadable ? Step::malformed : Step::failed, {}};
}

std::vector<config::Fault> check_users_file(const std::string& file) {
    std::vector<config::Fault> faults;
    const auto text = sys::read_file(file, users_limit, sys::Guard::private_to_owner);
    if (!text) return {{file, 0, text.error().text}};
    for (auto& fault : sasl::check_users(*text)) faults.push_back({file, fault.line, std::move(fault.what)});
    return faults;
}

}  // namespace greylag::smtpd
