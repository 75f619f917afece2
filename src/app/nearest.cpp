#include "smw/app/nearest.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <vector>

namespace smw::app {
namespace {

constexpr std::size_t kMostEdits = 2;

/// The optimal string alignment distance: Levenshtein's, and a swap of neighbours is one edit.
std::size_t edits(std::string_view left, std::string_view right) {
    std::vector<std::size_t> two_above;
    std::vector<std::size_t> above(right.size() + 1);
    std::iota(above.begin(), above.end(), std::size_t{0});
    std::vector<std::size_t> row(right.size() + 1);
    for (std::size_t i = 1; i <= left.size(); ++i) {
        row[0] = i;
        for (std::size_t j = 1; j <= right.size(); ++j) {
            const std::size_t change = left[i - 1] == right[j - 1] ? 0 : 1;
            row[j] = std::min({above[j] + 1, row[j - 1] + 1, above[j - 1] + change});
            if (i > 1 && j > 1 && left[i - 1] == right[j - 2] && left[i - 2] == right[j - 1]) {
                row[j] = std::min(row[j], two_above[j - 2] + 1);
            }
        }
        two_above = above;
        above = row;
    }
    return above.back();
}

}  // namespace

std::string_view nearest(std::string_view word, std::span<const std::string> candidates) {
    std::string_view best;
    std::size_t fewest = std::min(kMostEdits, word.size() / 2) + 1;
    for (const auto& candidate : candidates) {
        const auto longer = std::max(word.size(), candidate.size());
        if (longer - std::min(word.size(), candidate.size()) >= fewest) {
            continue;
        }
        if (const auto count = edits(word, candidate); count < fewest) {
            fewest = count;
            best = candidate;
        }
    }
    return best;
}

std::string did_you_mean(std::string_view word, std::span<const std::string> candidates,
                         std::string_view prefix) {
    const auto found = nearest(word, candidates);
    return found.empty() ? std::string{} : fmt::format("; did you mean {}{}?", prefix, found);
}

}  // namespace smw::app
