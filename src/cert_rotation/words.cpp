#include "cert_rotation/words.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace smw::cert_rotation {
namespace {

constexpr std::size_t kMostNamed = 4;

}  // namespace

std::string secret_words(const kube::ObjectKey& key) {
    return fmt::format("Secret {}/{}", key.namespace_, key.name);
}

std::string words(std::chrono::seconds span) {
    constexpr std::chrono::seconds kHour = std::chrono::hours{1};
    constexpr std::chrono::seconds kMinute = std::chrono::minutes{1};
    if (span >= kHour && span % kHour == std::chrono::seconds{0}) {
        return fmt::format("{} h", span / kHour);
    }
    if (span > kMinute && span % kMinute == std::chrono::seconds{0}) {
        return fmt::format("{} min", span / kMinute);
    }
    return fmt::format("{} s", span.count());
}

std::string words(const std::vector<std::string>& names) {
    const auto named = std::min(names.size(), kMostNamed);
    const auto first = fmt::format(
        "{}", fmt::join(names.begin(), names.begin() + static_cast<std::ptrdiff_t>(named), ", "));
    return named == names.size() ? first
                                 : fmt::format("{} and {} more", first, names.size() - named);
}

std::vector<std::string> missing_in(const Bundle& others, const Bundle& all) {
    std::vector<std::string> subjects;
    for (const auto& certificate : all.certificates()) {
        if (!others.has(certificate.details.sha256)) {
            subjects.push_back(certificate.details.subject);
        }
    }
    return subjects;
}

}  // namespace smw::cert_rotation
