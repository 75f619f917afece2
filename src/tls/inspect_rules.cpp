#include "tls/inspect_rules.hpp"

#include "tls/inspect_details.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <numeric>

namespace smw::tls {
namespace {

constexpr int kSmallRsaBits = 2048;
/// crypto/tls refuses larger ones: a handshake with them is a means to keep a client busy.
constexpr int kLargeRsaBits = 8192;
/// What crypto/x509 reads, and crypto/tls can verify a handshake with.
constexpr std::array<std::string_view, 4> kUsualKeys{"EC P-256", "EC P-384", "EC P-521", "ED25519"};
/// Nobody has more; the walk below costs the square of it.
constexpr std::size_t kLongestChain = 16;

void suspect(Findings& findings, Rule rule, std::string text) {
    findings.push_back({Severity::Suspicious, rule, std::move(text)});
}

void refuse(Findings& findings, Rule rule, std::string text) {
    findings.push_back({Severity::Refused, rule, std::move(text)});
}

std::string position(const Chain& chain, std::size_t index) {
    return fmt::format("certificate number {} of the chain ({})", index + 1,
                       subject_of(chain[index].get()));
}

/// From the leaf to who signed it, and so on; the next in the text is preferred.
std::vector<std::size_t> path_from(const Chain& chain, std::size_t leaf) {
    std::vector<std::size_t> path{leaf};
    const auto is_next = [&](std::size_t index) {
        return std::ranges::find(path, index) == path.end() &&
               is_signed_by(chain[path.back()].get(), chain[index].get());
    };
    for (bool found = true; found;) {
        found = false;
        for (std::size_t step = 1; step < chain.size() && !found; ++step) {
            const std::size_t index = (path.back() + step) % chain.size();
            found = is_next(index);
            if (found) {
                path.push_back(index);
            }
        }
    }
    return path;
}

/// "write them in the order 2, 1, 3": the path, and then what does not belong to it.
std::string right_order(const Chain& chain, const std::vector<std::size_t>& path) {
    std::vector<std::size_t> numbers;
    numbers.reserve(chain.size());
    for (const auto index : path) {
        numbers.push_back(index + 1);
    }
    for (std::size_t index = 0; index < chain.size(); ++index) {
        if (std::ranges::find(path, index) == path.end()) {
            numbers.push_back(index + 1);
        }
    }
    return fmt::format("write them in the order {}", fmt::join(numbers, ", "));
}

bool is_sha1_or_worse(X509* certificate) {
    const int digest = signature_digest(certificate);
    return digest == NID_sha1 || digest == NID_md5 || digest == NID_md5_sha1;
}

/// A signature by oneself proves nothing, and nobody looks at it.
bool has_weak_signature(X509* certificate) {
    return is_sha1_or_worse(certificate) && !is_signed_by(certificate, certificate);
}

void judge_strength(Findings& findings, X509* leaf) {
    const EVP_PKEY* key = X509_get0_pubkey(leaf);
    const int bits = key == nullptr ? 0 : EVP_PKEY_get_bits(key);
    if (key != nullptr && EVP_PKEY_is_a(key, "RSA") == 1) {
        if (bits < kSmallRsaBits) {
            suspect(findings, Rule::SmallKey, fmt::format("its RSA key has only {} bits", bits));
        } else if (bits > kLargeRsaBits) {
            suspect(findings, Rule::UnusualKey,
                    fmt::format("its RSA key has {} bits, and API servers take {} at most", bits,
                                kLargeRsaBits));
        }
    } else if (const auto kind = details_of(leaf).key;
               std::ranges::find(kUsualKeys, kind) == kUsualKeys.end()) {
        suspect(findings, Rule::UnusualKey,
                fmt::format("its key ({}) is of a kind that API servers cannot use", kind));
    }
    if (is_sha1_or_worse(leaf)) {
        suspect(findings, Rule::WeakSignature,
                signature_digest(leaf) == NID_sha1
                    ? "it is signed with SHA-1, which API servers refuse"
                    : "it is signed with MD5, which API servers refuse");
    }
}

/// Crypto/tls does not look at keyUsage. OpenSSL has no suite of TLS 1.2 for an EC key that may not
/// sign, and as a client it wants a usage that is for TLS at all.
void judge_key_usage(Findings& findings, X509* leaf) {
    if (has_key_usage(leaf, KU_DIGITAL_SIGNATURE)) {
        return;
    }
    const EVP_PKEY* key = X509_get0_pubkey(leaf);
    const bool is_rsa = key != nullptr && EVP_PKEY_is_a(key, "RSA") == 1;
    suspect(findings, Rule::NotForSigning,
            fmt::format("its keyUsage lacks digitalSignature: {}clients other than API servers may "
                        "refuse it",
                        is_rsa ? "" : "TLS 1.2 does not work with it, and "));
}

void judge_names(Findings& findings, X509* leaf, const CertificateDetails& details,
                 const Expectation& expectation) {
    if (!expectation.names.empty() && !is_good_for(leaf, expectation.names.front())) {
        suspect(findings, Rule::MissingName,
                fmt::format("it has no SAN {}, which the API server asks for",
                            expectation.names.front()));
    } else if (details.names.empty()) {
        suspect(findings, Rule::NoNames,
                "it has no SAN at all; the common name does not count for API servers");
    }
    ERR_clear_error();
}

}  // namespace

std::size_t find_leaf(const Chain& chain, EVP_PKEY* key) {
    std::size_t leaf = 0;
    while (key != nullptr && leaf < chain.size() &&
           X509_check_private_key(chain[leaf].get(), key) != 1) {
        ++leaf;
    }
    ERR_clear_error();
    return leaf < chain.size() ? leaf : 0;
}

bool signs_for(X509* certificate, EVP_PKEY* key) {
    constexpr std::array<unsigned char, 32> kMessage{};
    const EVP_MD* digest = digest_for(key);
    using Context = std::unique_ptr<EVP_MD_CTX, Deleter<EVP_MD_CTX_free>>;
    const Context signing{EVP_MD_CTX_new()};
    const Context verifying{EVP_MD_CTX_new()};
    std::vector<unsigned char> signature(static_cast<std::size_t>(EVP_PKEY_get_size(key)));
    std::size_t size = signature.size();
    const bool good = EVP_DigestSignInit(signing.get(), nullptr, digest, nullptr, key) == 1 &&
                      EVP_DigestSign(signing.get(), signature.data(), &size, kMessage.data(),
                                     kMessage.size()) == 1 &&
                      EVP_DigestVerifyInit(verifying.get(), nullptr, digest, nullptr,
                                           X509_get0_pubkey(certificate)) == 1 &&
                      EVP_DigestVerify(verifying.get(), signature.data(), size, kMessage.data(),
                                       kMessage.size()) == 1;
    ERR_clear_error();
    return good;
}

void judge_key(Findings& findings, const Chain& chain, EVP_PKEY* key) {
    const std::size_t leaf = find_leaf(chain, key);
    X509* certificate = chain[leaf].get();
    const bool belongs = X509_check_private_key(certificate, key) == 1;
    ERR_clear_error();
    if (!belongs) {
        refuse(findings, Rule::ForeignKey,
               chain.size() == 1
                   ? "the private key does not belong to the first certificate of the chain; they "
                     "are of two different pairs"
                   : "the private key does not belong to the first certificate of the chain, nor "
                     "to another; they are of two different pairs");
        return;
    }
    if (leaf != 0) {
        const auto order = chain.size() > kLongestChain
                               ? std::string{}
                               : ": " + right_order(chain, path_from(chain, leaf));
        refuse(findings, Rule::LeafNotFirst,
               fmt::format("the private key belongs to certificate number {} of the chain; the "
                           "server's own must come first{}",
                           leaf + 1, order));
    }
    if (!signs_for(certificate, key)) {
        refuse(findings, Rule::DamagedKey,
               "the private key is damaged: what it signs does not verify with the certificate");
    }
}

void judge_order(Findings& findings, const Chain& chain, std::size_t leaf) {
    if (chain.size() > kLongestChain) {
        suspect(findings, Rule::NotNeeded,
                fmt::format("the chain has {} certificates, and a server needs two or three; "
                            "clients may refuse so many",
                            chain.size()));
        return;
    }
    if (leaf != 0) {
        return;  // that was told by judge_key(), with the right order
    }
    // Somebody whom the first one signed, and who signed nobody: the server's own.
    if (is_ca(chain.front().get())) {
        for (std::size_t index = 1; index < chain.size(); ++index) {
            const auto path = path_from(chain, index);
            if (!is_ca(chain[index].get()) && std::ranges::find(path, 0U) != path.end()) {
                refuse(findings, Rule::LeafNotFirst,
                       fmt::format("the chain begins with a CA; the server's own must come first: "
                                   "{}",
                                   right_order(chain, path)));
                return;
            }
        }
    }
    const auto path = path_from(chain, 0);
    if (!std::ranges::is_sorted(path)) {
        suspect(findings, Rule::WrongOrder,
                fmt::format("the chain is in the wrong order, for each certificate should be "
                            "signed by the next: {}",
                            right_order(chain, path)));
    }
    for (std::size_t index = 1; index < chain.size(); ++index) {
        if (std::ranges::find(path, index) == path.end()) {
            suspect(findings, Rule::NotNeeded,
                    fmt::format("{} did not sign any that come before it; leave it out",
                                position(chain, index)));
        }
    }
}

void judge_issuers(Findings& findings, const Chain& chain, std::size_t leaf, WallTime now) {
    if (chain.size() > kLongestChain) {
        return;
    }
    const auto path = path_from(chain, leaf);
    for (std::size_t step = 1; step < path.size(); ++step) {
        X509* issuer = chain[path[step]].get();
        const auto what = position(chain, path[step]);
        judge_ca(findings, issuer, what, Severity::Suspicious);
        if (auto time = judge_time(details_of(issuer), what, now)) {
            time->severity = Severity::Suspicious;
            findings.push_back(std::move(*time));
        }
        if (has_weak_signature(issuer)) {
            suspect(findings, Rule::WeakSignature,
                    fmt::format("{} is signed with SHA-1 or MD5, which API servers refuse", what));
        }
    }
}

void judge_leaf(Findings& findings, X509* leaf, const Expectation& expectation) {
    const auto details = details_of(leaf);
    if (!is_for(leaf, NID_server_auth)) {
        refuse(findings, Rule::NotForServers,
               fmt::format("the certificate is not for servers: serverAuth is not among its "
                           "extended key usages ({})",
                           fmt::join(details.usages, ", ")));
    }
    judge_key_usage(findings, leaf);
    if (auto dates =
            judge_dates(details, "the certificate", {expectation.now, expectation.expires_soon})) {
        findings.push_back(std::move(*dates));
    }
    judge_names(findings, leaf, details, expectation);
    judge_strength(findings, leaf);
    if ((X509_get_extension_flags(leaf) & EXFLAG_INVALID) != 0) {
        suspect(findings, Rule::UnreadableCertificate,
                "one of its extensions makes no sense, and API servers may refuse it");
    }
}

void judge_ca(Findings& findings, X509* ca, std::string_view what, Severity severity) {
    if (const auto why = why_no_ca(ca)) {
        findings.push_back(
            {severity, Rule::NotACa,
             fmt::format("{} {}, and API servers believe nothing that it signed", what, *why)});
    }
}

std::optional<Finding> judge_dates(const CertificateDetails& certificate, std::string_view what,
                                   Moment moment) {
    if (auto time = judge_time(certificate, what, moment.now)) {
        return time;
    }
    if (certificate.not_after - moment.now >= moment.soon) {
        return std::nullopt;
    }
    using std::chrono::ceil;
    using std::chrono::hours;
    return Finding{Severity::Suspicious, Rule::ExpiresSoon,
                   fmt::format("{} expires within {} hours, at {}", what,
                               ceil<hours>(moment.soon).count(), to_text(certificate.not_after))};
}

}  // namespace smw::tls
