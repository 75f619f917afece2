// The whole system with an API server that is slow, dead or talks nonsense: no review is late, and
// none gets a wrong image.

#include "smw/async/shards.hpp"
#include "smw/async/task_group.hpp"
#include "smw/checkpoint_restore/system.hpp"
#include "smw/client/api_client.hpp"
#include "support/cluster_config.hpp"
#include "support/eventually.hpp"
#include "support/fake_api_server.hpp"
#include "support/recording_output.hpp"
#include "unit/checkpoint_restore/world.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_future.hpp>
#include <gmock/gmock.h>

#include <future>
#include <mutex>
#include <random>

namespace smw::checkpoint_restore {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using test::ApiCall;
using test::ApiReply;
using testing::backup_of;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::Json;
using testing::pod_of;

const testing::Images kImages{{"app", "app:1"}};

struct Answered {
    std::string reason;
    std::string image;  ///< in the patch; empty: none
    admission::Undecided undecided = admission::Undecided::No;
};

/// The metadata of a Job that this CronJob owns; of none when it is empty.
ApiReply job(const std::string& name, const std::string& cronjob,
             const std::string& uid = "job-uid") {
    Json object{{"kind", "PartialObjectMetadata"},
                {"apiVersion", "meta.k8s.io/v1"},
                {"metadata", {{"name", name}, {"namespace", "default"}, {"uid", uid}}}};
    if (!cronjob.empty()) {
        object["metadata"]["ownerReferences"] = {{{"apiVersion", "batch/v1"},
                                                  {"kind", "CronJob"},
                                                  {"name", cronjob},
                                                  {"uid", "cronjob-uid"},
                                                  {"controller", true}}};
    }
    ApiReply reply;
    reply.body = object.dump();
    return reply;
}

ApiReply text(int status, std::string body, std::string content_type = "application/json") {
    ApiReply reply;
    reply.status = status;
    reply.body = std::move(body);
    reply.content_type = std::move(content_type);
    return reply;
}

ApiReply stream(std::vector<test::Step> steps) {
    ApiReply reply;
    reply.stream = test::steps(std::move(steps));
    return reply;
}

class JobLookup : public ::testing::Test {
protected:
    JobLookup() {
        background_.start();
        shards_.start();
    }
    ~JobLookup() override { end(); }

    /// The system as the server has it, with the backups of CronJobs nightly and weekly.
    void start(const std::string& budget = "20s") {
        api_ =
            std::make_unique<client::ApiClient>(test::config_of(server_), clock_, output_.logger());
        system_ = make_system();
        for (const auto& option : system_->options()) {
            if (option.name == "api-lookup-budget") {
                ASSERT_TRUE(option.set(budget));
            }
        }
        system_->start({output_.logger(), metrics_, clock_, api_.get(),
                        [this](std::function<Task<void>()> make) {
                            asio::post(background_.executor(),
                                       [this, make = std::move(make)] { tasks_.spawn(make()); });
                        }});
        const auto caches = system_->caches();
        ASSERT_EQ(caches.size(), 1U) << "Jobs are not watched";
        for (const auto* name : {"nightly", "weekly"}) {
            const std::string image = std::string{"app:"} + name;
            const auto backup = backup_of("CronJob", name, name, {{"app", image}});
            ASSERT_TRUE(caches[0].sink->apply(json::Document::parse(backup.dump())->root()));
        }
        caches[0].synced->set();
    }

    void end() {
        asio::co_spawn(background_.executor(), end_tasks(), asio::use_future).get();
        shards_.stop();
        background_.stop();
    }
    Task<bool> end_tasks() {
        tasks_.cancel();
        co_return co_await tasks_.join(Deadline::after(test::kPatience));
    }

    using Answer = std::function<ApiReply(const ApiCall&)>;
    void answer(Answer answer) {
        const std::scoped_lock lock{mutex_};
        answer_ = std::move(answer);
    }
    void answer(ApiReply reply) {
        answer([reply = std::move(reply)](const ApiCall&) { return reply; });
    }

