#include "app/flags.hpp"

#include "smw/app/nearest.hpp"

#include <fmt/format.h>

#include <span>
#include <utility>

namespace smw::app {
namespace {

constexpr std::string_view kOrigin = "the command line";

/// "--name=value", taken apart.
struct Flag {
    std::string_view name;
    std::optional<std::string_view> value;
};

/// Nothing when the argument is an operand: "-" is standard input.
std::optional<Flag> split_flag(std::string_view argument) {
    if (argument.size() < 2 || argument.front() != '-') {
        return std::nullopt;
    }
    argument.remove_prefix(argument.starts_with("--") ? 2 : 1);
    const auto equals = argument.find('=');
    if (equals == std::string_view::npos) {
        return Flag{argument, std::nullopt};
    }
    return Flag{argument.substr(0, equals), argument.substr(equals + 1)};
}

bool is_help(std::string_view name) {
    return name == "help" || name == "h";
}

std::string unknown_flag(const Options& options, std::string_view name) {
    const auto names =
        names_of(options, [](std::string_view option) { return std::string{option}; });
    const auto suggestion = did_you_mean(name, names, "--");
    const std::string dashes = name.size() == 1 ? "-" : "--";
    return fmt::format("unknown flag {}{}", quoted(dashes + std::string{name}), suggestion);
}

class FlagReader {
public:
    FlagReader(const Options& options, std::span<const std::string> arguments)
        : options_(options), left_(arguments) {}

    FlagsRead read() && {
        while (!left_.empty()) {
            const std::string_view argument = left_.front();
            left_ = left_.subspan(1);
            if (argument == "--") {
                out_.operands.insert(out_.operands.end(), left_.begin(), left_.end());
                break;
            }
            if (const auto flag = split_flag(argument)) {
                take(*flag);
            } else {
                out_.operands.emplace_back(argument);
            }
        }
        return std::move(out_);
    }

private:
    void take(const Flag& flag) {
        if (is_help(flag.name)) {
            out_.help = true;
            return;
        }
        const auto index = find(flag.name);
        if (!index) {
            out_.reading.errors.push_back(unknown_flag(options_, flag.name));
            if (!flag.value) {
                static_cast<void>(next_value());  // most likely its value, and no operand
            }
            return;
        }
        const Option& option = options_[*index];
        if (flag.value) {
            put(*index, *flag.value);
        } else if (is_bool(option)) {
            take_bool(*index);
        } else if (const auto value = next_value()) {
            put(*index, *value);
        } else {
            out_.reading.errors.push_back(
                fmt::format("--{}: needs a value ({})", option.name, option.type));
        }
    }

    /// A bool takes its value behind '=' only: `--flag false` would be true, and an operand.
    void take_bool(std::size_t index) {
        if (!left_.empty() && (left_.front() == "true" || left_.front() == "false")) {
            const auto& name = options_[index].name;
            out_.reading.errors.push_back(fmt::format(
                "--{}: a bool takes its value behind '=': --{}={}", name, name, left_.front()));
            left_ = left_.subspan(1);
            return;
        }
        put(index, "true");
    }

    /// The next argument unless it is a flag of this table, which shows that a value is missing.
    std::optional<std::string_view> next_value() {
        if (left_.empty()) {
            return std::nullopt;
        }
        const std::string_view next = left_.front();
        const auto flag = split_flag(next);
        if (next == "--" || (flag && (is_help(flag->name) || find(flag->name)))) {
            return std::nullopt;
        }
        left_ = left_.subspan(1);
        return next;
    }

    [[nodiscard]] std::optional<std::size_t> find(std::string_view name) const {
        for (std::size_t at = 0; at < options_.size(); ++at) {
            const auto letter = letter_of(options_[at].name);
            if (name == options_[at].name || (!letter.empty() && name == letter)) {
                return at;
            }
        }
        return std::nullopt;
    }

    void put(std::size_t index, std::string_view text) {
        out_.reading.values.insert_or_assign(index,
                                             GivenValue{std::string{text}, std::string{kOrigin}});
    }

    const Options& options_;
    std::span<const std::string> left_;
    FlagsRead out_;
};

}  // namespace

FlagsRead read_flags(const Options& options, const std::vector<std::string>& arguments) {
    return FlagReader{options, arguments}.read();
}

}  // namespace smw::app
