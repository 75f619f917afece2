// Which changes are told, and how often.
#include "watch/condition_log.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace smw::watch {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

/// What was told, without time: "warn State is stale {…}".
class Lines final : public log::Output {
public:
    void write(log::Level level, std::string line) override {
        const std::string name = level == log::Level::Error  ? "error "
                                 : level == log::Level::Warn ? "warn "
                                                             : "info ";
        const auto message = line.find("\twatch\t") + 7;
        lines.push_back(name + line.substr(message));
    }
    [[nodiscard]] std::uint64_t dropped() const override { return 0; }
    std::vector<std::string> lines;
};

class ConditionLogTest : public ::testing::Test {
protected:
    /// What is told of the condition as it is now.
    std::vector<std::string> look() { return look(log); }
    std::vector<std::string> look(ConditionLog& at) {
        at.look({condition, refused, stale, 3, now});
        return std::exchange(output.lines, {});
    }
    ConditionLog make(const std::string& namespace_) {
        return ConditionLog{
            {log::Logger{"watch", {}, output}, "things", namespace_, last_warning, now}};
    }
    static std::string line(const std::string& message, const std::string& more = "",
                            const std::string& namespace_ = "") {
        return message + "\t{\"resource\": \"things\", \"namespace\": \"" + namespace_ + "\"" +
               more + "}";
    }
    static std::string interrupted(const std::string& why) {
        return line("warn Watch interrupted; serving the last good state",
                    R"(, "why": ")" + why + '"');
    }

    Lines output;
    TimePoint now{1000s};
    ConditionLog::LastWarning last_warning;
    Condition condition;
    bool refused = false;
    std::optional<Duration> stale;
    ConditionLog log{make("")};
};

TEST_F(ConditionLogTest, TellsOnceThatTheCacheIsSynced) {
    EXPECT_THAT(look(), IsEmpty());
    now += 1500ms;
    condition.synced = true;
    EXPECT_THAT(look(),
                ElementsAre(line("info Cache synced", R"(, "objects": 3, "took": "1500ms")")));
    EXPECT_THAT(look(), IsEmpty());
}

TEST_F(ConditionLogTest, TellsAProblemAndItsEnd) {
    condition.synced = true;
    look();
    condition.problem = "cut";
    EXPECT_THAT(look(), ElementsAre(interrupted("cut")));
    now += 10min;
    EXPECT_THAT(look(), IsEmpty());
    condition.problem = "refused";
    EXPECT_THAT(look(), ElementsAre(interrupted("refused")));
    condition.problem = "";
    EXPECT_THAT(look(), IsEmpty()) << "opened, and nothing heard";
    condition.last_heard = now;
    EXPECT_THAT(look(), ElementsAre(line("info Watch resumed")));
    EXPECT_THAT(look(), IsEmpty());
}

TEST_F(ConditionLogTest, AWatchThatIsOpenedAndBreaksAgainHasNotResumed) {
    condition.synced = true;
    condition.last_heard = now;
    look();
    condition.problem = "cut";
    EXPECT_EQ(look().size(), 1U);
    for (int round = 0; round < 10; ++round) {
        now += 30s;
        condition.problem = "";
        EXPECT_THAT(look(), IsEmpty());
        condition.problem = "cut";
        EXPECT_THAT(look(), IsEmpty());
    }
}

TEST_F(ConditionLogTest, AProblemThatFlipsIsToldOnceAMinute) {
    condition.synced = true;
    look();
    std::size_t told = 0;
    for (int second = 0; second < 180; ++second, now += 1s) {
        condition.problem = second % 2 == 0 ? "cut" : "";
        condition.last_heard = now;
        told += look().size();
    }
    EXPECT_EQ(told, 2U * 3U) << "interrupted and resumed";
}

TEST_F(ConditionLogTest, AProblemOfTheQuietMinuteIsToldWhenItLasts) {
    condition.synced = true;
    condition.problem = "cut";
    look();
    condition.problem = "refused";
    now += 59s;
    EXPECT_THAT(look(), IsEmpty());
    now += 1s;
    EXPECT_THAT(look(), ElementsAre(interrupted("refused")));
}

TEST_F(ConditionLogTest, ARefusalThatLastsIsToldInTheMinuteOfAnotherProblem) {
    condition.synced = true;
    condition.problem = "cut";
    look();
    condition.problem = "no right";
    refused = true;
    now += 9s;
    EXPECT_THAT(look(), IsEmpty()) << "as of an API server that has just come back";
    now += 1s;
    EXPECT_THAT(look(), ElementsAre(line("error Watch refused; serving the last good state",
                                         R"(, "why": "no right")")));
    condition.problem = "no other right";
    EXPECT_THAT(look(), IsEmpty());
}

TEST_F(ConditionLogTest, FeedsOfOneResourceShareTheMinute) {
    auto other = make("ns");
    condition.synced = true;
    look();
    look(other);
    condition.problem = "cut";
    EXPECT_EQ(look().size(), 1U);
    EXPECT_THAT(look(other), IsEmpty());
    now += 1min;
    EXPECT_THAT(look(other), ElementsAre(line("warn Watch interrupted; serving the last good state",
                                              R"(, "why": "cut")", "ns")));
}

