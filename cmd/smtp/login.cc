#include "cmd/smtp/login.hh"

#include "base/escape.hh"
#include "client/credentials.hh"
#include "sys/file.hh"
#include "sys/rights.hh"

namespace greylag::sender {

namespace {
constexpr std::size_t secrets_limit = 1 << 20;
}

Result<client::Login> read_login(const Order& order, const config::Settings& settings) {
    const std::string& file = settings.auth.secrets;
    if (file.empty()) return base::fail(Kind::config, "-a: no file of passwords is set (secrets in [auth])");
    client::Login login;
    login.user = order.user.empty() ? sys::login_name() : order.user;
    login.without_tls = order.without_tls;
    auto text = sys::read_file(file, secrets_limit, sys::Guard::private_to_owner);
    if (!text) return base::fail(Kind::config, "-a: " + text.error().text);
    login.secrets = base::Secret(std::move(*text));
    if (const auto checked = client::check_credentials(login.secrets.get()); !checked)
        return base::fail(Kind::config, file + ":" + checked.error().text);
    if (!client::knows_user(login.secrets.get(), login.user))
        return base::fail(Kind::config, file + ": no key for SMTP and the user " + base::quoted(login.user, 200));
    return login;
}

}  // namespace greylag::sender
