#pragma once
// ApiJobs with a fetch that answers as the test wants it, and the threads on which they run.

#include "checkpoint_restore/api_jobs.hpp"
#include "smw/async/latch.hpp"
#include "smw/async/shards.hpp"
#include "smw/async/sleep.hpp"
#include "smw/async/task_group.hpp"
#include "support/eventually.hpp"
#include "support/recording_output.hpp"
#include "support/turned_clock.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_future.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <future>

namespace smw::checkpoint_restore {

/// As far from every budget below as a loaded machine needs.
inline constexpr std::chrono::seconds kLongAgo{20};
inline constexpr std::chrono::hours kForever{1};

inline client::Answered<json::Document> object(const std::string& text) {
    return *json::Document::parse(text);
}

inline client::Answered<json::Document> failure(int code, Code kind) {
    client::Failure failure;
    failure.error.code = kind;
    failure.error.message = "getting jobs.batch: as the test wants it";
    failure.status.code = code;
    return tl::unexpected(failure);
}

inline constexpr auto kNightly = R"({"kind": "PartialObjectMetadata", "metadata": {
    "name": "manual", "namespace": "default", "uid": "uid", "ownerReferences": [
    {"apiVersion": "batch/v1", "kind": "CronJob", "name": "nightly", "controller": true}]}})";

using Answer = std::function<Task<client::Answered<json::Document>>(client::ApiRequest, Deadline)>;

inline Task<client::Answered<json::Document>> give(std::string text) {
    co_return object(text);
}

inline Task<client::Answered<json::Document>> give_failure(int code, Code kind) {
    co_return failure(code, kind);
}

/// As ApiClient does with an API server that is silent.
inline Task<client::Answered<json::Document>> give_nothing(Deadline deadline) {
    co_await async::sleep(deadline.remaining(std::chrono::steady_clock::now()));
    co_return failure(0, Code::DeadlineExceeded);
}

inline Task<client::Answered<json::Document>> give_when(async::Latch& opened, std::string text) {
    co_await opened.wait(Deadline::after(kLongAgo));
    co_return object(text);
}

inline Task<client::Answered<json::Document>> give_up_when(async::Latch& told) {
    co_await told.wait(Deadline::after(kLongAgo));
    co_return failure(0, Code::DeadlineExceeded);
}

inline Task<client::Answered<json::Document>> hang() {
    co_await async::sleep(kForever);
    co_return failure(500, Code::Internal);
}

inline Task<client::Answered<json::Document>> break_down() {
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
                                 boost::asio::post(
                                     background.executor(),
                                     [this, make = std::move(make)] { tasks.spawn(make()); });
                             },
                             budget,
                             clock,
                             output.logger(),
                             metrics};
        jobs = std::make_unique<ApiJobs>(std::move(parts));
    }

    void end() {
        boost::asio::co_spawn(background.executor(), end_tasks(), boost::asio::use_future).get();
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
        return boost::asio::co_spawn(shard.executor(),
                                     jobs->owner_of(std::move(key), std::move(uid), deadline),
                                     boost::asio::use_future);
    }

    double count(std::string_view result) {
        return metrics.counter({"smw_job_lookups_total", "", {"result"}}).with({result}).value();
    }

    Answer answer = [](client::ApiRequest, Deadline) {
        return give(kNightly);
    };
    std::atomic<int> fetches{0};
    client::ApiRequest asked;
    test::TurnedClock clock;
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

}  // namespace smw::checkpoint_restore
