// Image references, against the regular expressions of github.com/distribution/reference v0.6.0.

#include "smw/kube/image_reference.hpp"
#include "target.hpp"
#include "targets.hpp"

#include <regex>

namespace smw::fuzz {
namespace {

/// std::regex takes a stack frame for each byte.
constexpr std::size_t kMostBytes = 600;

const std::string kLabel = "(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])";
const std::string kDomain =
    "(?:" + kLabel + "(?:\\." + kLabel + ")*|\\[[a-fA-F0-9:]+\\])(?::[0-9]+)?";
const std::string kComponent = "[a-z0-9]+(?:(?:[._]|__|[-]+)[a-z0-9]+)*";
const std::string kPath = kComponent + "(?:/" + kComponent + ")*";
const std::string kSuffix =
    "(?::[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?"
    "(?:@(?:sha256:[0-9a-f]{64}|sha384:[0-9a-f]{96}|sha512:[0-9a-f]{128}))?";

bool matches(const std::string& text, const std::regex& expression) {
    return std::regex_match(text, expression);
}

/// normalize.go, splitDockerDomain.
std::string normalized(const std::string& image) {
    const auto slash = image.find('/');
    const auto first = slash == std::string::npos ? "" : image.substr(0, slash);
    const bool lower = first.find_first_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ") == std::string::npos;
    std::string domain = "docker.io";
    auto rest = image;
    if (!first.empty() &&
        (first.find_first_of(".:") != std::string::npos || first == "localhost" || !lower)) {
        domain = first == "index.docker.io" ? "docker.io" : first;
        rest = image.substr(slash + 1);
    }
    if (domain == "docker.io" && rest.find('/') == std::string::npos) {
        rest.insert(0, "library/");
    }
    return domain + "/" + rest;
}

/// ParseNormalizedNamed.
bool is_reference(const std::string& image) {
    static const std::regex identifier{"[a-f0-9]{64}"};
    static const std::regex reference{"(?:(" + kDomain + ")/)?(" + kPath + ")" + kSuffix};
    if (matches(image, identifier)) {
        return false;
    }
    const auto whole = normalized(image);
    const auto path = whole.substr(whole.find('/') + 1);
    const auto colon = path.find(':');
    const auto remote = path.substr(0, colon);
    if (remote.find_first_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ") != std::string::npos &&
        colon != std::string::npos) {
        return false;
    }
    std::smatch parts;
    return std::regex_match(whole, parts, reference) && parts[2].length() <= 255;
}

}  // namespace

void image(std::string_view bytes) {
    const auto registry = take_until(bytes, '\n');
    const std::string image{bytes.empty() ? registry : bytes};
    if (image.size() > kMostBytes) {
        return;
    }
    check(kube::is_image_reference(image) == is_reference(image),
          "a reference for one, and not for the other");
    const auto placed = kube::with_registry(image, registry);
    check(placed.ends_with(image), "an image that was lost");
    check(!kube::names_registry(image) || placed == image, "a second registry");
}

}  // namespace smw::fuzz
