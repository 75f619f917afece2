// The bounded question to the API server, with a fetch that answers as the test wants it: shared,
// kept, counted, and never late.
#include "checkpoint_restore/api_jobs.hpp"

#include "smw/async/latch.hpp"
#include "smw/async/shards.hpp"
#include "smw/async/sleep.hpp"
#include "smw/async/task_group.hpp"
#include "support/eventually.hpp"
#include "support/recording_output.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_future.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <future>

namespace smw::checkpoint_restore {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

/// As far from every budget below as a loaded machine needs.
constexpr auto kLongAgo = 20s;

class SteppedClock final : public Clock {
public:
    [[nodiscard]] TimePoint now() const override { return TimePoint{offset.load()}; }
    [[nodiscard]] WallTime wall() const override { return {}; }
    std::atomic<Duration> offset{1h};
};

client::Answered<json::Document> object(const std::string& text) {
    return *json::Document::parse(text);
}

client::Answered<json::Document> failure(int code, Code kind) {
    client::Failure failure;
    failure.error.code = kind;
    failure.error.message = "getting jobs.batch: as the test wants it";
    failure.status.code = code;
    return tl::unexpected(failure);
}

constexpr auto kNightly = R"({"kind": "PartialObjectMetadata", "metadata": {
    "name": "manual", "namespace": "default", "uid": "uid", "ownerReferences": [
    {"apiVersion": "batch/v1", "kind": "CronJob", "name": "nightly", "controller": true}]}})";

using Answer = std::function<Task<client::Answered<json::Document>>(client::ApiRequest, Deadline)>;

Task<client::Answered<json::Document>> give(std::string text) {
    co_return object(text);
}

Task<client::Answered<json::Document>> give_failure(int code, Code kind) {
    co_return failure(code, kind);
}

/// As ApiClient does with an API server that is silent.
Task<client::Answered<json::Document>> give_nothing(Deadline deadline) {
    co_await async::sleep(deadline.remaining(std::chrono::steady_clock::now()));
    co_return failure(0, Code::DeadlineExceeded);
}

Task<client::Answered<json::Document>> give_when(async::Latch& opened, std::string text) {
    co_await opened.wait(Deadline::after(kLongAgo));
    co_return object(text);
}

Task<client::Answered<json::Document>> give_up_when(async::Latch& told) {
    co_await told.wait(Deadline::after(kLongAgo));
    co_return failure(0, Code::DeadlineExceeded);
}

Task<client::Answered<json::Document>> hang() {
    co_await async::sleep(1h);
    co_return failure(500, Code::Internal);
}

Task<client::Answered<json::Document>> break_down() {
    throw std::runtime_error{"a defect"};
    co_return failure(500, Code::Internal);
}

class ApiJobsTest : public ::testing::Test {
protected:
    ApiJobsTest() {
        background.start();
        shard.start();
        make(kLongAgo);
    }
    ~ApiJobsTest() override { end(); }

    void make(Duration budget) {
        ApiJobs::Parts parts{[this](client::ApiRequest request, Deadline deadline) {
                                 ++fetches;
                                 asked = request;
                                 return answer(std::move(request), deadline);
                             },
                             [this](std::function<Task<void>()> make) {
                                 asio::post(background.executor(), [this, make = std::move(make)] {
                                     tasks.spawn(make());
                                 });
                             },
                             budget,
                             clock,
                             output.logger(),
                             metrics};
        jobs = std::make_unique<ApiJobs>(std::move(parts));
    }

    void end() {
        asio::co_spawn(background.executor(), end_tasks(), asio::use_future).get();
        jobs.reset();
        shard.stop();
        background.stop();
    }
    Task<bool> end_tasks() {
        tasks.cancel();
        co_return co_await tasks.join(Deadline::after(kLongAgo));
    }

    std::future<Owner> ask(std::string name = "manual", std::string uid = "uid",
                           Deadline deadline = Deadline::after(kLongAgo)) {
        kube::ObjectKey key;
        key.namespace_ = "default";
        key.name = std::move(name);
        return asio::co_spawn(shard.executor(),
                              jobs->owner_of(std::move(key), std::move(uid), deadline),
                              asio::use_future);
    }

    double count(std::string_view result) {
        return metrics.counter({"smw_job_lookups_total", "", {"result"}}).with({result}).value();
    }

