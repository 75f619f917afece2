// The question to the API server that gets no good answer, or none in time: a review never waits
// for longer than it may.
#include "api_jobs_world.hpp"
#include "checkpoint_restore/api_jobs.hpp"

namespace smw::checkpoint_restore {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

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
    clock.turn(1s);
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

}  // namespace
}  // namespace smw::checkpoint_restore