TEST_F(ConditionLogTest, ARefusalIsAnError) {
    condition.synced = true;
    look();
    refused = true;
    condition.problem = "forbidden";
    EXPECT_THAT(look(), ElementsAre(line("error Watch refused; serving the last good state",
                                         R"(, "why": "forbidden")")));
}

TEST_F(ConditionLogTest, SaysWhenThereIsNothingToServeYet) {
    condition.problem = "cut";
    EXPECT_THAT(look(),
                ElementsAre(line("warn Watch interrupted; not synced yet", R"(, "why": "cut")")));
    now += 1min;
    refused = true;
    condition.problem = "forbidden";
    EXPECT_THAT(look(), ElementsAre(line("error Watch refused; not synced yet",
                                         R"(, "why": "forbidden")")));
}

constexpr auto kComplete =
    "warn Resource is not installed; serving without it\t{\"resource\": \"things\"}";
constexpr auto kRemembered =
    "warn Resource is not installed; serving the last good state for a minute\t"
    "{\"resource\": \"things\"}";
constexpr auto kInstalled = "info Resource is installed\t{\"resource\": \"things\"}";

TEST_F(ConditionLogTest, TellsOnceThatAResourceIsNotInstalled) {
    condition.absent = true;
    EXPECT_THAT(look(), ElementsAre(kComplete));
    EXPECT_THAT(look(), IsEmpty());
    condition.absent = false;
    condition.problem = "away";
    EXPECT_EQ(look().size(), 1U) << "the problem only";
    condition.absent = true;
    condition.problem = "";
    EXPECT_THAT(look(), IsEmpty());
    condition.absent = false;
    EXPECT_THAT(look(), ElementsAre(kInstalled));
    condition.absent = true;
    EXPECT_THAT(look(), ElementsAre(kComplete));
}

TEST_F(ConditionLogTest, TellsWhatServesWhileAResourceIsNotInstalled) {
    condition.synced = true;
    look();
    condition.absent = true;
    EXPECT_THAT(look(), ElementsAre(kRemembered));
    EXPECT_THAT(look(), IsEmpty());
    condition.emptied = true;
    EXPECT_THAT(look(), ElementsAre(kComplete));
    EXPECT_THAT(look(), IsEmpty());
    condition.absent = false;
    EXPECT_THAT(look(), ElementsAre(kInstalled));
}

TEST_F(ConditionLogTest, FeedsOfOneResourceTellItsAbsenceOnce) {
    auto other = make("ns");
    condition.absent = true;
    EXPECT_THAT(look(), ElementsAre(kComplete));
    EXPECT_THAT(look(other), IsEmpty());
    condition.absent = false;
    EXPECT_THAT(look(other), ElementsAre(kInstalled));
    EXPECT_THAT(look(), IsEmpty());
    condition.absent = true;
    EXPECT_THAT(look(other), ElementsAre(kComplete)) << "anew";
    EXPECT_THAT(look(), IsEmpty());
}

TEST_F(ConditionLogTest, AnAbsentResourceHasNoWatchThatResumes) {
    condition.synced = true;
    condition.problem = "cut";
    look();
    condition.problem = "";
    condition.absent = true;
    condition.last_heard = now;
    EXPECT_THAT(look(), ElementsAre(kRemembered));
    condition.absent = false;
    EXPECT_THAT(look(), ElementsAre(kInstalled));
}

TEST(AbsenceOf, IsCompleteWhereNothingIsKnown) {
    Condition condition;
    EXPECT_EQ(absence_of(condition, 1), Absence::None);
    condition.absent = true;
    EXPECT_EQ(absence_of(condition, 1), Absence::Complete) << "not synced";
    condition.synced = true;
    EXPECT_EQ(absence_of(condition, 1), Absence::Remembered);
    EXPECT_EQ(absence_of(condition, 0), Absence::Complete);
    condition.emptied = true;
    EXPECT_EQ(absence_of(condition, 1), Absence::Complete) << "of another namespace";
}

TEST_F(ConditionLogTest, TellsStalenessAndItsEnd) {
    stale = 12min + 3s;
    EXPECT_THAT(look(), ElementsAre(line("warn State is stale", R"(, "silent": "12m")")));
    stale = 13min;
    EXPECT_THAT(look(), IsEmpty());
    stale.reset();
    EXPECT_THAT(look(), ElementsAre(line("info State is fresh again")));
    EXPECT_THAT(look(), IsEmpty());
}

TEST_F(ConditionLogTest, CountsWhatWasPassedOver) {
    const std::string message = "warn Passing over objects that have no name, or another namespace";
    condition.skipped = 2;
    EXPECT_THAT(look(), ElementsAre(line(message, R"(, "objects": 2)")));
    condition.skipped = 3;
    EXPECT_THAT(look(), ElementsAre(line(message, R"(, "objects": 1)")));
    EXPECT_THAT(look(), IsEmpty());
}

TEST(InWords, KeepsTwoUnitsAtMost) {
    EXPECT_EQ(in_words(0s), "0s");
    EXPECT_EQ(in_words(59s), "59s");
    EXPECT_EQ(in_words(60s), "1m");
    EXPECT_EQ(in_words(12min + 59s), "12m");
    EXPECT_EQ(in_words(3h + 5min), "3h5m");
}

}  // namespace
}  // namespace smw::watch