    /// The creation of a pod of that Job, judged on a shard.
    std::future<Answered> review(const std::string& name, Duration within = test::kPatience) {
        auto& shard = shards_.at(next_++ % shards_.size());
        return asio::co_spawn(shard.executor(),
                              judge(pod_of(name, kImages).dump(), Deadline::after(within)),
                              asio::use_future);
    }
    Answered judged(const std::string& name) { return review(name).get(); }

    Task<Answered> judge(std::string pod, Deadline deadline) {
        const auto document = json::Document::parse(std::move(pod));
        const auto request = testing::create_request(*document);
        const auto response = co_await system_->routes()[0].handler->handle(request, deadline);
        Answered answered;
        answered.reason = kReasons.at(response->reason);
        answered.undecided = response->undecided;
        if (response->patch) {
            answered.image = Json::parse(response->patch->json)[0]["value"];
        }
        co_return answered;
    }

    double count(std::string_view result) {
        return metrics_.counter({"smw_job_lookups_total", "", {"result"}}).with({result}).value();
    }

    std::mutex mutex_;
    Answer answer_ = [](const ApiCall&) {
        return job("manual", "nightly");
    };
    test::FakeApiServer server_{[this](const ApiCall& call) {
        Answer now;
        {
            const std::scoped_lock lock{mutex_};
            now = answer_;
        }
        return now(call);
    }};
    test::RecordingOutput output_;
    SystemClock clock_;
    metrics::Registry metrics_;
    async::Shard background_{"background"};
    async::Shards shards_{2};
    std::size_t next_ = 0;
    std::unique_ptr<client::ApiClient> api_;
    std::unique_ptr<system::System> system_;
    async::TaskGroup tasks_{background_.executor(), [](std::exception_ptr) {
                                ADD_FAILURE() << "a task broke down";
                            }};
};

TEST_F(JobLookup, RestoresByTheOwnerThatTheApiServerNames) {
    start();
    const auto answered = judged("manual");
    EXPECT_EQ(answered.reason, "restored");
    EXPECT_EQ(answered.image, "app:nightly");
    EXPECT_EQ(judged("manual").image, "app:nightly");
    const auto calls = server_.calls();
    ASSERT_EQ(calls.size(), 1U);
    EXPECT_EQ(calls[0].method, "GET");
    EXPECT_EQ(calls[0].path, "/apis/batch/v1/namespaces/default/jobs/manual");
    EXPECT_THAT(calls[0].header("accept"), HasSubstr("as=PartialObjectMetadata;"));
    EXPECT_EQ(count("found"), 1);
    EXPECT_EQ(count("cached"), 1);
}

TEST_F(JobLookup, AsksNothingWhenMatchingByNameOnly) {
    start();
    for (const auto& option : system_->options()) {
        if (option.name == "cronjob-match") {
            ASSERT_TRUE(option.set("name"));
        }
    }
    EXPECT_EQ(judged("nightly-x").image, "app:nightly");
    EXPECT_THAT(server_.calls(), ::testing::IsEmpty());
}

TEST_F(JobLookup, LeavesThePodOfAJobThatIsGone) {
    start();
    answer(test::status_reply(404, "NotFound"));
    EXPECT_EQ(judged("nightly-1").reason, "job-gone");
    answer(job("nightly-2", "nightly", "another-uid"));
    EXPECT_EQ(judged("nightly-2").reason, "job-gone");
    EXPECT_EQ(count("missing"), 2);
}

struct Nonsense {
    std::string name;
    ApiReply reply;
    const char* result;
};

std::vector<Nonsense> all_nonsense() {
    const auto half = job("nightly-1", "nightly").body.substr(0, 60);
    ApiReply elsewhere = text(302, "");
    elsewhere.headers = {{"Location", "https://127.0.0.1:1/"}};
    return {{"forbidden", test::status_reply(403, "Forbidden"), "refused"},
            {"unauthorized", test::status_reply(401, "Unauthorized"), "refused"},
            {"busy", test::status_reply(429, "TooManyRequests"), "error"},
            {"broken", test::status_reply(500, "InternalError"), "error"},
            {"a load balancer without a backend", text(404, "404 page not found\n", "text/plain"),
             "error"},
            {"a load balancer's page", text(503, "<html>", "text/html"), "error"},
            {"a gateway's timeout", text(504, "", "text/plain"), "error"},
            {"a redirect", std::move(elsewhere), "error"},
            {"no JSON", text(200, "<html>", "text/html"), "error"},
            {"nothing", text(200, ""), "error"},
            {"no object", text(200, "[]"), "error"},
            {"no metadata", text(200, "{}"), "error"},
            {"another Job", job("other", "weekly"), "error"},
            {"half an object", stream({test::Send{half}, test::Close{}}), "error"},
            {"a cut", stream({test::Send{half}, test::Cut{}}), "error"}};
}

/// Then only digits count as the name of a CronJob's Job.
TEST_F(JobLookup, TakesNoOwnerFromNonsense) {
    start();
    for (auto& [name, reply, result] : all_nonsense()) {
        answer(reply);
        const auto before = count(result);
        const auto digits = judged("nightly-1");
        EXPECT_EQ(digits.image, "app:nightly") << name;
        const auto other = judged("nightly-x");
        EXPECT_EQ(other.reason, "owner-unknown") << name;
        EXPECT_EQ(other.image, "") << name;
        EXPECT_EQ(other.undecided, admission::Undecided::Error) << name;
        EXPECT_EQ(judged("manual").reason, "no-checkpoint-backup") << name;
        EXPECT_EQ(count(result), before + 3) << name;
    }
}

TEST_F(JobLookup, DecidesInTimeWhenTheApiServerIsSilent) {
    start("100ms");
    const auto half = job("nightly-x", "nightly").body.substr(0, 60);
    for (const auto& silent : {stream({test::Hold{}}), stream({test::Send{half}, test::Hold{}})}) {
        answer(silent);
        const auto begin = std::chrono::steady_clock::now();
        const auto other = judged("nightly-x");
        EXPECT_EQ(other.reason, "owner-unknown");
        EXPECT_EQ(other.undecided, admission::Undecided::Timeout);
        EXPECT_EQ(judged("nightly-1").image, "app:nightly");
        EXPECT_LT(std::chrono::steady_clock::now() - begin, 2s);
    }
    EXPECT_EQ(count("timeout"), 4);
}

TEST_F(JobLookup, DecidesInTimeWhenTheApiServerIsGoneAndWhenItComesBack) {
    start();
    EXPECT_EQ(judged("manual").image, "app:nightly");
    server_.stop();
    EXPECT_EQ(judged("manual").image, "app:nightly") << "known";
    EXPECT_EQ(judged("nightly-x").reason, "owner-unknown");
    EXPECT_EQ(judged("nightly-1").image, "app:nightly");
    EXPECT_EQ(count("error"), 2);
    EXPECT_EQ(output_.count("Cannot ask for the owner of a Job"), 1U) << output_.text();
    server_.start();
    answer(job("nightly-x", "weekly"));
    EXPECT_EQ(judged("nightly-x").image, "app:weekly");
}

TEST_F(JobLookup, IsBoundByTheReviewsOwnDeadline) {
    start();
    answer(stream({test::Hold{}}));
    const auto begin = std::chrono::steady_clock::now();
    EXPECT_EQ(review("nightly-x", 50ms).get().undecided, admission::Undecided::Timeout);
    EXPECT_LT(std::chrono::steady_clock::now() - begin, 2s);
}

TEST_F(JobLookup, SharesOneQuestionAmongAllShards) {
    start();
    std::promise<void> opened;
    answer([wait = opened.get_future().share()](const ApiCall&) {
        wait.wait();
        return job("manual", "nightly");
    });
    std::vector<std::future<Answered>> reviews;
    for (int pods = 0; pods < 100; ++pods) {
        reviews.push_back(review("manual"));
    }
    EXPECT_TRUE(test::eventually([this] { return !server_.calls().empty(); }));
    opened.set_value();
    for (auto& answered : reviews) {
        EXPECT_EQ(answered.get().image, "app:nightly");
    }
    EXPECT_EQ(server_.calls().size(), 1U);
    EXPECT_EQ(count("found") + count("cached"), 100);
}

TEST_F(JobLookup, EndsWithQuestionsUnderWay) {
    start();
    answer(stream({test::Hold{}}));
    std::vector<std::future<Answered>> reviews;
    for (int pods = 0; pods < 20; ++pods) {
        reviews.push_back(review("nightly-x" + std::to_string(pods)));
    }
    EXPECT_TRUE(test::eventually([this] { return !server_.calls().empty(); }));
    const auto begin = std::chrono::steady_clock::now();
    asio::co_spawn(background_.executor(), end_tasks(), asio::use_future).get();
    for (auto& answered : reviews) {
        EXPECT_EQ(answered.get().reason, "owner-unknown");
    }
    EXPECT_LT(std::chrono::steady_clock::now() - begin, 10s) << "long before the budget";
}

/// "nightly", "weekly", or none: which CronJob owns the Job, whatever its name says.
std::string owner_of(const std::string& name) {
    return std::vector<std::string>{"nightly", "weekly",
                                    ""}[static_cast<std::size_t>(name.back()) % 3];
}

/// Each answer may be the truth, the truth but late, or nonsense. Thread-safe.
class Chaos {
public:
    explicit Chaos(unsigned seed) : random_(seed) {}

