#pragma once
// A set of certificates that are trusted, compared by what they are and not by their text. Pure.

#include "smw/tls/bundle.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace smw::cert_rotation {

/// In order, each certificate once.
class Bundle {
public:
    Bundle() = default;
    /// Whatever stands around the certificates is passed over, keys above all.
    [[nodiscard]] static Bundle parse(std::string_view pem);

    /// Nothing when it is there already.
    void add(const tls::BundleCertificate& certificate);
    void add(const Bundle& others);

    [[nodiscard]] bool has(std::string_view sha256) const;
    [[nodiscard]] bool has_all(const Bundle& others) const;
    [[nodiscard]] bool empty() const { return certificates_.empty(); }
    [[nodiscard]] const std::vector<tls::BundleCertificate>& certificates() const {
        return certificates_;
    }
    /// The text that it was read from has other blocks of PEM, too: keys, what is damaged, what an
    /// API server does not read.
    [[nodiscard]] bool has_other_pem() const { return has_other_pem_; }
    [[nodiscard]] std::string pem() const;

private:
    std::vector<tls::BundleCertificate> certificates_;
    bool has_other_pem_ = false;
};

/// What is to be published: `must` stands in every bundle, `may` stays where it is.
struct Target {
    Bundle must;
    Bundle may;

    /// Whether what is published need not be written again: order, doubles and text around the
    /// certificates do not matter, other PEM does.
    [[nodiscard]] bool is_met_by(const Bundle& published) const;
    /// `must`, and then `may`.
    [[nodiscard]] std::string pem() const;
};

}  // namespace smw::cert_rotation
