// When a file that changed may be read.
#include "watch/change_tracker.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

namespace smw::watch {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr WallTime kWall{std::chrono::hours{400'000}};

FileState state(std::uint64_t size, std::chrono::milliseconds age = 0ms) {
    FileState state;
    state.inode = 1;
    state.size = size;
    const auto touched = kWall - age;
    state.modified =
        std::chrono::duration_cast<std::chrono::nanoseconds>(touched.time_since_epoch()).count();
    return state;
}

/// A tracker and the time. Steps return the files to read; "~" marks those that are not at rest.
class ChangeTrackerTest : public ::testing::Test {
protected:
    std::vector<std::string> step(const FolderState& seen) {
        last = tracker.step(seen, now, kWall);
        std::vector<std::string> files;
        for (const auto& ready : last.read) {
            files.push_back(ready.restless ? "~" + ready.file : ready.file);
        }
        return files;
    }
    std::vector<std::string> step_after(std::chrono::milliseconds span, const FolderState& seen) {
        now += span;
        return step(seen);
    }

    ChangeTracker tracker;
    TimePoint now{};
    ChangeTracker::Step last;
};

TEST_F(ChangeTrackerTest, ReadsAtOnceWhatWasQuietBeforeTheStart) {
    EXPECT_THAT(step({{"a", state(1, 1h)}, {"b", state(1, 200ms)}}), ElementsAre("a", "b"));
    EXPECT_FALSE(last.pending);
    EXPECT_TRUE(tracker.all_read());
    EXPECT_THAT(step_after(1s, {{"a", state(1, 1h)}, {"b", state(1, 200ms)}}), IsEmpty());
}

TEST_F(ChangeTrackerTest, WaitsAtTheStartForAFileThatWasJustWritten) {
    EXPECT_THAT(step({{"a", state(1, 50ms)}}), IsEmpty());
    EXPECT_TRUE(last.pending);
    EXPECT_FALSE(tracker.all_read());
    EXPECT_THAT(step_after(149ms, {{"a", state(1, 50ms)}}), IsEmpty());
    EXPECT_THAT(step_after(1ms, {{"a", state(1, 50ms)}}), ElementsAre("a"));
    EXPECT_TRUE(tracker.all_read());
}

TEST_F(ChangeTrackerTest, DoesNotTrustATimeStampFromTheFuture) {
    EXPECT_THAT(step({{"a", state(1, -10s)}}), IsEmpty());
    EXPECT_THAT(step_after(200ms, {{"a", state(1, -10s)}}), ElementsAre("a"));
}

TEST_F(ChangeTrackerTest, ReadsAChangedFileOnceItWasQuietFor200Milliseconds) {
    static_cast<void>(step({{"a", state(1, 1h)}}));
    EXPECT_THAT(step_after(1s, {{"a", state(2, 1h)}}), IsEmpty())
        << "after the start age is no proof";
    EXPECT_THAT(step_after(100ms, {{"a", state(3, 1h)}}), IsEmpty()) << "still being written";
    EXPECT_THAT(step_after(199ms, {{"a", state(3, 1h)}}), IsEmpty());
    EXPECT_TRUE(last.pending);
    EXPECT_THAT(step_after(1ms, {{"a", state(3, 1h)}}), ElementsAre("a"));
    EXPECT_FALSE(last.pending);
}

TEST_F(ChangeTrackerTest, ReadsANewFileOnceItIsQuiet) {
    static_cast<void>(step({}));
    EXPECT_TRUE(tracker.all_read());
    EXPECT_THAT(step_after(1s, {{"a", state(1, 1h)}}), IsEmpty());
    EXPECT_THAT(step_after(200ms, {{"a", state(1, 1h)}}), ElementsAre("a"));
}

TEST_F(ChangeTrackerTest, DoesNotLetARestlessFileHoldUpTheOthers) {
    static_cast<void>(step({}));
    FolderState seen{{"quiet", state(1)}, {"restless", state(1)}};
    static_cast<void>(step_after(1s, seen));
    seen["restless"] = state(2);
    EXPECT_THAT(step_after(200ms, seen), ElementsAre("quiet"));
}

TEST_F(ChangeTrackerTest, ReadsAFileThatIsWrittenWithoutPauseAndAgainWhenItIsQuiet) {
    static_cast<void>(step({{"a", state(1, 1h)}}));
    std::uint64_t size = 2;
    std::chrono::milliseconds waited = 0ms;
    while (step_after(100ms, {{"a", state(size)}}).empty()) {
        ++size;
        waited += 100ms;
        ASSERT_LT(waited, 2s);
    }
    EXPECT_EQ(waited, 1500ms);
    ASSERT_EQ(last.read.size(), 1U);
    EXPECT_TRUE(last.read[0].restless);
    EXPECT_TRUE(last.pending);
    EXPECT_THAT(step_after(200ms, {{"a", state(size)}}), ElementsAre("a"))
        << "it may have been half-written then";
    EXPECT_FALSE(last.pending);
}

TEST_F(ChangeTrackerTest, LetsADeletedFileGoOnceItStaysAway) {
    static_cast<void>(step({{"a", state(1, 1h)}}));
    static_cast<void>(step_after(1s, {}));
    EXPECT_THAT(last.gone, IsEmpty());
    EXPECT_TRUE(last.pending);
    static_cast<void>(step_after(200ms, {}));
    EXPECT_THAT(last.gone, ElementsAre("a"));
    static_cast<void>(step_after(200ms, {}));
    EXPECT_THAT(last.gone, IsEmpty()) << "only once";
    EXPECT_FALSE(last.pending);
}

/// As editors do: the old file moves away, the new one comes a moment later.
TEST_F(ChangeTrackerTest, DoesNotNoticeAGapBetweenOldAndNew) {
    static_cast<void>(step({{"a", state(1, 1h)}}));
    static_cast<void>(step_after(1s, {}));
    EXPECT_THAT(step_after(50ms, {{"a", state(2)}}), IsEmpty());
    EXPECT_THAT(last.gone, IsEmpty());
    EXPECT_THAT(step_after(200ms, {{"a", state(2)}}), ElementsAre("a"));
    EXPECT_THAT(last.gone, IsEmpty());
}

TEST_F(ChangeTrackerTest, WaitsAgainForAFileThatWasWrittenWhileItWasRead) {
    static_cast<void>(step({{"a", state(1, 1h)}}));
    tracker.read_failed("a", now);
    EXPECT_FALSE(tracker.all_read());
    EXPECT_THAT(step_after(100ms, {{"a", state(1, 1h)}}), IsEmpty());
    EXPECT_TRUE(last.pending);
    EXPECT_THAT(step_after(100ms, {{"a", state(1, 1h)}}), ElementsAre("a"));
}

TEST_F(ChangeTrackerTest, SeesEveryDifferenceOfAState) {
    const auto base = state(1, 1h);
    for (const auto& change : std::vector<std::function<void(FileState&)>>{
             [](FileState& s) { ++s.device; }, [](FileState& s) { ++s.inode; },
             [](FileState& s) { ++s.size; }, [](FileState& s) { ++s.modified; },
             [](FileState& s) { ++s.changed; },
             [](FileState& s) {
                 s.problem = "is a folder";
             }}) {
        ChangeTracker fresh;
        static_cast<void>(fresh.step({{"a", base}}, now, kWall));
        auto changed = base;
        change(changed);
        EXPECT_TRUE(fresh.step({{"a", changed}}, now, kWall).pending);
    }
}

}  // namespace
}  // namespace smw::watch
