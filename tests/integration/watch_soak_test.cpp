// The whole way from an API server's answers to decisions, under a thousand faults: whatever goes
// wrong, decisions are those of the last good state, and after it those of a fresh list. Seeded:
// SMW_SOAK_SEED repeats a run.

#include "smw/admission/review.hpp"
#include "smw/async/shards.hpp"
#include "smw/async/task_group.hpp"
#include "smw/base/thrown.hpp"
#include "smw/checkpoint_restore/offline.hpp"
#include "smw/checkpoint_restore/system.hpp"
#include "smw/client/api_client.hpp"
#include "smw/watch/cluster.hpp"
#include "support/cluster_config.hpp"
#include "support/eventually.hpp"
#include "support/model_cluster.hpp"
#include "support/recording_output.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_future.hpp>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <optional>
#include <random>

namespace smw {
namespace {

namespace asio = boost::asio;
using Json = nlohmann::json;
using std::chrono::milliseconds;

constexpr int kFaultsInAll = 500;  // of each of the two ways to list
constexpr int kApps = 6;

std::string app(int number) {
    return fmt::format("app-{}", number);
}

/// Even apps are Jobs of their own, odd ones belong to a CronJob under a name that does not tell.
Json job_of(int number) {
    Json job{{"apiVersion", "batch/v1"}, {"kind", "Job"}};
    job["metadata"] = {{"name", app(number)}, {"namespace", "soak"}, {"uid", app(number) + "-uid"}};
    if (number % 2 == 1) {
        job["metadata"]["ownerReferences"] = {{{"apiVersion", "batch/v1"},
                                               {"kind", "CronJob"},
                                               {"name", "cron-" + app(number)},
                                               {"uid", "u"},
                                               {"controller", true}}};
    }
    return job;
}

Json backup_of(int number, int variant, int revision) {
    const bool owned = number % 2 == 1;
    Json backup{{"apiVersion", "migration.dcnlab.com/v1"}, {"kind", "CheckpointBackup"}};
    backup["metadata"] = {{"name", fmt::format("{}-backup-{}", app(number), variant)},
                          {"namespace", "soak"}};
    backup["spec"]["resourceRef"] = {{"apiVersion", "batch/v1"},
                                     {"kind", owned ? "CronJob" : "Job"},
                                     {"name", (owned ? "cron-" : "") + app(number)}};
    backup["spec"]["containers"] = {
        {{"name", "main"},
         {"image", fmt::format("registry.example/{}:{}", app(number), revision)}}};
    backup["status"]["lastCheckpointTime"] = fmt::format(
        "2026-01-01T{:02}:{:02}:{:02}Z", revision / 3600 % 24, revision / 60 % 60, revision % 60);
    return backup;
}

std::string review_of(int number) {
    Json review{{"apiVersion", "admission.k8s.io/v1"}, {"kind", "AdmissionReview"}};
    auto& request = review["request"];
    request = {{"uid", "soak"}, {"namespace", "soak"}, {"operation", "CREATE"}};
    request["kind"] = {{"group", ""}, {"version", "v1"}, {"kind", "Pod"}};
    request["object"]["metadata"] = {{"generateName", app(number) + "-"},
                                     {"ownerReferences",
                                      {{{"apiVersion", "batch/v1"},
                                        {"kind", "Job"},
                                        {"name", app(number)},
                                        {"uid", app(number) + "-uid"},
                                        {"controller", true}}}}};
    request["object"]["spec"]["containers"] = {{{"name", "main"}, {"image", "plain"}}};
    return review.dump();
}

/// What one review came to: the reason and the patch.
std::string print(std::string_view reason, const std::optional<json::Text>& patch) {
    return fmt::format("{} {}", reason, patch ? patch->json : "-");
}

watch::ReflectorSettings short_settings() {
    watch::ReflectorSettings settings;
    settings.page_limit = 2;
    settings.silence = milliseconds{150};
    settings.answer = milliseconds{2000};
    settings.absent_retry = milliseconds{5};
    settings.absent_for_good = std::chrono::hours{1};
    settings.backoff.first = milliseconds{1};
    settings.backoff.most = milliseconds{20};
    return settings;
}

class Soak {
public:
    Soak(bool streaming_lists, std::uint64_t seed)
        : model(streaming_lists),
          server([this](const test::ApiCall& call) { return model.answer(call); }),
          random_(seed),
          background_("background"),
          reviews_("reviews"),
          api_(test::config_of(server), clock_, output_.logger()),
          tasks_(background_.executor(),
                 [](std::exception_ptr error) { ADD_FAILURE() << describe_thrown(error); }) {
        for (int number = 0; number < kApps; ++number) {
            model.put_job(job_of(number));
        }
        background_.start();
        reviews_.start();
        start_system();
    }

    ~Soak() {
        EXPECT_TRUE(asio::co_spawn(background_.executor(), end_tasks(), asio::use_future).get());
    }
    Soak(const Soak&) = delete;
    Soak& operator=(const Soak&) = delete;