    ApiReply answer(const ApiCall& call) {
        const auto name = call.path.substr(call.path.rfind('/') + 1);
        const std::scoped_lock lock{mutex_};
        const auto dice = random_() % (nonsense_.size() + 10);
        if (dice < nonsense_.size()) {
            return nonsense_[dice].reply;
        }
        auto reply = job(name, owner_of(name));
        if (dice % 3 == 0) {
            const std::chrono::milliseconds late{random_() % 100};
            return stream({test::Sleep{late}, test::Send{reply.body}, test::Close{}});
        }
        return reply;
    }

private:
    std::mutex mutex_;
    std::mt19937 random_;
    std::vector<Nonsense> nonsense_ = all_nonsense();
};

/// Jobs made by hand, so that only the owner tells. Every third review has too little time for most
/// answers, the others have enough for all.
TEST_F(JobLookup, NeverTakesAWrongImageWhateverBecomesOfTheAnswers) {
    constexpr unsigned kSeed = 20261121;
    start();
    answer([chaos = std::make_shared<Chaos>(kSeed)](const ApiCall& call) {
        return chaos->answer(call);
    });
    std::size_t restored = 0;
    for (int round = 0; round < 20; ++round) {
        std::vector<std::pair<std::string, std::future<Answered>>> reviews;
        for (int pod = 0; pod < 20; ++pod) {
            const std::string cronjob = pod % 2 == 0 ? "nightly" : "weekly";
            const auto name = cronjob + "-by-hand-" + std::to_string(pod % 10);
            reviews.emplace_back(name, review(name, pod % 3 == 0 ? 200ms : test::kPatience));
        }
        for (auto& [name, future] : reviews) {
            const auto answered = future.get();
            const auto owner = owner_of(name);
            const auto right = "app:" + (owner.empty() ? name.substr(0, name.find('-')) : owner);
            EXPECT_THAT(answered.image, ::testing::AnyOf("", right)) << name << " seed " << kSeed;
            restored += answered.image.empty() ? 0 : 1;
        }
    }
    EXPECT_GT(restored, 0U);
}

}  // namespace
}  // namespace smw::checkpoint_restore
