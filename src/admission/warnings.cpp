#include "admission/warnings.hpp"

#include "smw/base/quote.hpp"

#include <algorithm>
#include <string_view>

namespace smw::admission {
namespace {

struct Warning {
    std::string text;
    std::size_t characters = 0;
};

/// One well-formed character that is Unicode's Cc: C0, DEL, C1.
bool is_control(std::string_view character) {
    const auto first = static_cast<unsigned char>(character[0]);
    if (character.size() == 1) {
        return first < 0x20 || first == 0x7f;
    }
    return first == 0xc2 && static_cast<unsigned char>(character[1]) < 0xa0;
}

Warning clean(std::string_view raw) {
    Warning warning;
    while (!raw.empty() && warning.characters < kMaxWarning) {
        const auto length = utf8_sequence_length(raw);
        const auto character = raw.substr(0, length);
        if (length > 0 && !is_control(character)) {
            warning.text += character;
            ++warning.characters;
        }
        raw.remove_prefix(std::max<std::size_t>(length, 1));
    }
    return warning;
}

}  // namespace

std::vector<std::string> presentable(const std::vector<std::string>& warnings) {
    std::vector<std::string> kept;
    std::size_t characters = 0;
    for (const auto& raw : warnings) {
        auto warning = clean(raw);
        if (warning.text.empty() ||
            std::find(kept.begin(), kept.end(), warning.text) != kept.end()) {
            continue;
        }
        characters += warning.characters;
        if (characters > kMaxWarnings) {
            break;
        }
        kept.push_back(std::move(warning.text));
    }
    return kept;
}

}  // namespace smw::admission
