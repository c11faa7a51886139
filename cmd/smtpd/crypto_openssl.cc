#include <optional>

#include "cmd/smtpd/crypto.hh"
#include "tls/digest.hh"
#include "tls/process.hh"
#include "tls/server.hh"

namespace greylag::smtpd {

namespace {

class OpenSslChannel : public Channel {
public:
    explicit OpenSslChannel(tls::Stream stream) : stream_(std::move(stream)) {}
    Result<std::size_t> read_some(std::span<char> room, sys::Deadline deadline) override {
        return stream_.read_some(room, deadline);
    }
    Result<void> write_all(std::string_view bytes, sys::Deadline deadline) override { return stream_.write_all(bytes, deadline); }
    bool readable(sys::Deadline deadline) override { return stream_.readable(deadline); }
    void close(sys::Deadline deadline) override { stream_.close(deadline); }
    std::string description() const override { return stream_.description(); }
    sasl::Bindings bindings() const override { return {stream_.exporter(), stream_.server_end_point()}; }

private:
    tls::Stream stream_;
};

class OpenSsl : public Crypto {
public:
    OpenSsl() { tls::own_process(); }
    Result<void> prepare(const config::Settings::Tls& settings) override {
        if (settings.certificate.empty()) return base::fail(Kind::config, "no certificate is set");
        const bool same = settings.certificate == files_.certificate && settings.key == files_.key &&
                          settings.sni_directory == files_.sni_directory && settings.minimum == files_.minimum &&
                          settings.ticket_key == files_.ticket_key;
        if (!context_ || !same || context_->stale()) {
            files_ = {settings.certificate, settings.key, settings.sni_directory, settings.minimum, settings.ticket_key};
            context_ = TRY(tls::ServerContext::load(files_));
        }
        return context_->tickets();
    }
    bool ready() const override { return context_.has_value(); }
    Result<std::unique_ptr<Channel>> accept(int in, int out, sys::Deadline deadline) override {
        if (!context_) return base::fail(Kind::internal, "TLS: no certificate was read");
        return std::make_unique<OpenSslChannel>(TRY(context_->accept(in, out, deadline)));
    }
    Hmac hmac_md5() const override { return tls::hmac_md5; }

private:
    tls::ServerFiles files_;
    std::optional<tls::ServerContext> context_;
};

}  // namespace

std::unique_ptr<Crypto> make_crypto() { return std::make_unique<OpenSsl>(); }

}  // namespace greylag::smtpd
