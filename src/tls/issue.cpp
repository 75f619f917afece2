#include "smw/tls/issue.hpp"

#include "smw/tls/identity.hpp"
#include "tls/inspect_details.hpp"
#include "tls/inspect_pem.hpp"
#include "tls/openssl.hpp"

#include <fmt/format.h>
#include <openssl/bn.h>
#include <openssl/pem.h>
#include <openssl/rand.h>

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <optional>

namespace smw::tls {
namespace {

constexpr std::chrono::hours kBackdated{1};  // for callers whose clock is behind
constexpr std::chrono::hours kEphemeralLifetime{24 * 365};
constexpr int kSerialBits = 128;
constexpr std::size_t kLongestCommonName = 64;  // ub-common-name, RFC 5280 appendix A.1

struct Validity {
    WallTime from;
    WallTime until;
};

tl::unexpected<Error> issuing_failed() {
    return fail(Code::Internal, fmt::format("issuing a certificate: {}", take_openssl_error()));
}

tl::unexpected<Error> bad_request(std::string why) {
    return fail(Code::BadRequest, "issuing a certificate: " + std::move(why));
}

/// Two CAs with the same name and serial confuse verifiers (RFC 5280 section 4.1.2.2).
bool set_random_serial(X509* certificate) {
    const std::unique_ptr<BIGNUM, Deleter<BN_free>> number{BN_new()};
    return BN_rand(number.get(), kSerialBits, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY) == 1 &&
           BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) != nullptr;
}

bool set_validity(X509* certificate, const Validity& validity) {
    using std::chrono::system_clock;
    return ASN1_TIME_set(X509_getm_notBefore(certificate),
                         system_clock::to_time_t(validity.from)) != nullptr &&
           ASN1_TIME_set(X509_getm_notAfter(certificate),
                         system_clock::to_time_t(validity.until)) != nullptr;
}

/// On its way: all but issuer, extensions and signature.
struct Begun {
    Key key;
    Certificate certificate;
};

Expected<Begun> begin(const std::string& common_name, const Validity& validity) {
    if (common_name.empty() || common_name.size() > kLongestCommonName) {
        return bad_request(fmt::format("its common name must have 1 to {} bytes, and has {}",
                                       kLongestCommonName, common_name.size()));
    }
    Begun begun{Key{EVP_EC_gen("P-256")}, Certificate{X509_new()}};
    X509* certificate = begun.certificate.get();
    const bool good =
        begun.key && certificate != nullptr && X509_set_version(certificate, X509_VERSION_3) == 1 &&
        set_random_serial(certificate) && set_validity(certificate, validity) &&
        X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_UTF8,
                                   reinterpret_cast<const unsigned char*>(common_name.data()),
                                   static_cast<int>(common_name.size()), -1, 0) == 1 &&
        X509_set_pubkey(certificate, begun.key.get()) == 1;
    if (!good) {
        return issuing_failed();
    }
    return begun;
}

/// `value` in the words of x509v3_config(5), and never anything that came from outside.
bool add_extension(X509* certificate, X509* issuer, int nid, const char* value) {
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
    const Extension extension{X509V3_EXT_conf_nid(nullptr, &context, nid, value)};
    return extension && X509_add_ext(certificate, extension.get(), -1) == 1;
}

/// The bytes of an IPv4 or IPv6 address; nothing when it is none.
std::optional<std::string> address_of(const std::string& name) {
    std::array<char, 16> bytes{};
    if (::inet_pton(AF_INET, name.c_str(), bytes.data()) == 1) {
        return std::string{bytes.data(), 4};
    }
    if (::inet_pton(AF_INET6, name.c_str(), bytes.data()) == 1) {
        return std::string{bytes.data(), bytes.size()};
    }
    return std::nullopt;
}

/// Resolvers and browsers take such a name for an address (RFC 3696 section 2: no top-level domain
/// is all digits): 10.0.0.256.
bool ends_in_number(std::string_view name) {
    const auto last = name.substr(name.rfind('.') + 1);
    return std::ranges::all_of(last, [](char letter) { return letter >= '0' && letter <= '9'; });
}

