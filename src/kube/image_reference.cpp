// The grammar of github.com/distribution/reference v0.6.0, read from left to right. Any thread.

#include "smw/kube/image_reference.hpp"

#include "kube/ascii.hpp"

#include <array>
#include <cstddef>

namespace smw::kube {
namespace {

constexpr std::string_view kLocalhost = "localhost";
constexpr std::string_view kDockerHub = "docker.io";
constexpr std::string_view kDockerIndex = "index.docker.io";
// Put before a single-component name on Docker Hub, and counted against the limit.
constexpr std::string_view kOfficial = "library/";
constexpr std::size_t kMaxPathLength = 255;
constexpr std::size_t kMaxTagLength = 128;
constexpr std::size_t kIdentifierLength = 64;

/// Where an image is looked for. Docker Hub, when nobody says otherwise, has an empty domain.
struct Location {
    std::string_view domain;
    std::string_view remainder;
};

/// What is left of the first '/', and nothing when there is none.
std::string_view first_component(std::string_view image) {
    const auto slash = image.find('/');
    return slash == std::string_view::npos ? std::string_view{} : image.substr(0, slash);
}

Location locate(std::string_view image) {
    const auto first = first_component(image);
    // A component of the path is never upper case, so what is must be a domain.
    const bool upper = std::any_of(first.begin(), first.end(), ascii::is_upper);
    if (!upper && !names_registry(image)) {
        return {{}, image};
    }
    const bool hub = first == kDockerHub || first == kDockerIndex;
    return {hub ? std::string_view{} : first, image.substr(first.size() + 1)};
}

/// One label of a host name: dashes inside, never at an end.
bool is_label(std::string_view text) {
    return !text.empty() && ascii::is_alphanumeric(text.front()) &&
           ascii::is_alphanumeric(text.back()) &&
           ascii::all(text, [](char c) { return ascii::is_alphanumeric(c) || c == '-'; });
}

bool is_host_name(std::string_view text) {
    for (auto dot = text.find('.'); dot != std::string_view::npos; dot = text.find('.')) {
        if (!is_label(text.substr(0, dot))) {
            return false;
        }
        text.remove_prefix(dot + 1);
    }
    return is_label(text);
}

/// With its brackets; which digits stand where is not looked at.
bool is_bracketed_address(std::string_view text) {
    if (text.size() < 3 || text.front() != '[' || text.back() != ']') {
        return false;
    }
    return ascii::all(text.substr(1, text.size() - 2),
                      [](char c) { return ascii::is_hex(c) || c == ':'; });
}

/// A host name, an IPv4 or a bracketed IPv6 address, and perhaps a port.
bool is_domain(std::string_view text) {
    const bool bracketed = !text.empty() && text.front() == '[';
    const auto colon = text.find(':', bracketed ? text.find(']') : 0);
    const auto host = text.substr(0, colon);
    if (colon != std::string_view::npos) {
        const auto port = text.substr(colon + 1);
        if (port.empty() || !ascii::all(port, ascii::is_digit)) {
            return false;
        }
    }
    return bracketed ? is_bracketed_address(host) : is_host_name(host);
}

/// Between two runs of letters and digits: one '.', one or two '_', any number of '-'.
std::size_t separator_length(std::string_view text) {
    const auto length = std::min(text.find_first_not_of(text.front()), text.size());
    switch (text.front()) {
        case '.':
            return length == 1 ? 1 : 0;
        case '_':
            return length <= 2 ? length : 0;
        case '-':
            return length;
        default:
            return 0;
    }
}

std::size_t run_length(std::string_view text) {
    std::size_t length = 0;
    while (length < text.size() && ascii::is_lower_alphanumeric(text[length])) {
        ++length;
    }
    return length;
}

bool is_path_component(std::string_view text) {
    auto run = run_length(text);
    while (run > 0 && run < text.size()) {
        text.remove_prefix(run);
        const auto separator = separator_length(text);
        if (separator == 0) {
            return false;
        }
        text.remove_prefix(separator);
        run = run_length(text);
    }
    return run > 0;
}

bool is_path(std::string_view text) {
    for (auto slash = text.find('/'); slash != std::string_view::npos; slash = text.find('/')) {
        if (!is_path_component(text.substr(0, slash))) {
            return false;
        }
        text.remove_prefix(slash + 1);
    }
    return is_path_component(text);
}

/// Domain and path together. What only looks like a domain may still be a component of the path
/// ("a__b.c/d"), and then counts against its limit.
bool is_name(std::string_view domain, std::string_view path) {
    if (!is_path(path)) {
        return false;
    }
    if (domain.empty()) {
        const bool official = path.find('/') == std::string_view::npos;
        return path.size() + (official ? kOfficial.size() : 0) <= kMaxPathLength;
    }
    if (is_domain(domain)) {
        return path.size() <= kMaxPathLength;
    }
    return is_path_component(domain) && domain.size() + 1 + path.size() <= kMaxPathLength;
}

bool is_tag(std::string_view text) {
    const auto is_word = [](char c) {
        return ascii::is_alphanumeric(c) || c == '_';
    };
    return !text.empty() && text.size() <= kMaxTagLength && is_word(text.front()) &&
           ascii::all(text, [&](char c) { return is_word(c) || c == '.' || c == '-'; });
}

/// digest.Parse of github.com/opencontainers/go-digest v1.0.0, whose three algorithms are all
/// linked into a kubelet; the reference grammar allows nothing that it does not.
bool is_digest(std::string_view text) {
    struct Algorithm {
        std::string_view prefix;
        std::size_t digits;
    };
    static constexpr std::array<Algorithm, 3> kAlgorithms{
        {{"sha256:", 64}, {"sha384:", 96}, {"sha512:", 128}}};
    return std::any_of(kAlgorithms.begin(), kAlgorithms.end(), [&](const Algorithm& algorithm) {
        return text.starts_with(algorithm.prefix) &&
               text.size() == algorithm.prefix.size() + algorithm.digits &&
               ascii::all(text.substr(algorithm.prefix.size()), ascii::is_lower_hex);
    });
}

/// What follows the name: nothing, ":tag", "@digest" or both in this order.
bool is_suffix(std::string_view text) {
    if (text.starts_with(':')) {
        const auto at = std::min(text.find('@'), text.size());
        if (!is_tag(text.substr(1, at - 1))) {
            return false;
        }
        text.remove_prefix(at);
    }
    return text.empty() || (text.front() == '@' && is_digest(text.substr(1)));
}

}  // namespace

bool is_image_reference(std::string_view image) {
    if (image.size() == kIdentifierLength && ascii::all(image, ascii::is_lower_hex)) {
        return false;  // an image id, which names no repository
    }
    const auto [domain, remainder] = locate(image);
    // Neither tag nor digest can hold a '/', so both are behind the last one.
    const auto slash = remainder.rfind('/');
    const auto last = slash == std::string_view::npos ? 0 : slash + 1;
    const auto end = std::min(remainder.find_first_of(":@", last), remainder.size());
    return is_name(domain, remainder.substr(0, end)) && is_suffix(remainder.substr(end));
}

bool names_registry(std::string_view image) {
    const auto component = first_component(image);
    return component == kLocalhost || component.find_first_of(".:") != std::string_view::npos;
}

std::string with_registry(std::string_view image, std::string_view registry) {
    for (const std::string_view scheme : {"https://", "http://"}) {
        if (registry.starts_with(scheme)) {
            registry.remove_prefix(scheme.size());
            break;
        }
    }
    while (registry.ends_with('/')) {
        registry.remove_suffix(1);
    }
    if (registry.empty() || names_registry(image)) {
        return std::string{image};
    }
    std::string placed;
    placed.reserve(registry.size() + 1 + image.size());
    placed.append(registry).append("/").append(image);
    return placed;
}

}  // namespace smw::kube
