#include "smw/tls/client_ca.hpp"

#include "tls/inspect_details.hpp"
#include "tls/inspect_pem.hpp"
#include "tls/inspect_rules.hpp"
#include "tls/openssl.hpp"
#include "tls/pem.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace smw::tls {

namespace {

/// Of intermediate certificates: far above any, below what a stranger could make us verify.
constexpr int kMostDepth = 10;

/// What is to be said about a certificate of the file, if anything.
std::vector<std::string> suspicions(X509* certificate, std::string_view what, WallTime now) {
    std::vector<std::string> result;
    if (const auto dates = judge_dates(details_of(certificate), what, {now})) {
        result.push_back(dates->text);
    }
    if (const auto why = why_no_ca(certificate)) {
        result.push_back(
            fmt::format("{} {}: it verifies only who has this very certificate", what, *why));
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
        const auto what = fmt::format("certificate number {}", index + 1);
        for (auto& suspicion : suspicions(certificate, what, now)) {
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