/// RFC 1034 section 3.5, and the underscore that some networks have.
bool is_dns_name(std::string_view name) {
    if (name.starts_with("*.")) {
        name.remove_prefix(2);
    }
    constexpr std::size_t kLongestName = 253;
    constexpr std::size_t kLongestLabel = 63;
    std::size_t label = 0;
    for (const char letter : name) {
        const bool allowed = (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
                             (letter >= '0' && letter <= '9') || letter == '-' || letter == '_';
        if (letter == '.' ? label == 0 : !allowed) {
            return false;
        }
        label = letter == '.' ? 0 : label + 1;
        if (label > kLongestLabel) {
            return false;
        }
    }
    return label > 0 && name.size() <= kLongestName && !ends_in_number(name);
}

GENERAL_NAME* make_name(const std::string& name) {
    const auto address = address_of(name);
    const std::string& bytes = address ? *address : name;
    using Text = std::unique_ptr<ASN1_STRING, Deleter<ASN1_STRING_free>>;
    Text text{ASN1_STRING_type_new(address ? V_ASN1_OCTET_STRING : V_ASN1_IA5STRING)};
    using Name = std::unique_ptr<GENERAL_NAME, Deleter<GENERAL_NAME_free>>;
    Name made{GENERAL_NAME_new()};
    if (!text || !made ||
        ASN1_STRING_set(text.get(), bytes.data(), static_cast<int>(bytes.size())) != 1) {
        return nullptr;
    }
    GENERAL_NAME_set0_value(made.get(), address ? GEN_IPADD : GEN_DNS, text.release());
    return made.release();
}

bool add_names(X509* certificate, const std::vector<std::string>& names) {
    const Names all{GENERAL_NAMES_new()};
    for (const auto& name : names) {
        GENERAL_NAME* made = make_name(name);
        if (made == nullptr || sk_GENERAL_NAME_push(all.get(), made) == 0) {
            GENERAL_NAME_free(made);
            return false;
        }
    }
    return X509_add1_ext_i2d(certificate, NID_subject_alt_name, all.get(), 0, X509V3_ADD_DEFAULT) ==
           1;
}

/// What `made` says is whether all that came after begin() succeeded.
Expected<Issued> finish(const Begun& begun, bool made) {
    if (!made) {
        return issuing_failed();
    }
    const Bio certificate{BIO_new(BIO_s_mem())};
    PEM_write_bio_X509(certificate.get(), begun.certificate.get());
    const Bio key{BIO_new(BIO_s_mem())};
    PEM_write_bio_PrivateKey(key.get(), begun.key.get(), nullptr, nullptr, 0, nullptr, nullptr);
    return Issued{content(certificate), content(key)};
}

/// A CA of somebody's own may have no identifier that could be repeated.
bool add_authority(X509* leaf, X509* ca) {
    return X509_get0_subject_key_id(ca) == nullptr ||
           add_extension(leaf, ca, NID_authority_key_identifier, "keyid");
}

/// Everything but where names, lifetimes and the CA come from.
Expected<Issued> sign_leaf(const LeafRequest& request, const Validity& validity, X509* ca,
                           EVP_PKEY* ca_key) {
    const auto begun = begin(request.common_name, validity);
    if (!begun) {
        return tl::unexpected(begun.error());
    }
    X509* leaf = begun->certificate.get();
    const bool made = X509_set_issuer_name(leaf, X509_get_subject_name(ca)) == 1 &&
                      add_extension(leaf, ca, NID_basic_constraints, "critical,CA:FALSE") &&
                      add_extension(leaf, ca, NID_key_usage, "critical,digitalSignature") &&
                      add_extension(leaf, ca, NID_ext_key_usage, "serverAuth") &&
                      add_extension(leaf, ca, NID_subject_key_identifier, "hash") &&
                      add_authority(leaf, ca) && add_names(leaf, request.names) &&
                      X509_sign(leaf, ca_key, digest_for(ca_key)) != 0;
    return finish(*begun, made);
}

/// What is refused of the CA, or of the request.
Expected<void> check(const LeafRequest& request, const Inspection& authority) {
    for (const auto& finding : authority.findings) {
        if (finding.severity == Severity::Refused) {
            return bad_request(finding.text);
        }
    }
    if (request.names.empty()) {
        return bad_request("it needs at least one name");
    }
    for (const auto& name : request.names) {
        if (!address_of(name) && !is_dns_name(name)) {
            return bad_request(fmt::format("\"{}\" is neither a DNS name nor an IP address", name));
        }
    }
    if (request.lifetime <= std::chrono::seconds{0}) {
        return bad_request("its lifetime must be more than nothing");
    }
    return {};
}

}  // namespace

