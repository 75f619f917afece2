#pragma once
// PEM (RFC 7468) taken apart, and in words why it cannot be. Pure.

#include "smw/tls/inspect.hpp"
#include "tls/openssl.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace smw::tls {

/// Views into the text that was split.
struct PemBlock {
    std::string_view label;  ///< "CERTIFICATE"
    std::string_view text;   ///< from BEGIN to END, with both lines
    bool is_ended = false;   ///< false: it breaks off
};

/// What stands around the blocks is passed over, as OpenSSL does.
[[nodiscard]] std::vector<PemBlock> split_pem(std::string_view text);
[[nodiscard]] bool is_certificate(const PemBlock& block);
[[nodiscard]] bool is_key(const PemBlock& block);

/// The certificates of a text, or the first key in it, and nothing else.
[[nodiscard]] std::string only_certificates(std::string_view text);
[[nodiscard]] std::string only_key(std::string_view text);

struct ParsedChain {
    std::vector<Certificate> certificates;  ///< those that can be read
    std::vector<Finding> findings;          ///< NoCertificate, UnreadableCertificate

    /// Whether positions in `certificates` are those in the text.
    [[nodiscard]] bool is_whole() const { return findings.empty(); }
};
/// `where` is what the text is called: "the chain".
[[nodiscard]] ParsedChain parse_chain(std::string_view pem, std::string_view where);

/// The same for who needs all of them, and one sentence when that fails: "certificate number 2 of
/// the CA cannot be read: ...".
[[nodiscard]] Expected<std::vector<Certificate>> read_certificates(std::string_view pem,
                                                                   std::string_view whose);

struct ParsedKey {
    Key key;
    std::optional<Finding>
        finding;  ///< set when there is no key: NoKey, EncryptedKey, UnreadableKey
};
[[nodiscard]] ParsedKey parse_key(std::string_view pem);

}  // namespace smw::tls
