#pragma once
// A log::Output that a test can read. Thread-safe.

#include "smw/base/log.hpp"

#include <cstddef>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace smw::test {

class RecordingOutput final : public log::Output {
public:
    void write(log::Level level, std::string line) override;
    [[nodiscard]] std::uint64_t dropped() const override { return 0; }

    /// How many lines contain `text`.
    [[nodiscard]] std::size_t count(std::string_view text) const;
    /// How many lines have this level.
    [[nodiscard]] std::size_t count(log::Level level) const;
    /// All lines, for the message of a failed assertion.
    [[nodiscard]] std::string text() const;

    [[nodiscard]] log::Logger logger() {
        return log::Logger{"test", {log::Level::Debug, log::Format::Text}, *this};
    }

private:
    struct Entry {
        log::Level level;
        std::string line;
    };
    mutable std::mutex mutex_;
    std::vector<Entry> lines_;
};

}  // namespace smw::test
