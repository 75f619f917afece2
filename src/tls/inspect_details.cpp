#include "tls/inspect_details.hpp"

#include "tls/pem.hpp"

#include <fmt/format.h>
#include <openssl/bn.h>
#include <openssl/ec.h>

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <string_view>

namespace smw::tls {
namespace {

constexpr std::size_t kLongestSubject = 256;

std::vector<std::string> subject_alternative_names(X509* certificate) {
    std::vector<std::string> result;
    const Names names = alternative_names(certificate);
    for (int index = 0; names && index < sk_GENERAL_NAME_num(names.get()); ++index) {
        const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), index);
        if (name->type == GEN_DNS) {
            result.push_back(bytes_of(name->d.dNSName));
        } else if (name->type == GEN_IPADD) {
            result.push_back(text_of(name->d.iPAddress));
        }
    }
    return result;
}

std::string object_text(const ASN1_OBJECT* object) {
    if (const int nid = OBJ_obj2nid(object); nid != NID_undef) {
        return OBJ_nid2sn(nid);
    }
    std::array<char, 80> text{};
    OBJ_obj2txt(text.data(), static_cast<int>(text.size()), object, 1);
    return text.data();
}

using Usages = std::unique_ptr<EXTENDED_KEY_USAGE, Deleter<EXTENDED_KEY_USAGE_free>>;

/// Null: there is no such extension.
Usages usages_of(X509* certificate) {
    return Usages{static_cast<EXTENDED_KEY_USAGE*>(
        X509_get_ext_d2i(certificate, NID_ext_key_usage, nullptr, nullptr))};
}

std::vector<std::string> extended_key_usages(X509* certificate) {
    const Usages usages = usages_of(certificate);
    std::vector<std::string> result;
    for (int index = 0; usages && index < sk_ASN1_OBJECT_num(usages.get()); ++index) {
        result.push_back(object_text(sk_ASN1_OBJECT_value(usages.get(), index)));
    }
    return result;
}

std::string curve_of(const EVP_PKEY* key) {
    std::array<char, 80> group{};
    if (EVP_PKEY_get_group_name(key, group.data(), group.size(), nullptr) != 1) {
        return "with parameters of its own";
    }
    const char* nist = EC_curve_nid2nist(OBJ_sn2nid(group.data()));
    return nist != nullptr ? nist : group.data();
}

std::string key_text(const EVP_PKEY* key) {
    const char* type = key == nullptr ? nullptr : EVP_PKEY_get0_type_name(key);
    if (type == nullptr) {
        return "unknown";
    }
    if (EVP_PKEY_is_a(key, "EC") == 1) {
        return fmt::format("EC {}", curve_of(key));
    }
    if (EVP_PKEY_is_a(key, "RSA") == 1 || EVP_PKEY_is_a(key, "RSA-PSS") == 1 ||
        EVP_PKEY_is_a(key, "DSA") == 1) {
        return fmt::format("{} {}", type, EVP_PKEY_get_bits(key));
    }
    return type;
}

std::string hexadecimal(const unsigned char* bytes, std::size_t size) {
    std::string text;
    for (std::size_t at = 0; at < size; ++at) {
        text += fmt::format("{:02x}", bytes[at]);
    }
    return text;
}

std::string serial_text(const X509* certificate) {
    const ASN1_INTEGER* serial = X509_get0_serialNumber(certificate);
    return hexadecimal(ASN1_STRING_get0_data(serial),
                       static_cast<std::size_t>(ASN1_STRING_length(serial)));
}

std::string fingerprint(const X509* certificate) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned int size = 0;
    X509_digest(certificate, EVP_sha256(), digest.data(), &size);
    return hexadecimal(digest.data(), size);
}

std::string lower_case(std::string_view text) {
    std::string lower{text};
    std::ranges::transform(lower, lower.begin(), [](char letter) {
        return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter + ('a' - 'A')) : letter;
    });
    return lower;
}

/// As Go's crypto/x509 does, by which API servers call: an asterisk stands for the whole first
/// label, and for nothing else. OpenSSL also takes one for a part of it, but none before a single
/// label.
bool matches(std::string_view pattern, std::string_view name) {
    if (name.ends_with('.')) {
        name.remove_suffix(1);
    }
    if (pattern.starts_with("*.")) {
        const auto dot = name.find('.');
        if (dot == 0 || dot == std::string_view::npos) {
            return false;
        }
        pattern.remove_prefix(1);
        name.remove_prefix(dot);
    }
    return !name.empty() && lower_case(pattern) == lower_case(name);
}

}  // namespace

