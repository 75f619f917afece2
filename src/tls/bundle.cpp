#include "smw/tls/bundle.hpp"

#include "tls/inspect_details.hpp"
#include "tls/inspect_pem.hpp"
#include "tls/openssl.hpp"

#include <openssl/pem.h>

#include <algorithm>

namespace smw::tls {
namespace {

std::string canonical_pem(X509* certificate) {
    const Bio bio{BIO_new(BIO_s_mem())};
    PEM_write_bio_X509(bio.get(), certificate);
    char* text = nullptr;
    const long size = BIO_get_mem_data(bio.get(), &text);
    return {text, static_cast<std::size_t>(size)};
}

std::string without_blanks(std::string_view text) {
    std::string out;
    std::ranges::copy_if(text, std::back_inserter(out), [](char letter) {
        return letter != ' ' && letter != '\t' && letter != '\r' && letter != '\n';
    });
    return out;
}

}  // namespace

std::vector<BundleCertificate> read_bundle(std::string_view pem) {
    std::vector<BundleCertificate> certificates;
    for (const auto& block : split_pem(pem)) {
        if (block.label != PEM_STRING_X509 || !block.is_ended) {
            continue;
        }
        const auto parsed = parse_chain(block.text, "the bundle");
        if (parsed.certificates.size() != 1) {
            continue;
        }
        X509* certificate = parsed.certificates.front().get();
        auto canonical = canonical_pem(certificate);
        // OpenSSL reads more than Go does: bytes after the DER, headers, BER.
        if (without_blanks(block.text) == without_blanks(canonical)) {
            certificates.push_back({details_of(certificate), std::move(canonical)});
        }
    }
    ERR_clear_error();
    return certificates;
}

}  // namespace smw::tls