    Answer answer = [](client::ApiRequest, Deadline) {
        return give(kNightly);
    };
    std::atomic<int> fetches{0};
    client::ApiRequest asked;
    SteppedClock clock;
    test::RecordingOutput output;
    metrics::Registry metrics;
    async::Shard background{"background"};
    async::Shard shard{"shard"};
    std::unique_ptr<ApiJobs> jobs;
    std::atomic<int> defects{0};
    async::TaskGroup tasks{background.executor(), [this](std::exception_ptr) {
                               ++defects;
                           }};
};

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
    clock.offset = 100h;
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
    clock.offset = clock.offset.load() + 1s;
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

struct Refusal {
    int code;
    Code kind;
    Owner::State state;
    const char* result;
};

TEST_F(ApiJobsTest, SaysWhyThereIsNoAnswer) {
    for (const auto& [code, kind, state, result] : std::vector<Refusal>{
             {401, Code::Unauthorized, Owner::State::Refused, "refused"},
             {403, Code::Forbidden, Owner::State::Refused, "refused"},
             {0, Code::DeadlineExceeded, Owner::State::Unanswered, "timeout"},
             {504, Code::DeadlineExceeded, Owner::State::Refused, "error"},
             {0, Code::Unavailable, Owner::State::Refused, "error"},
             {0, Code::BadRequest, Owner::State::Refused, "error"},
             {429, Code::Unavailable, Owner::State::Refused, "error"},
             {500, Code::Internal, Owner::State::Refused, "error"},
             {503, Code::Unavailable, Owner::State::Refused, "error"},
         }) {
        answer = [code = code, kind = kind](client::ApiRequest, Deadline) {
            return give_failure(code, kind);
        };
        const auto before = count(result);
        const auto asked_before = fetches.load();
        EXPECT_EQ(ask().get().state, state) << code;
        EXPECT_EQ(count(result), before + 1) << code;
        EXPECT_EQ(ask().get().state, state) << code;
        EXPECT_EQ(fetches, asked_before + 2) << "a failure is not kept";
    }
}

TEST_F(ApiJobsTest, DoesNotBelieveAnAnswerAboutSomethingElse) {
    for (const auto* text : {
             R"({})",
             R"([])",
             R"("manual")",
             R"({"metadata": 5})",
             R"({"metadata": {"name": 5}})",
             R"({"metadata": {"name": "manual"}})",
             R"({"metadata": {"name": "manual", "namespace": 5}})",
             R"({"metadata": {"name": "manual", "namespace": "elsewhere", "uid": "uid"}})",
             R"({"metadata": {"name": "other", "namespace": "default", "uid": "uid"}})",
             R"({"kind": "JobList", "items": []})",
         }) {
        answer = [text](client::ApiRequest, Deadline) {
            return give(text);
        };
        EXPECT_EQ(ask().get().state, Owner::State::Refused) << text;
    }
    EXPECT_EQ(count("error"), 10);
}

TEST_F(ApiJobsTest, SaysAKindOfFailureOnceASecond) {
    answer = [](client::ApiRequest, Deadline) {
        return give_failure(403, Code::Forbidden);
    };
    for (int reviews = 0; reviews < 5; ++reviews) {
        static_cast<void>(ask().get());
    }
    EXPECT_EQ(output.count("as the test wants it"), 1U) << output.text();
    EXPECT_EQ(output.count(R"("job": "manual", "namespace": "default", "result": "refused")"), 1U);
    answer = [](client::ApiRequest, Deadline) {
        return give_failure(500, Code::Internal);
    };
    static_cast<void>(ask().get());
    EXPECT_EQ(output.count("\"error\""), 1U) << "another kind: " << output.text();
    clock.offset = clock.offset.load() + 1s;
    static_cast<void>(ask().get());
    EXPECT_EQ(output.count("\"error\""), 2U);
    EXPECT_EQ(output.count(log::Level::Warn), 3U);
}

TEST_F(ApiJobsTest, IsNotLaterThanTheBudget) {
    make(20ms);
    answer = [](client::ApiRequest, Deadline) {
        return hang();
    };
    const auto begin = std::chrono::steady_clock::now();
    EXPECT_EQ(ask().get().state, Owner::State::Unanswered);
    EXPECT_LT(std::chrono::steady_clock::now() - begin, 10s);
    EXPECT_EQ(count("timeout"), 1);
}

