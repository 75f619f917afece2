#include "smw/cert_rotation/bundle.hpp"

#include <algorithm>

namespace smw::cert_rotation {
namespace {

constexpr std::string_view kBegin = "-----BEGIN ";

std::size_t count(std::string_view text, std::string_view what) {
    std::size_t found = 0;
    for (auto at = text.find(what); at != std::string_view::npos; at = text.find(what, at + 1)) {
        ++found;
    }
    return found;
}

}  // namespace

Bundle Bundle::parse(std::string_view pem) {
    const auto certificates = tls::read_bundle(pem);
    Bundle bundle;
    for (const auto& certificate : certificates) {
        bundle.add(certificate);
    }
    bundle.has_other_pem_ = count(pem, kBegin) != certificates.size();
    return bundle;
}

void Bundle::add(const tls::BundleCertificate& certificate) {
    if (!has(certificate.details.sha256)) {
        certificates_.push_back(certificate);
    }
}

void Bundle::add(const Bundle& others) {
    for (const auto& certificate : others.certificates_) {
        add(certificate);
    }
}

bool Bundle::has(std::string_view sha256) const {
    return std::ranges::any_of(certificates_, [&](const tls::BundleCertificate& certificate) {
        return certificate.details.sha256 == sha256;
    });
}

bool Bundle::has_all(const Bundle& others) const {
    return std::ranges::all_of(others.certificates_, [&](const tls::BundleCertificate& other) {
        return has(other.details.sha256);
    });
}

std::string Bundle::pem() const {
    std::string text;
    for (const auto& certificate : certificates_) {
        text += certificate.pem;
    }
    return text;
}

bool Target::is_met_by(const Bundle& published) const {
    Bundle all = must;
    all.add(may);
    return !published.has_other_pem() && published.has_all(must) && all.has_all(published);
}

std::string Target::pem() const {
    Bundle all = must;
    all.add(may);
    return all.pem();
}

}  // namespace smw::cert_rotation
