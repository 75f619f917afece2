#include "cert_rotation/memory.hpp"

#include <algorithm>

namespace smw::cert_rotation {

std::vector<Bundle> read_entries(const World& world) {
    std::vector<Bundle> entries;
    std::string_view last;
    for (const auto& configuration : world.configurations) {
        for (const auto& entry : configuration.entries) {
            // They are the same but for somebody's doing, and parsing is what a look costs.
            const bool is_same = !entries.empty() && entry.ca_bundle == last;
            entries.push_back(is_same ? Bundle{entries.back()} : Bundle::parse(entry.ca_bundle));
            last = entry.ca_bundle;
        }
    }
    return entries;
}

void remember(Memory& memory, const std::vector<Bundle>& entries, std::string_view leaf,
              TimePoint now) {
    const auto is_everywhere = [&](std::string_view sha256) {
        return std::ranges::all_of(entries, [&](const Bundle& entry) { return entry.has(sha256); });
    };
    std::erase_if(memory.published, [&](const auto& known) {
        return entries.empty() || !is_everywhere(known.first);
    });
    if (!entries.empty()) {
        for (const auto& certificate : entries.front().certificates()) {
            if (is_everywhere(certificate.details.sha256)) {
                memory.published.try_emplace(certificate.details.sha256, now);
            }
        }
    }
    if (memory.leaf != leaf) {
        memory.leaf = leaf;
        memory.leaf_since = now;
    }
}

std::optional<TimePoint> published_by(const Memory& memory, std::string_view sha256,
                                      Duration wait) {
    const auto found = memory.published.find(sha256);
    return found == memory.published.end() ? std::nullopt : std::optional{found->second + wait};
}

}  // namespace smw::cert_rotation
