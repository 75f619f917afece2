#include "smw/tls/serving.hpp"

#include "tls/openssl.hpp"

#include <utility>

namespace smw::tls {
namespace {

/// SHA-256, by which a pair is known again without its key being kept.
std::string digest_of(const std::string& chain_pem, const std::string& key_pem) {
    using Context = std::unique_ptr<EVP_MD_CTX, Deleter<EVP_MD_CTX_free>>;
    const Context context{EVP_MD_CTX_new()};
    std::string digest(EVP_MAX_MD_SIZE, '\0');
    unsigned int size = 0;
    EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr);
    EVP_DigestUpdate(context.get(), chain_pem.c_str(), chain_pem.size() + 1);  // and its end
    EVP_DigestUpdate(context.get(), key_pem.data(), key_pem.size());
    EVP_DigestFinal_ex(context.get(), reinterpret_cast<unsigned char*>(digest.data()), &size);
    digest.resize(size);
    return digest;
}

}  // namespace

Serving::Serving(ServingSettings settings, const Clock& clock, log::Logger logger,
                 metrics::Registry& metrics)
    : settings_(std::move(settings)),
      clock_(clock),
      reload_({"serving", "Serving certificate", settings_.from}, clock, std::move(logger),
              metrics) {}

void Serving::see(std::string chain_pem, std::string key_pem) {
    std::string content = digest_of(chain_pem, key_pem);
    if (reload_.in_force(content)) {
        reload_.settle();
    } else {
        judge(std::move(chain_pem), std::move(key_pem), std::move(content));
    }
    watch_validity();
}

void Serving::see_none(std::string why) {
    reload_.refuse({std::move(why), std::nullopt, true});
    watch_validity();
}

/// Again at each look, so that a pair that is not valid yet is taken when its time has come.
void Serving::judge(std::string chain_pem, std::string key_pem, std::string content) {
    const WallTime now = clock_.wall();
    auto identity = make_identity(std::move(chain_pem), std::move(key_pem),
                                  {settings_.expected_names, now, settings_.expires_soon});
    if (!identity) {
        reload_.refuse({identity.error().message, std::move(content), true});
        return;
    }
    // An expired pair at the start is served: a caller may still accept it, and refusing helps
    // nobody. Later the old pair is better.
    const auto valid = validity(*identity, now);
    if (!valid && reload_.in_force()) {
        reload_.refuse({valid.error().message, std::move(content), false});
        return;
    }
    Reload::Taken taken{std::move(content), identity->not_after, identity->warnings};
    auto context = ServerContext::make(std::move(*identity), settings_.server);
    if (!context) {
        reload_.refuse({context.error().message, std::move(taken.content), false});
        return;
    }
    contexts_.publish(std::move(*context));
    reload_.take(std::move(taken));
}

void Serving::watch_validity() {
    if (const auto context = contexts_.load()) {
        reload_.watch_validity(validity(context->identity(), clock_.wall()));
    }
}

}  // namespace smw::tls