TEST_F(ApiJobsTest, IsNotLaterThanTheReview) {
    answer = [](client::ApiRequest, Deadline) {
        return hang();
    };
    const auto begin = std::chrono::steady_clock::now();
    auto owner = ask("manual", "uid", Deadline::after(20ms));
    EXPECT_EQ(owner.get().state, Owner::State::Unanswered);
    EXPECT_LT(std::chrono::steady_clock::now() - begin, 10s);
    EXPECT_EQ(count("timeout"), 1);
}

TEST_F(ApiJobsTest, GivesTheBudgetToTheQuestion) {
    make(20ms);
    answer = [](client::ApiRequest, Deadline deadline) {
        return give_nothing(deadline);
    };
    EXPECT_EQ(ask().get().state, Owner::State::Unanswered);
    EXPECT_TRUE(test::eventually([this] { return output.count("\"timeout\"") == 1; }));
}

TEST_F(ApiJobsTest, KeepsAnAnswerThatCameTooLateForTheReview) {
    async::Latch opened;
    answer = [&opened](client::ApiRequest, Deadline) {
        return give_when(opened, kNightly);
    };
    EXPECT_EQ(ask("manual", "uid", Deadline::after(5ms)).get().state, Owner::State::Unanswered);
    auto next = ask();
    opened.set();
    EXPECT_EQ(next.get().cronjob, "nightly");
    EXPECT_EQ(fetches, 1);
}

TEST_F(ApiJobsTest, AsksAgainWhenAQuestionThatItJoinedRanOutOfTime) {
    async::Latch given_up;
    answer = [&given_up, this](client::ApiRequest, Deadline) {
        return fetches == 1 ? give_up_when(given_up) : give(kNightly);
    };
    auto first = ask();
    ASSERT_TRUE(test::eventually([this] { return fetches == 1; }));
    auto joined = ask();
    asio::post(shard.executor(), asio::use_future([] {})).get();  // by now it waits
    given_up.set();
    EXPECT_EQ(first.get().state, Owner::State::Unanswered);
    EXPECT_EQ(joined.get().cronjob, "nightly") << "it had most of its own time left";
    EXPECT_EQ(fetches, 2);
}

TEST_F(ApiJobsTest, TakesAQuarterOfTheReviewsTimeAtMost) {
    answer = [](client::ApiRequest, Deadline) {
        return hang();
    };
    const auto deadline = Deadline::after(8s);
    EXPECT_EQ(ask("manual", "uid", deadline).get().state, Owner::State::Unanswered);
    EXPECT_FALSE(deadline.passed(std::chrono::steady_clock::now()));
}

TEST_F(ApiJobsTest, AsksNotForNamesThatNoObjectHas) {
    for (const auto* name : {"../../secrets/x", "", "A", "a?b"}) {
        EXPECT_EQ(ask(name).get().state, Owner::State::Gone) << name;
    }
    EXPECT_EQ(fetches, 0);
    EXPECT_EQ(count("missing"), 4);
}

TEST_F(ApiJobsTest, AsksAnewAfterADefect) {
    answer = [](client::ApiRequest, Deadline) {
        return break_down();
    };
    EXPECT_EQ(ask().get().state, Owner::State::Unanswered);
    answer = [](client::ApiRequest, Deadline) {
        return give(kNightly);
    };
    EXPECT_EQ(ask().get().cronjob, "nightly");
    EXPECT_TRUE(test::eventually([this] { return defects == 1; }));
}

TEST_F(ApiJobsTest, LetsNobodyWaitForAQuestionThatTheStopEnds) {
    answer = [](client::ApiRequest, Deadline) {
        return hang();
    };
    auto waiting = ask();
    ASSERT_TRUE(test::eventually([this] { return fetches == 1; }));
    asio::co_spawn(background.executor(), end_tasks(), asio::use_future).get();
    EXPECT_EQ(waiting.get().state, Owner::State::Unanswered);
    EXPECT_EQ(ask("later").get().state, Owner::State::Unanswered) << "never begun";
    EXPECT_EQ(fetches, 1);
}

TEST_F(ApiJobsTest, MayGoBeforeItsQuestionsDo) {
    async::Latch opened;
    answer = [&opened](client::ApiRequest, Deadline) {
        return give_when(opened, kNightly);
    };
    auto waiting = ask("manual", "uid", Deadline::after(1ms));
    EXPECT_EQ(waiting.get().state, Owner::State::Unanswered);
    jobs.reset();
    opened.set();
    EXPECT_TRUE(test::eventually([this] {
        return asio::post(background.executor(),
                          asio::use_future([this] { return tasks.size() == 0; }))
            .get();
    }));
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