Expected<Issued> issue_ca(const CaRequest& request) {
    ERR_clear_error();
    if (request.lifetime <= std::chrono::seconds{0}) {
        return bad_request("its lifetime must be more than nothing");
    }
    const auto begun =
        begin(request.common_name, {request.now - kBackdated, request.now + request.lifetime});
    if (!begun) {
        return tl::unexpected(begun.error());
    }
    X509* ca = begun->certificate.get();
    const bool made = X509_set_issuer_name(ca, X509_get_subject_name(ca)) == 1 &&
                      add_extension(ca, ca, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
                      add_extension(ca, ca, NID_key_usage, "critical,keyCertSign,cRLSign") &&
                      add_extension(ca, ca, NID_subject_key_identifier, "hash") &&
                      add_extension(ca, ca, NID_authority_key_identifier, "keyid") &&
                      X509_sign(ca, begun->key.get(), digest_for(begun->key.get())) != 0;
    return finish(*begun, made);
}

Expected<Issued> issue_leaf(const LeafRequest& request, const Issued& ca) {
    const auto authority = inspect_authority({ca.certificate_pem, ca.key_pem}, request.now);
    if (auto checked = check(request, authority); !checked) {
        return tl::unexpected(checked.error());
    }
    const auto certificates = parse_chain(ca.certificate_pem, "the CA").certificates;
    const Key key = parse_key(ca.key_pem).key;
    // One that outlives its CA would not be believed to its end.
    const auto until =
        std::min(request.now + request.lifetime, authority.certificates.front().not_after);
    return sign_leaf(request, {request.now - kBackdated, until}, certificates.front().get(),
                     key.get());
}

std::string make_ca_name() {
    std::array<unsigned char, 4> random{};
    RAND_bytes(random.data(), static_cast<int>(random.size()));
    return fmt::format("stateful-migration-webhook-ca-{:02x}{:02x}{:02x}{:02x}", random[0],
                       random[1], random[2], random[3]);
}

std::vector<std::string> dns_names(const ServiceAddress& service) {
    const auto in_namespace = fmt::format("{}.{}", service.name, service.namespace_);
    std::vector<std::string> names{in_namespace + ".svc", in_namespace, service.name,
                                   fmt::format("{}.svc.{}", in_namespace, service.cluster_domain)};
    // Namespaces may be all digits.
    std::erase_if(names, ends_in_number);
    return names;
}

Expected<Ephemeral> make_ephemeral(const Expectation& expectation) {
    const auto ca = issue_ca({make_ca_name(), expectation.now, kEphemeralLifetime});
    if (!ca) {
        return tl::unexpected(ca.error());
    }
    auto leaf = issue_leaf(
        {"stateful-migration-webhook", expectation.names, expectation.now, kEphemeralLifetime},
        *ca);
    if (!leaf) {
        return tl::unexpected(leaf.error());
    }
    auto identity =
        make_identity(std::move(leaf->certificate_pem), std::move(leaf->key_pem), expectation);
    if (!identity) {
        return annotate(identity.error(), "checking the certificate just issued");
    }
    Ephemeral ephemeral;
    ephemeral.identity = std::move(*identity);
    ephemeral.ca_pem = ca->certificate_pem;
    return ephemeral;
}

}  // namespace smw::tls
