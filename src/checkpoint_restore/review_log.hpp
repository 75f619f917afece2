#pragma once
// The log lines of one review. Their messages and keys are an interface: people grep them.

#include "checkpoint_restore/decide.hpp"
#include "smw/admission/review.hpp"
#include "smw/base/log.hpp"
#include "smw/checkpoint_restore/offline.hpp"

#include <optional>
#include <string_view>
#include <vector>

namespace smw::checkpoint_restore {

/// Lives as long as the review; formats nothing that the level hides. Logger "pod-mutator".
class ReviewLog {
public:
    ReviewLog(const log::Logger& logger, const Pod& pod, std::string_view uid)
        : logger_(logger), pod_(pod), uid_(uid) {}

    /// What the request says.
    void begin() const;
    /// Why others lost. Debug.
    void explain(const std::vector<Candidate>& candidates) const;
    /// The end of the review: exactly one of `Applying image patches` and `Pod left unchanged`.
    void end(const Decision& decision, const admission::Response& response) const;

private:
    void left_unchanged(Reason reason) const;
    [[nodiscard]] log::Level level() const {
        return pod_.job.empty() ? log::Level::Debug : log::Level::Info;
    }

    const log::Logger& logger_;
    const Pod& pod_;
    std::string_view uid_;
};

}  // namespace smw::checkpoint_restore