CertificateDetails details_of(X509* certificate) {
    CertificateDetails details;
    details.subject = subject_of(certificate);
    details.issuer = text_of(X509_get_issuer_name(certificate));
    details.serial = serial_text(certificate);
    details.sha256 = fingerprint(certificate);
    details.key = key_text(X509_get0_pubkey(certificate));
    details.signature = OBJ_nid2sn(X509_get_signature_nid(certificate));
    details.names = subject_alternative_names(certificate);
    details.usages = extended_key_usages(certificate);
    details.is_ca = is_ca(certificate);
    details.not_before = wall_time(X509_get0_notBefore(certificate));
    details.not_after = wall_time(X509_get0_notAfter(certificate));
    ERR_clear_error();  // of extensions that cannot be read
    return details;
}

bool is_good_for(X509* leaf, const std::string& name) {
    std::array<unsigned char, 16> bytes{};
    const bool is_address = ::inet_pton(AF_INET, name.c_str(), bytes.data()) == 1 ||
                            ::inet_pton(AF_INET6, name.c_str(), bytes.data()) == 1;
    if (is_address) {
        return X509_check_ip_asc(leaf, name.c_str(), 0) == 1;
    }
    // Of the SANs that are addresses none is spelt as a name.
    return std::ranges::any_of(subject_alternative_names(leaf),
                               [&](const std::string& pattern) { return matches(pattern, name); });
}

bool is_ca(X509* certificate) {
    return (X509_get_extension_flags(certificate) & EXFLAG_CA) != 0;
}

std::optional<std::string> why_no_ca(X509* certificate) {
    // A root of version 1 has no extensions to say it with.
    constexpr std::uint32_t kOldRoot = EXFLAG_V1 | EXFLAG_SS;
    if (!is_ca(certificate) && (X509_get_extension_flags(certificate) & kOldRoot) != kOldRoot) {
        return "is no CA (its basicConstraints lack CA:TRUE)";
    }
    if (!has_key_usage(certificate, KU_KEY_CERT_SIGN)) {
        return "may not sign certificates (its keyUsage lacks keyCertSign)";
    }
    return std::nullopt;
}

bool is_for(X509* certificate, int usage) {
    const Usages usages = usages_of(certificate);
    const int count = usages ? sk_ASN1_OBJECT_num(usages.get()) : 0;
    bool allowed = count == 0;
    for (int index = 0; index < count && !allowed; ++index) {
        const int nid = OBJ_obj2nid(sk_ASN1_OBJECT_value(usages.get(), index));
        allowed = nid == usage || nid == NID_anyExtendedKeyUsage;
    }
    ERR_clear_error();
    return allowed;
}

bool has_key_usage(X509* certificate, std::uint32_t usages) {
    const std::uint32_t flags = X509_get_extension_flags(certificate);
    const bool is_told = (flags & EXFLAG_KUSAGE) != 0 && (flags & EXFLAG_INVALID) == 0;
    return !is_told || (X509_get_key_usage(certificate) & usages) != 0;
}

int signature_digest(X509* certificate) {
    int digest = NID_undef;
    X509_get_signature_info(certificate, &digest, nullptr, nullptr, nullptr);
    ERR_clear_error();
    return digest;
}

const EVP_MD* digest_for(EVP_PKEY* key) {
    const bool hashes = EVP_PKEY_is_a(key, "ED25519") == 1 || EVP_PKEY_is_a(key, "ED448") == 1;
    return hashes ? nullptr : EVP_sha256();
}

bool is_signed_by(X509* certificate, X509* issuer) {
    const bool named =
        X509_NAME_cmp(X509_get_issuer_name(certificate), X509_get_subject_name(issuer)) == 0;
    const bool signs = named && X509_verify(certificate, X509_get0_pubkey(issuer)) == 1;
    ERR_clear_error();
    return signs;
}

std::string text_of(const X509_NAME* name) {
    const Bio bio{BIO_new(BIO_s_mem())};
    X509_NAME_print_ex(bio.get(), name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB);
    const auto text = content(bio);
    return text.size() <= kLongestSubject ? text : text.substr(0, kLongestSubject) + "...";
}

std::string text_of(const ASN1_OCTET_STRING* address) {
    std::array<char, INET6_ADDRSTRLEN> text{};
    const int size = ASN1_STRING_length(address);
    if (size != 4 && size != 16) {
        return "";
    }
    ::inet_ntop(size == 4 ? AF_INET : AF_INET6, ASN1_STRING_get0_data(address), text.data(),
                text.size());
    return text.data();
}

std::string bytes_of(const ASN1_STRING* text) {
    return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
            static_cast<std::size_t>(ASN1_STRING_length(text))};
}

Names alternative_names(X509* certificate) {
    return Names{static_cast<GENERAL_NAMES*>(
        X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr))};
}

std::string subject_of(X509* certificate) {
    const auto* name = X509_get_subject_name(certificate);
    return X509_NAME_entry_count(name) == 0 ? "(empty)" : text_of(name);
}

}  // namespace smw::tls
