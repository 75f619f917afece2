// The bounded question to the API server: shared, kept and counted.
#include "checkpoint_restore/api_jobs.hpp"

#include "api_jobs_world.hpp"

namespace smw::checkpoint_restore {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

TEST_F(ApiJobsTest, AsksForTheMetadataOfTheJob) {
    const auto owner = ask().get();
    EXPECT_EQ(owner.state, Owner::State::Known);
    EXPECT_EQ(owner.uid, "uid");
    EXPECT_EQ(owner.cronjob, "nightly");
    EXPECT_EQ(asked.verb, "get");
    EXPECT_EQ(asked.resource.group, "batch");
    EXPECT_EQ(asked.resource.version, "v1");
    EXPECT_EQ(asked.resource.plural, "jobs");
    EXPECT_EQ(asked.namespace_, "default");
    EXPECT_EQ(asked.name, "manual");
    EXPECT_TRUE(asked.metadata_only);
    EXPECT_THAT(asked.query, ::testing::IsEmpty());
    EXPECT_EQ(count("found"), 1);
}

TEST_F(ApiJobsTest, AsksOnceForAJobThatIsThere) {
    static_cast<void>(ask().get());
    clock.turn(100h);
    EXPECT_EQ(ask().get().cronjob, "nightly");
    EXPECT_EQ(fetches, 1);
    EXPECT_EQ(count("found"), 1);
    EXPECT_EQ(count("cached"), 1);
}

TEST_F(ApiJobsTest, AsksAgainAfterASecondForAJobThatIsGone) {
    answer = [](client::ApiRequest, Deadline) {
        return give_failure(404, Code::NotFound);
    };
    EXPECT_EQ(ask().get().state, Owner::State::Gone);
    EXPECT_EQ(ask().get().state, Owner::State::Gone);
    EXPECT_EQ(fetches, 1);
    EXPECT_EQ(count("missing"), 1);
    EXPECT_EQ(count("cached"), 1);
    clock.turn(1s);
    EXPECT_EQ(ask().get().state, Owner::State::Gone);
    EXPECT_EQ(fetches, 2);
    EXPECT_EQ(output.count(log::Level::Warn), 0U) << output.text();
}

TEST_F(ApiJobsTest, CountsAJobOfAnotherUidAsMissing) {
    const auto owner = ask("manual", "older-uid").get();
    EXPECT_EQ(owner.state, Owner::State::Known);
    EXPECT_EQ(owner.uid, "uid") << "what decide() compares";
    EXPECT_EQ(count("missing"), 1);
    EXPECT_EQ(ask("manual", "older-uid").get().state, Owner::State::Gone);
    EXPECT_EQ(ask("manual", "uid").get().cronjob, "nightly");
    EXPECT_EQ(fetches, 1);
}

TEST_F(ApiJobsTest, LooksAJobUpByNameWhenThePodSaysNoUid) {
    EXPECT_EQ(ask("manual", "").get().cronjob, "nightly");
    EXPECT_EQ(ask("manual", "").get().cronjob, "nightly");
    EXPECT_EQ(fetches, 2);
    EXPECT_EQ(count("found"), 2);
}

TEST_F(ApiJobsTest, SharesOneQuestionAmongThoseWhoAskTheSame) {
    async::Latch opened;
    answer = [&opened](client::ApiRequest, Deadline) {
        return give_when(opened, kNightly);
    };
    std::vector<std::future<Owner>> waiting;
    for (int reviews = 0; reviews < 50; ++reviews) {
        waiting.push_back(ask());
    }
    auto other = ask("manual", "another-uid");
    ASSERT_TRUE(test::eventually([this] { return fetches == 2; }));
    // Every review has come to wait before the answer is given: the shard works them off in order.
    asio::co_spawn(shard.executor(), async::sleep(0s), asio::use_future).get();
    opened.set();
    for (auto& owner : waiting) {
        EXPECT_EQ(owner.get().cronjob, "nightly");
    }
    EXPECT_EQ(other.get().uid, "uid");
    EXPECT_EQ(fetches, 2);
    EXPECT_EQ(count("found"), 50);
    EXPECT_EQ(count("missing"), 1);
}

TEST_F(ApiJobsTest, AsksNotForNamesThatNoObjectHas) {
    for (const auto* name : {"../../secrets/x", "", "A", "a?b"}) {
        EXPECT_EQ(ask(name).get().state, Owner::State::Gone) << name;
    }
    EXPECT_EQ(fetches, 0);
    EXPECT_EQ(count("missing"), 4);
}

TEST_F(ApiJobsTest, ShowsEveryResultFromTheStart) {
    const auto text = metrics.expose();
    for (const auto* result : {"cached", "found", "missing", "timeout", "refused", "error"}) {
        EXPECT_THAT(text, ::testing::HasSubstr("smw_job_lookups_total{result=\"" +
                                               std::string{result} + "\"} 0\n"));
    }
}

}  // namespace
}  // namespace smw::checkpoint_restore
