#include "smw/tls/client_ca.hpp"

#include "tls/openssl.hpp"
#include "tls/pem.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace smw::tls {

namespace {

constexpr std::chrono::hours kExpiresSoon{72};
/// Of intermediate certificates: far above any, below what a stranger could make us verify.
constexpr int kMostDepth = 10;

/// What is to be said about the CA that is number `number` of its file, if anything.
std::vector<std::string> suspicions(X509* certificate, std::size_t number, WallTime now) {
    std::vector<std::string> result;
    const WallTime not_before = wall_time(X509_get0_notBefore(certificate));
    const WallTime not_after = wall_time(X509_get0_notAfter(certificate));
    if (now >= not_after) {
        result.push_back(
            fmt::format("certificate number {} expired at {}", number, utc_text(not_after)));
    } else if (now < not_before) {
        result.push_back(fmt::format("certificate number {} is not valid before {}", number,
                                     utc_text(not_before)));
    } else if (not_after - now < kExpiresSoon) {
        result.push_back(fmt::format("certificate number {} expires within {} hours", number,
                                     kExpiresSoon.count()));
    }
    if (X509_check_ca(certificate) == 0) {
        result.push_back(fmt::format(
            "certificate number {} is no CA: it verifies only who has this very certificate",
            number));
    }
    return result;
}

}  // namespace

Expected<std::shared_ptr<const ClientCa>> ClientCa::make(const std::string& pem, WallTime now) {
    const auto certificates = read_certificates(pem, "the client CA");
    if (!certificates) {
        return tl::unexpected(certificates.error());
    }
    const std::shared_ptr<ClientCa> made{new ClientCa};
    made->store_ = {X509_STORE_new(), X509_STORE_free};
    if (!made->store_) {
        return fail(Code::Internal, "making a certificate store: " + take_openssl_error());
    }
    // As Go does: what the file holds is trusted, an intermediate without its root, too.
    X509_STORE_set_flags(made->store_.get(), X509_V_FLAG_PARTIAL_CHAIN);
    X509_STORE_set_depth(made->store_.get(), kMostDepth);
    for (std::size_t index = 0; index < certificates->size(); ++index) {
        X509* certificate = (*certificates)[index].get();
        if (X509_STORE_add_cert(made->store_.get(), certificate) != 1) {
            return fail(Code::BadRequest, fmt::format("certificate number {} of the client CA "
                                                      "cannot be used: {}",
                                                      index + 1, take_openssl_error()));
        }
        made->dates_.push_back({wall_time(X509_get0_notBefore(certificate)),
                                wall_time(X509_get0_notAfter(certificate))});
        for (auto& suspicion : suspicions(certificate, index + 1, now)) {
            made->warnings_.push_back(std::move(suspicion));
        }
    }
    return std::shared_ptr<const ClientCa>{made};
}

Expected<void> ClientCa::validity(WallTime now) const {
    WallTime next = WallTime::max();
    WallTime last = WallTime::min();
    for (const auto& [not_before, not_after] : dates_) {
        if (not_before <= now && now < not_after) {
            return {};
        }
        next = now < not_before ? std::min(next, not_before) : next;
        last = std::max(last, not_after);
    }
    const bool expired = next == WallTime::max();
    return fail(Code::BadRequest,
                expired ? fmt::format("the client CA expired at {}", utc_text(last))
                        : fmt::format("the client CA is not valid before {}", utc_text(next)));
}

WallTime ClientCa::expiry() const {
    const auto earlier = [](const Dates& left, const Dates& right) {
        return left.not_after < right.not_after;
    };
    return std::min_element(dates_.begin(), dates_.end(), earlier)->not_after;
}

}  // namespace smw::tls
