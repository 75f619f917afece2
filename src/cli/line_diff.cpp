#include "cli/line_diff.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <vector>

namespace smw::cli {
namespace {

constexpr std::size_t kContext = 3;
/// The trace has a row of 2d+1 numbers for each of d edits: 16 MB at most. Beyond it the rest of
/// the text is shown as replaced.
constexpr std::size_t kMaxEdits = 1400;

using Lines = std::vector<std::string_view>;

struct Edit {
    enum class Kind { Keep, Remove, Insert };
    Kind kind = Kind::Keep;
    std::string_view line;
};
using Script = std::vector<Edit>;

Lines split(std::string_view text) {
    Lines lines;
    while (!text.empty()) {
        const auto end = std::min(text.find('\n'), text.size());
        lines.push_back(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return lines;
}

/// Myers, "An O(ND) Difference Algorithm" (1986): for each number of edits d, how far the paths
/// with d edits reach on each diagonal k = x - y.
class ShortestScript {
public:
    ShortestScript(const Lines& before, const Lines& after) : before_(before), after_(after) {}

    /// Nothing when it takes more than kMaxEdits.
    std::optional<Script> find() {
        const auto longest = std::min(before_.size() + after_.size(), kMaxEdits);
        for (std::size_t d = 0; d <= longest; ++d) {
            rows_.emplace_back(2 * d + 1);
            for (std::size_t at = 0; at <= d; ++at) {
                const auto k = diagonal(d, at);
                auto x = start(d, k);
                while (x < size(before_) && x - k < size(after_) &&
                       line(before_, x) == line(after_, x - k)) {
                    ++x;
                }
                reach(d, k) = x;
                if (x == size(before_) && x - k == size(after_)) {
                    return walk_back(d);
                }
            }
        }
        return std::nullopt;
    }

private:
    using Index = std::ptrdiff_t;

    static Index size(const Lines& lines) { return static_cast<Index>(lines.size()); }
    static std::string_view line(const Lines& lines, Index at) {
        return lines[static_cast<std::size_t>(at)];
    }
    static Index diagonal(std::size_t d, std::size_t at) {
        return 2 * static_cast<Index>(at) - static_cast<Index>(d);
    }

    Index& reach(std::size_t d, Index k) {
        return rows_[d][static_cast<std::size_t>(k + static_cast<Index>(d))];
    }

    /// Whether the best path with d edits onto diagonal k comes from k + 1, by an insertion.
    bool is_insertion(std::size_t d, Index k) {
        const auto last = static_cast<Index>(d);
        return k == -last || (k != last && reach(d - 1, k - 1) < reach(d - 1, k + 1));
    }

    Index start(std::size_t d, Index k) {
        if (d == 0) {
            return 0;
        }
        return is_insertion(d, k) ? reach(d - 1, k + 1) : reach(d - 1, k - 1) + 1;
    }

    Script walk_back(std::size_t d) {
        Script script;
        auto x = size(before_);
        auto y = size(after_);
        const auto keep_down_to = [&](Index from) {
            for (; x > from; --x, --y) {
                script.push_back({Edit::Kind::Keep, line(before_, x - 1)});
            }
        };
        for (; d > 0; --d) {
            const auto k = x - y;
            keep_down_to(start(d, k));
            if (is_insertion(d, k)) {
                script.push_back({Edit::Kind::Insert, line(after_, --y)});
            } else {
                script.push_back({Edit::Kind::Remove, line(before_, --x)});
            }
        }
        keep_down_to(0);
        std::ranges::reverse(script);
        return script;
    }

    const Lines& before_;
    const Lines& after_;
    std::vector<std::vector<Index>> rows_;
};

void append_all(Script& script, Edit::Kind kind, const Lines& lines) {
    for (const auto line : lines) {
        script.push_back({kind, line});
    }
}

/// Common lines at both ends are cut off first: what differs is short, as a rule.
Script edit_script(Lines before, Lines after) {
    const auto head = std::ranges::mismatch(before, after).in1 - before.begin();
    Script script;
    append_all(script, Edit::Kind::Keep, {before.begin(), before.begin() + head});
    before.erase(before.begin(), before.begin() + head);
    after.erase(after.begin(), after.begin() + head);
    Lines tail;
    while (!before.empty() && !after.empty() && before.back() == after.back()) {
        tail.push_back(before.back());
        before.pop_back();
        after.pop_back();
    }
    if (const auto middle = ShortestScript{before, after}.find()) {
        script.insert(script.end(), middle->begin(), middle->end());
    } else {
        append_all(script, Edit::Kind::Remove, before);
        append_all(script, Edit::Kind::Insert, after);
    }
    std::ranges::reverse(tail);
    append_all(script, Edit::Kind::Keep, tail);
    return script;
}

std::size_t next_change(const Script& script, std::size_t at) {
    while (at < script.size() && script[at].kind == Edit::Kind::Keep) {
        ++at;
    }
    return at;
}

std::size_t end_of_change(const Script& script, std::size_t at) {
    while (at < script.size() && script[at].kind != Edit::Kind::Keep) {
        ++at;
    }
    return at;
}

/// Of lines that change together the removed ones come first: easier to read.
void group_changes(Script& script) {
    for (auto first = next_change(script, 0); first < script.size();) {
        const auto last = end_of_change(script, first);
        std::stable_partition(script.begin() + static_cast<std::ptrdiff_t>(first),
                              script.begin() + static_cast<std::ptrdiff_t>(last),
                              [](const Edit& edit) { return edit.kind == Edit::Kind::Remove; });
        first = next_change(script, last);
    }
}

/// "12,7", "12" for one line, "11,0" for none: then it is the line before.
std::string range(std::size_t first, std::size_t count) {
    if (count == 1) {
        return fmt::format("{}", first);
    }
    return fmt::format("{},{}", count == 0 ? first - 1 : first, count);
}

/// The next line of both texts, from 1.
struct Position {
    std::size_t before = 1;
    std::size_t after = 1;

    void pass(const Edit& edit) {
        before += edit.kind == Edit::Kind::Insert ? 0 : 1;
        after += edit.kind == Edit::Kind::Remove ? 0 : 1;
    }
};

void append_hunk(std::string& out, const Script& script, std::size_t first, std::size_t last) {
    Position start;
    for (std::size_t at = 0; at < first; ++at) {
        start.pass(script[at]);
    }
    Position end = start;
    std::string body;
    for (std::size_t at = first; at < last; ++at) {
        const auto kind = script[at].kind;
        end.pass(script[at]);
        body += kind == Edit::Kind::Keep ? ' ' : kind == Edit::Kind::Remove ? '-' : '+';
        body.append(script[at].line).append("\n");
    }
    out += fmt::format("@@ -{} +{} @@\n{}", range(start.before, end.before - start.before),
                       range(start.after, end.after - start.after), body);
}

}  // namespace

std::string line_diff(std::string_view before, std::string_view after) {
    auto script = edit_script(split(before), split(after));
    group_changes(script);
    std::string out;
    for (auto change = next_change(script, 0); change < script.size();) {
        const auto first = change - std::min(change, kContext);
        auto end = end_of_change(script, change);
        change = next_change(script, end);
        // Changes whose context touches share a hunk.
        while (change < script.size() && change - end <= 2 * kContext) {
            end = end_of_change(script, change);
            change = next_change(script, end);
        }
        append_hunk(out, script, first, std::min(end + kContext, script.size()));
    }
    return out;
}

}  // namespace smw::cli
