#include "tls/inspect_pem.hpp"

#include <fmt/format.h>
#include <openssl/pem.h>

#include <algorithm>
#include <span>

namespace smw::tls {
namespace {

constexpr std::string_view kBegin = "-----BEGIN ";
constexpr std::string_view kEnd = "-----END ";
constexpr std::string_view kTail = "-----";
/// Each with its reason; all of them become one line of the log.
constexpr std::size_t kMostTold = 4;

/// The first line of `text` with its end, which is taken off `text`.
std::string_view take_line(std::string_view& text) {
    const auto end = text.find('\n');
    const auto line = text.substr(0, end == std::string_view::npos ? text.size() : end + 1);
    text.remove_prefix(line.size());
    return line;
}

std::string_view without_end(std::string_view line) {
    const auto last = line.find_last_not_of(" \t\r\n");
    return line.substr(0, last == std::string_view::npos ? 0 : last + 1);
}

std::optional<std::string_view> label_of(std::string_view line) {
    line = without_end(line);
    const bool begins = line.size() > kBegin.size() + kTail.size() && line.starts_with(kBegin) &&
                        line.ends_with(kTail);
    return begins ? std::optional{line.substr(kBegin.size(),
                                              line.size() - kBegin.size() - kTail.size())}
                  : std::nullopt;
}

Bio reader(const PemBlock& block) {
    return Bio{BIO_new_mem_buf(block.text.data(), static_cast<int>(block.text.size()))};
}

/// What is wrong with a block that OpenSSL could not read; `no_such` says what it is not.
std::string explain_unreadable(const PemBlock& block, std::string_view no_such) {
    const auto in_words = take_openssl_error();
    if (!block.is_ended) {
        return "it breaks off: its END line is missing";
    }
    // The text alone, whatever is inside.
    const Bio bio = reader(block);
    char* name = nullptr;
    char* header = nullptr;
    unsigned char* data = nullptr;
    long size = 0;
    if (PEM_read_bio(bio.get(), &name, &header, &data, &size) == 1) {
        OPENSSL_free(name);
        OPENSSL_free(header);
        OPENSSL_clear_free(data, static_cast<std::size_t>(size));
        return fmt::format("what is inside is {} ({})", no_such, in_words);
    }
    const bool ends_differ = ERR_GET_REASON(ERR_peek_error()) == PEM_R_BAD_END_LINE;
    const auto of_text = take_openssl_error();
    return fmt::format("{} ({})",
                       ends_differ ? "its BEGIN and END lines do not fit" : "its text is damaged",
                       of_text);
}

/// Why a text has nothing of what is looked for, when it can be guessed; `converter` makes PEM of
/// DER.
std::string explain_absence(std::string_view text, std::string_view converter) {
    if (text.find_first_not_of(" \t\r\n") == std::string_view::npos) {
        return ": it is empty";
    }
    if (text.starts_with("LS0tLS1CRUdJTi")) {
        return ": it is base64 of PEM, as in the YAML of a Secret; decode it first (base64 -d)";
    }
    if (text.starts_with("\xff\xfe") || text.starts_with("\xfe\xff")) {
        return ": it is UTF-16 text; save it as UTF-8";
    }
    // A SEQUENCE with a length of one or two bytes: X.690 section 8.1.3.
    if (text.starts_with("\x30\x81") || text.starts_with("\x30\x82")) {
        return fmt::format(": it is binary (DER, or a PKCS#12 store); {} makes PEM of DER",
                           converter);
    }
    const auto begin = text.find(kBegin);
    if (begin != std::string_view::npos && text.find("\\n") != std::string_view::npos) {
        return ": its line ends are written as \\n; they must be real ones";
    }
    if (begin != 0 && begin != std::string_view::npos && text[begin - 1] != '\n') {
        return ": its BEGIN line has blanks or other bytes before it";
    }
    return {};
}

bool is_encrypted(const PemBlock& block) {
    return block.label == "ENCRYPTED PRIVATE KEY" ||
           block.text.find("Proc-Type: 4,ENCRYPTED") != std::string_view::npos;
}

Finding refused(Rule rule, std::string text) {
    return {Severity::Refused, rule, std::move(text)};
}

Finding no_key(std::string_view pem, const std::vector<PemBlock>& blocks) {
    std::string why = explain_absence(pem, "openssl pkey -inform der");
    if (std::ranges::any_of(blocks, is_certificate)) {
        why = ", only a certificate; are the two files swapped?";
    } else if (std::ranges::find(blocks, "PUBLIC KEY", &PemBlock::label) != blocks.end()) {
        why = ", only a public one";
    }
    return refused(Rule::NoKey, "there is no PEM private key in the key file" + why);
}

struct Unreadable {
    std::size_t number;
    std::string why;
};

struct Certificates {
    std::vector<Certificate> readable;
    std::vector<Unreadable> unreadable;
};

Certificates read_all(const std::vector<PemBlock>& blocks) {
    ERR_clear_error();
    Certificates all;
    for (const auto& block : blocks) {
        if (!is_certificate(block)) {
            continue;
        }
        const Bio bio = reader(block);
        Certificate certificate{PEM_read_bio_X509(bio.get(), nullptr, no_passphrase, nullptr)};
        if (certificate) {
            all.readable.push_back(std::move(certificate));
        } else {
            all.unreadable.push_back({all.readable.size() + all.unreadable.size() + 1,
                                      explain_unreadable(block, "no certificate")});
        }
    }
    ERR_clear_error();
    return all;
}

}  // namespace

std::vector<PemBlock> split_pem(std::string_view text) {
    std::vector<PemBlock> blocks;
    bool inside = false;
    while (!text.empty()) {
        const auto line = take_line(text);
        if (const auto label = label_of(line)) {
            blocks.push_back({*label, line});
            inside = true;
        } else if (inside) {
            auto& block = blocks.back();
            block.text = {block.text.data(), block.text.size() + line.size()};
            block.is_ended = line.starts_with(kEnd);
            inside = !block.is_ended;
        }
    }
    return blocks;
}

/// Those that PEM_read_bio_X509() takes.
bool is_certificate(const PemBlock& block) {
    return block.label == PEM_STRING_X509 || block.label == PEM_STRING_X509_OLD ||
           block.label == PEM_STRING_X509_TRUSTED;
}

bool is_key(const PemBlock& block) {
    return block.label == "PRIVATE KEY" || block.label.ends_with(" PRIVATE KEY");
}

std::string only_certificates(std::string_view text) {
    std::string out;
    for (const auto& block : split_pem(text)) {
        if (is_certificate(block)) {
            out += block.text;
            out += out.ends_with('\n') ? "" : "\n";
        }
    }
    return out;
}

std::string only_key(std::string_view text) {
    const auto blocks = split_pem(text);
    const auto key = std::ranges::find_if(blocks, is_key);
    return key == blocks.end() ? std::string{} : std::string{key->text};
}

ParsedChain parse_chain(std::string_view pem, std::string_view where) {
    const auto blocks = split_pem(pem);
    auto [certificates, unreadable] = read_all(blocks);
    ParsedChain chain{std::move(certificates), {}};
    for (const auto& [number, why] :
         std::span{unreadable}.first(std::min(unreadable.size(), kMostTold))) {
        chain.findings.push_back(
            refused(Rule::UnreadableCertificate,
                    fmt::format("certificate number {} cannot be read: {}", number, why)));
    }
    if (unreadable.size() > kMostTold) {
        chain.findings.push_back(refused(
            Rule::UnreadableCertificate,
            fmt::format("{} further certificates cannot be read", unreadable.size() - kMostTold)));
    }
    if (chain.certificates.empty() && unreadable.empty()) {
        const bool has_key = std::ranges::any_of(blocks, is_key);
        chain.findings.push_back(
            refused(Rule::NoCertificate,
                    fmt::format("there is no PEM certificate in {}{}", where,
                                has_key ? ", only a private key; are the two files swapped?"
                                        : explain_absence(pem, "openssl x509 -inform der"))));
    }
    return chain;
}

Expected<std::vector<Certificate>> read_certificates(std::string_view pem, std::string_view whose) {
    auto [certificates, unreadable] = read_all(split_pem(pem));
    if (!unreadable.empty()) {
        return fail(Code::BadRequest,
                    fmt::format("certificate number {} of {} cannot be read: {}",
                                unreadable.front().number, whose, unreadable.front().why));
    }
    if (certificates.empty()) {
        return fail(Code::BadRequest, fmt::format("{} holds no certificate", whose));
    }
    return std::move(certificates);
}

ParsedKey parse_key(std::string_view pem) {
    ERR_clear_error();
    const auto blocks = split_pem(pem);
    const auto block = std::ranges::find_if(blocks, is_key);
    if (block == blocks.end()) {
        return {nullptr, no_key(pem, blocks)};
    }
    if (is_encrypted(*block)) {
        return {nullptr,
                refused(Rule::EncryptedKey,
                        "the private key is encrypted; store it without a passphrase, as openssl "
                        "pkey -in encrypted.key -out tls.key writes it")};
    }
    if (block->label == "OPENSSH PRIVATE KEY") {
        return {nullptr, refused(Rule::UnreadableKey,
                                 "the private key cannot be read: it is one of OpenSSH; "
                                 "ssh-keygen -p -m PEM -f tls.key makes PEM of it")};
    }
    const Bio bio = reader(*block);
    ParsedKey parsed;
    parsed.key = Key{PEM_read_bio_PrivateKey(bio.get(), nullptr, no_passphrase, nullptr)};
    if (!parsed.key) {
        parsed.finding =
            refused(Rule::UnreadableKey, fmt::format("the private key cannot be read: {}",
                                                     explain_unreadable(*block, "no private key")));
    }
    ERR_clear_error();
    return parsed;
}

}  // namespace smw::tls