    void change() {
        const int number = pick(kApps);
        const int variant = pick(2);
        if (pick(3) == 0) {
            model.erase_backup("soak", fmt::format("{}-backup-{}", app(number), variant));
        } else {
            model.put_backup(backup_of(number, variant, ++revision_));
        }
        if (pick(20) == 0) {
            model.compact();
        }
    }

    /// Of every app, as the server decides.
    std::vector<std::string> decisions() {
        std::vector<std::string> all;
        for (int number = 0; number < kApps; ++number) {
            const auto document = json::Document::parse(review_of(number));
            const auto request = admission::decode_review(document->root());
            auto task = handler_->handle(*request, Deadline::after(test::kPatience));
            const auto response =
                asio::co_spawn(reviews_.executor(), std::move(task), asio::use_future).get();
            all.push_back(response ? print(handler_->reasons()[response->reason], response->patch)
                                   : response.error().message);
        }
        return all;
    }

    /// The same, as `review` decides on a fresh list.
    std::vector<std::string> expected() const {
        checkpoint_restore::Offline offline;
        for (const auto& object : model.objects()) {
            const auto document = json::Document::parse(object.dump());
            EXPECT_TRUE(offline.add(document->root()).has_value());
        }
        std::vector<std::string> all;
        for (int number = 0; number < kApps; ++number) {
            const auto document = json::Document::parse(review_of(number));
            const auto request = admission::decode_review(document->root());
            const auto judged = offline.judge(*request);
            all.push_back(judged ? print(judged->reason, judged->response.patch)
                                 : judged.error().message);
        }
        return all;
    }

    bool converges() {
        const auto right = expected();
        return test::eventually([&] { return decisions() == right; });
    }

    int pick(int below) { return std::uniform_int_distribution<int>{0, below - 1}(random_); }

    test::ModelCluster model;
    test::FakeApiServer server;
    test::RecordingOutput& output() { return output_; }

private:
    Task<bool> end_tasks() {
        tasks_.cancel();
        co_return co_await tasks_.join(Deadline::after(test::kPatience));
    }

    void start_system() {
        system_ = checkpoint_restore::make_system();
        for (const auto& option : system_->options()) {
            if (option.name == "api-lookup-budget") {
                ASSERT_TRUE(option.set("20s"));
            }
        }
        system::Environment environment{output_.logger(), metrics_, clock_, &api_, {}};
        environment.spawn = [this](std::function<Task<void>()> make) {
            asio::post(background_.executor(),
                       [this, make = std::move(make)] { tasks_.spawn(make()); });
        };
        system_->start(environment);
        handler_ = system_->routes().at(0).handler;
        cluster_ = std::make_unique<watch::Cluster>(
            watch::Cluster::Parts{api_, system_->caches(), clock_, output_.logger(), metrics_,
                                  std::chrono::minutes{10}, short_settings(), random_()});
        for (auto& task : cluster_->tasks()) {
            environment.spawn(std::move(task));
        }
    }

    std::mt19937_64 random_;
    int revision_ = 0;
    SystemClock clock_;
    test::RecordingOutput output_;
    metrics::Registry metrics_;
    async::Shard background_;
    async::Shard reviews_;
    client::ApiClient api_;
    std::unique_ptr<system::System> system_;
    admission::Handler* handler_ = nullptr;
    std::unique_ptr<watch::Cluster> cluster_;
    async::TaskGroup tasks_;
};

std::uint64_t seed() {
    const char* given = std::getenv("SMW_SOAK_SEED");
    return given == nullptr ? 20261121 : std::strtoull(given, nullptr, 10);
}

class WatchSoak : public ::testing::TestWithParam<bool> {};

TEST_P(WatchSoak, DecidesAsOnAFreshListAfterEveryFault) {
    Soak soak{GetParam(), seed()};
    for (int number = 0; number < kApps; ++number) {
        soak.change();
    }
    ASSERT_TRUE(soak.converges()) << soak.output().text();
    for (int round = 0; round < kFaultsInAll; ++round) {
        const auto fault = static_cast<test::Fault>(soak.pick(test::kFaults));
        SCOPED_TRACE(fmt::format("round {}, fault {}, seed {}", round, to_string(fault), seed()));
        // Nothing changes: whatever befalls the watch, decisions stay as they are.
        const auto before = soak.decisions();
        if (fault == test::Fault::ExpiredPage) {
            soak.model.compact();
        }
        soak.model.inject(fault, 1 + soak.pick(3));
        for (int look = 0; look < 3; ++look) {
            ASSERT_EQ(soak.decisions(), before);
        }
        // And while it goes on, the world does too.
        for (int changes = soak.pick(4); changes > 0; --changes) {
            soak.change();
        }
        if (soak.pick(25) == 0) {
            soak.server.stop();
            soak.change();
            soak.server.start();
        }
        if (fault != test::Fault::ExpiredPage || !GetParam()) {
            EXPECT_TRUE(test::eventually([&] { return !soak.model.fault_pending(); }));
        }
        soak.model.heal();
        ASSERT_TRUE(soak.converges()) << soak.output().text();
    }
}

INSTANTIATE_TEST_SUITE_P(Lists, WatchSoak, ::testing::Bool(),
                         [](const auto& lists) { return lists.param ? "Streaming" : "Paged"; });

}  // namespace
}  // namespace smw
