#include "support/recording_output.hpp"

#include <algorithm>
#include <utility>

namespace smw::test {

namespace {

std::size_t to_size(std::ptrdiff_t count) {
    return static_cast<std::size_t>(count);
}

}  // namespace

void RecordingOutput::write(log::Level level, std::string line) {
    const std::scoped_lock lock{mutex_};
    lines_.push_back({level, std::move(line)});
}

std::size_t RecordingOutput::count(std::string_view text) const {
    const std::scoped_lock lock{mutex_};
    return to_size(std::count_if(lines_.begin(), lines_.end(), [text](const Entry& entry) {
        return entry.line.find(text) != std::string::npos;
    }));
}

std::size_t RecordingOutput::count(log::Level level) const {
    const std::scoped_lock lock{mutex_};
    return to_size(std::count_if(lines_.begin(), lines_.end(),
                                 [level](const Entry& entry) { return entry.level == level; }));
}

std::string RecordingOutput::text() const {
    const std::scoped_lock lock{mutex_};
    std::string all;
    for (const auto& entry : lines_) {
        all += entry.line + "\n";
    }
    return all;
}

}  // namespace smw::test
