#include "smw/tls/identity.hpp"

#include "tls/openssl.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <openssl/pem.h>

#include <arpa/inet.h>
#include <array>
#include <ctime>

namespace smw::tls {

namespace {

constexpr std::chrono::hours kExpiresSoon{72};
constexpr int kSmallRsaBits = 2048;

WallTime to_wall(const ASN1_TIME* time) {
    std::tm fields{};
    ASN1_TIME_to_tm(time, &fields);
    return std::chrono::system_clock::from_time_t(::timegm(&fields));
}

std::string address_text(const ASN1_OCTET_STRING* address) {
    std::array<char, INET6_ADDRSTRLEN> text{};
    const int family = ASN1_STRING_length(address) == 4 ? AF_INET : AF_INET6;
    if (ASN1_STRING_length(address) != 4 && ASN1_STRING_length(address) != 16) {
        return "";
    }
    ::inet_ntop(family, ASN1_STRING_get0_data(address), text.data(), text.size());
    return text.data();
}

std::vector<std::string> subject_alternative_names(X509* leaf) {
    std::vector<std::string> result;
    const Names names{static_cast<GENERAL_NAMES*>(
        X509_get_ext_d2i(leaf, NID_subject_alt_name, nullptr, nullptr))};
    for (int index = 0; names && index < sk_GENERAL_NAME_num(names.get()); ++index) {
        const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), index);
        if (name->type == GEN_DNS) {
            const auto* text = ASN1_STRING_get0_data(name->d.dNSName);
            const auto size = static_cast<std::size_t>(ASN1_STRING_length(name->d.dNSName));
            result.emplace_back(reinterpret_cast<const char*>(text), size);
        } else if (name->type == GEN_IPADD) {
            result.push_back(address_text(name->d.iPAddress));
        }
    }
    return result;
}

Expected<std::vector<Certificate>> read_chain(const std::string& pem) {
    std::vector<Certificate> chain;
    const Bio bio = read_only(pem);
    while (X509* certificate = PEM_read_bio_X509(bio.get(), nullptr, no_passphrase, nullptr)) {
        chain.emplace_back(certificate);
    }
    const unsigned long last = ERR_peek_last_error();
    const bool at_end = ERR_GET_REASON(last) == PEM_R_NO_START_LINE;
    if (!at_end) {
        return fail(Code::BadRequest, fmt::format("certificate number {} cannot be read: {}",
                                                  chain.size() + 1, take_openssl_error()));
    }
    ERR_clear_error();
    if (chain.empty()) {
        return fail(Code::BadRequest, "there is no PEM certificate in the chain");
    }
    return chain;
}

Expected<Key> read_key(const std::string& pem) {
    const Bio bio = read_only(pem);
    Key key{PEM_read_bio_PrivateKey(bio.get(), nullptr, no_passphrase, nullptr)};
    if (key) {
        return key;
    }
    const std::string why = take_openssl_error();
    if (pem.find("PRIVATE KEY-----") == std::string::npos) {
        return fail(Code::BadRequest, "there is no PEM private key in the key file");
    }
    if (pem.find("ENCRYPTED") != std::string::npos) {
        return fail(Code::BadRequest,
                    "the private key is encrypted; store it without a passphrase");
    }
    return fail(Code::BadRequest, fmt::format("the private key cannot be read: {}", why));
}

/// As a caller would verify it: wildcards count, the common name does not.
bool is_good_for(X509* leaf, const std::string& name) {
    return X509_check_ip_asc(leaf, name.c_str(), 0) == 1 ||
           X509_check_host(leaf, name.data(), name.size(), X509_CHECK_FLAG_NEVER_CHECK_SUBJECT,
                           nullptr) == 1;
}

/// Why `key` is not the first certificate's, when another's it is.
Error mismatch(const std::vector<Certificate>& chain, EVP_PKEY* key) {
    Error error{Code::BadRequest,
                "the private key does not belong to the first certificate of the chain"};
    for (std::size_t index = 1; index < chain.size(); ++index) {
        if (X509_check_private_key(chain[index].get(), key) == 1) {
            error.message = fmt::format(
                "the private key belongs to certificate number {} of the chain; the server's own "
                "must come first",
                index + 1);
        }
    }
    ERR_clear_error();
    return error;
}

std::vector<std::string> suspicions(X509* leaf, const Identity& identity,
                                    const Expectation& expectation) {
    std::vector<std::string> result;
    if (!expectation.names.empty() && !is_good_for(leaf, expectation.names.front())) {
        result.push_back(fmt::format("it has no SAN {}, which the API server asks for",
                                     expectation.names.front()));
    }
    if (identity.not_after > expectation.now &&
        identity.not_after - expectation.now < kExpiresSoon) {
        result.push_back(fmt::format("it expires within {} hours", kExpiresSoon.count()));
    }
    EVP_PKEY* key = X509_get0_pubkey(leaf);
    if (EVP_PKEY_is_a(key, "RSA") != 0 && EVP_PKEY_get_bits(key) < kSmallRsaBits) {
        result.push_back(fmt::format("its RSA key has only {} bits", EVP_PKEY_get_bits(key)));
    }
    if (X509_get_signature_nid(leaf) == NID_sha1WithRSAEncryption ||
        X509_get_signature_nid(leaf) == NID_ecdsa_with_SHA1) {
        result.emplace_back("it is signed with SHA-1, which API servers refuse");
    }
    return result;
}

}  // namespace

Expected<Identity> make_identity(std::string chain_pem, std::string key_pem,
                                 const Expectation& expectation) {
    ERR_clear_error();
    const auto chain = read_chain(chain_pem);
    if (!chain) {
        return tl::unexpected(chain.error());
    }
    const auto key = read_key(key_pem);
    if (!key) {
        return tl::unexpected(key.error());
    }
    X509* leaf = chain->front().get();
    if (X509_check_private_key(leaf, key->get()) != 1) {
        return tl::unexpected(mismatch(*chain, key->get()));
    }
    if ((X509_get_extension_flags(leaf) & EXFLAG_XKUSAGE) != 0 &&
        (X509_get_extended_key_usage(leaf) & (XKU_SSL_SERVER | XKU_ANYEKU)) == 0) {
        return fail(Code::BadRequest,
                    "the certificate is not for servers: serverAuth is not among "
                    "its extended key usages");
    }
    Identity identity;
    identity.not_before = to_wall(X509_get0_notBefore(leaf));
    identity.not_after = to_wall(X509_get0_notAfter(leaf));
    identity.names = subject_alternative_names(leaf);
    identity.warnings = suspicions(leaf, identity, expectation);
    identity.chain_pem = std::move(chain_pem);
    identity.key_pem = std::move(key_pem);
    return identity;
}

Expected<void> validity(const Identity& identity, WallTime now) {
    const auto text = [](WallTime time) {
        return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}",
                           fmt::gmtime(std::chrono::system_clock::to_time_t(time)));
    };
    if (now >= identity.not_after) {
        return fail(Code::BadRequest,
                    fmt::format("the certificate expired at {}", text(identity.not_after)));
    }
    if (now < identity.not_before) {
        return fail(Code::BadRequest, fmt::format("the certificate is not valid before {}",
                                                  text(identity.not_before)));
    }
    return {};
}

}  // namespace smw::tls
