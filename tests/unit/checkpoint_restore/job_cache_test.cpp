// What is kept of answers about Jobs, and for how long.
#include "checkpoint_restore/job_cache.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace smw::checkpoint_restore {
namespace {

using namespace std::chrono_literals;

JobQuestion ask(std::string name, std::string uid = "uid", std::string namespace_ = "default") {
    JobQuestion question;
    question.namespace_ = std::move(namespace_);
    question.name = std::move(name);
    question.uid = std::move(uid);
    return question;
}

Owner known(std::string uid, std::optional<std::string> cronjob = std::nullopt) {
    Owner owner;
    owner.state = Owner::State::Known;
    owner.uid = std::move(uid);
    owner.cronjob = std::move(cronjob);
    return owner;
}

Owner owner_is(Owner::State state) {
    Owner owner;
    owner.state = state;
    return owner;
}

class JobCacheTest : public testing::Test {
protected:
    std::optional<Owner> find(const JobQuestion& question) { return cache.find(question, now); }
    void keep(const JobQuestion& question, const Owner& answer) {
        cache.keep(question, answer, now);
    }

    TimePoint now{1h};
    JobCache cache{{3, 2, 1s}};
};

TEST_F(JobCacheTest, KnowsNothingAtFirst) {
    EXPECT_EQ(find(ask("a")), std::nullopt);
}

TEST_F(JobCacheTest, KeepsTheOwnerOfAJobForEver) {
    keep(ask("a"), known("uid", "nightly"));
    now += 1000h;
    EXPECT_EQ(find(ask("a")), known("uid", "nightly"));
    keep(ask("b", "uid-b"), known("uid-b"));
    EXPECT_EQ(find(ask("b", "uid-b")), known("uid-b"));
}

TEST_F(JobCacheTest, AnswersOnlyForTheVeryJob) {
    keep(ask("a"), known("uid", "nightly"));
    EXPECT_EQ(find(ask("a", "other-uid")), std::nullopt);
    EXPECT_EQ(find(ask("b")), std::nullopt) << "a uid under another name";
    EXPECT_EQ(find(ask("a", "uid", "elsewhere")), std::nullopt) << "in another namespace";
    EXPECT_EQ(find(ask("a", "")), std::nullopt) << "a pod that says no uid";
}

TEST_F(JobCacheTest, KeepsForOneSecondThatAJobIsGone) {
    keep(ask("a"), owner_is(Owner::State::Gone));
    EXPECT_EQ(find(ask("a")), owner_is(Owner::State::Gone));
    EXPECT_EQ(find(ask("a", "other-uid")), std::nullopt);
    EXPECT_EQ(find(ask("a", "uid", "elsewhere")), std::nullopt);
    now += 999ms;
    EXPECT_EQ(find(ask("a")), owner_is(Owner::State::Gone));
    now += 1ms;
    EXPECT_EQ(find(ask("a")), std::nullopt);
}

TEST_F(JobCacheTest, TakesAnotherUidUnderThatNameForGoneAndKeepsTheOther) {
    keep(ask("a", "old"), known("new", "nightly"));
    EXPECT_EQ(find(ask("a", "old")), owner_is(Owner::State::Gone));
    EXPECT_EQ(find(ask("a", "new")), known("new", "nightly"));
    now += 1s;
    EXPECT_EQ(find(ask("a", "old")), std::nullopt);
    EXPECT_EQ(find(ask("a", "new")), known("new", "nightly"));
}

TEST_F(JobCacheTest, KeepsNothingThatWasNotAnswered) {
    for (const auto state :
         {Owner::State::NotAsked, Owner::State::Unanswered, Owner::State::Refused}) {
        keep(ask("a"), owner_is(state));
        EXPECT_EQ(find(ask("a")), std::nullopt);
    }
}

TEST_F(JobCacheTest, KeepsNothingUnderAnEmptyUid) {
    keep(ask("a", ""), owner_is(Owner::State::Gone));
    EXPECT_EQ(find(ask("a", "")), std::nullopt);
    keep(ask("a", ""), known(""));
    EXPECT_EQ(find(ask("a", "")), std::nullopt);
    keep(ask("a", "uid"), known(""));
    EXPECT_EQ(find(ask("a", "uid")), std::nullopt) << "an API server that says no uid";
    keep(ask("a", ""), known("read", "nightly"));
    EXPECT_EQ(find(ask("a", "read")), known("read", "nightly"));
}

TEST_F(JobCacheTest, ForgetsTheJobThatWasNotUsedForLongest) {
    for (const auto* job : {"a", "b", "c"}) {
        keep(ask(job, job), known(job));
    }
    EXPECT_NE(find(ask("a", "a")), std::nullopt);
    keep(ask("d", "d"), known("d"));
    EXPECT_NE(find(ask("a", "a")), std::nullopt);
    EXPECT_EQ(find(ask("b", "b")), std::nullopt);
    EXPECT_NE(find(ask("c", "c")), std::nullopt);
    EXPECT_NE(find(ask("d", "d")), std::nullopt);
}

TEST_F(JobCacheTest, BoundsWhatIsGone) {
    for (const auto* job : {"a", "b", "c"}) {
        keep(ask(job), owner_is(Owner::State::Gone));
    }
    EXPECT_EQ(find(ask("a")), std::nullopt);
    EXPECT_NE(find(ask("b")), std::nullopt);
    EXPECT_NE(find(ask("c")), std::nullopt);
}

/// A pod's ownerReference has not been validated yet when we see it.
TEST_F(JobCacheTest, DoesNotKeepTheMegabytesThatAPodClaims) {
    const std::string uid(1'000'000, 'u');
    keep(ask("a", uid), owner_is(Owner::State::Gone));
    EXPECT_EQ(find(ask("a", uid)), std::nullopt);
    keep(ask("a", uid), known(uid));
    EXPECT_EQ(find(ask("a", uid)), std::nullopt);
}

TEST(JobQuestion, CanExistOnlyUnderANameThatObjectsHave) {
    for (const auto* name : {"a", "a-b.c-1", "0"}) {
        EXPECT_TRUE(ask(name).can_exist()) << name;
    }
    EXPECT_TRUE(ask(std::string(253, 'a')).can_exist());
    for (const auto* name : {"", ".", "..", "a/b", "../secrets", "a?watch=1", "A", "a b", "-a",
                             "a-", "a%2e", "a#", "\xc3\xa4", "a_b"}) {
        EXPECT_FALSE(ask(name).can_exist()) << name;
    }
    EXPECT_FALSE(ask(std::string(254, 'a')).can_exist());
    EXPECT_FALSE(ask(std::string("a\0b", 3)).can_exist());
    for (const auto* namespace_ : {"", "a.b", "..", "a/b", "A"}) {
        EXPECT_FALSE(ask("a", "uid", namespace_).can_exist()) << namespace_;
    }
    EXPECT_FALSE(ask("a", "uid", std::string(64, 'a')).can_exist());
}

TEST(JobQuestion, DiffersInItsTextWhereverItDiffers) {
    EXPECT_NE(ask("a", "b").text(), ask("a", "c").text());
    EXPECT_NE(ask("a", "", "b").text(), ask("b", "", "a").text());
    EXPECT_NE(ask("b", "c", "a").text(), ask("b", "", "a").text());
}

}  // namespace
}  // namespace smw::checkpoint_restore
