#pragma once
// Options whose value is one of a few words: "text|json".

#include "smw/app/command_line.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace smw::cli {

template <class Value>
using Choices = std::vector<std::pair<std::string_view, Value>>;  ///< at least two

/// Sets `target`, which outlives it. The error says which words there are: "must be auto, always or
/// never".
template <class Value>
[[nodiscard]] app::Set set_choice(Value& target, Choices<Value> choices) {
    return [&target, choices = std::move(choices)](std::string_view text) -> Expected<void> {
        std::string words;
        for (const auto& [word, value] : choices) {
            if (word == text) {
                target = value;
                return {};
            }
            const bool is_last = word == choices.back().first;
            words += (words.empty() ? "" : is_last ? " or " : ", ") + std::string{word};
        }
        return fail(Code::BadRequest, "must be " + words);
    };
}

}  // namespace smw::cli
