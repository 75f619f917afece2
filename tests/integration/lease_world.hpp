#pragma once
// Replicas that run for one Lease at a FakeApiServer that keeps it as an API server does.

#include "smw/async/task_group.hpp"
#include "smw/base/thrown.hpp"
#include "smw/coordination/election.hpp"
#include "support/cluster_config.hpp"
#include "support/eventually.hpp"
#include "support/fake_api_server.hpp"
#include "support/recording_output.hpp"
#include "unit/async/run.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace smw::coordination {

using namespace std::chrono_literals;

/// One Lease, with optimistic locking. Thread-safe.
class LeaseStore {
public:
    using Json = nlohmann::json;

    [[nodiscard]] test::ApiReply answer(const test::ApiCall& call) {
        const std::scoped_lock lock{mutex_};
        if (refuse_) {
            if (auto refusal = refuse_(call)) {
                return *refusal;
            }
        }
        if (call.method == "POST") {
            return create(Json::parse(call.body));
        }
        if (lease_.is_null()) {
            return test::status_reply(404, "NotFound", "leases \"l\" not found");
        }
        return call.method == "PUT" ? update(Json::parse(call.body)) : reply(200);
    }
    /// Null: there is none.
    [[nodiscard]] Json lease() const {
        const std::scoped_lock lock{mutex_};
        return lease_;
    }
    /// As somebody with kubectl does it.
    void change(const std::function<void(Json&)>& edit) {
        const std::scoped_lock lock{mutex_};
        edit(lease_);
        if (!lease_.is_null()) {
            lease_["metadata"]["resourceVersion"] = std::to_string(++version_);
        }
    }
    using Refusal = std::function<std::optional<test::ApiReply>(const test::ApiCall&)>;
    /// Answers that come instead.
    void refuse(Refusal refuse) {
        const std::scoped_lock lock{mutex_};
        refuse_ = std::move(refuse);
    }

private:
    test::ApiReply create(Json lease) {
        if (!lease_.is_null()) {
            return test::status_reply(409, "AlreadyExists");
        }
        return store(std::move(lease), 201);
    }
    test::ApiReply update(Json lease) {
        if (lease["metadata"]["resourceVersion"] != lease_["metadata"]["resourceVersion"]) {
            return test::status_reply(409, "Conflict");
        }
        return store(std::move(lease), 200);
    }
    test::ApiReply store(Json lease, int status) {
        lease_ = std::move(lease);
        lease_["metadata"]["resourceVersion"] = std::to_string(++version_);
        return reply(status);
    }
    [[nodiscard]] test::ApiReply reply(int status) const {
        test::ApiReply reply;
        reply.status = status;
        reply.body = lease_.dump();
        return reply;
    }

    mutable std::mutex mutex_;
    Json lease_;
    int version_ = 0;
    Refusal refuse_;
};

/// One process, as far as a Lease goes.
class Replica {
public:
    Replica(boost::asio::io_context& context, const test::FakeApiServer& server,
            std::string identity, ElectionSettings settings)
        : context_(context),
          api_(test::config_of(server), clock_, output_.logger()),
          election_({.api = api_,
                     .clock = clock_,
                     .logger = output_.logger(),
                     .metrics = metrics_,
                     .namespace_ = "n",
                     .name = "l",
                     .identity = std::move(identity),
                     .on_change = [this] { changed(); },
                     .settings = settings}),
          tasks_(context.get_executor(), [](const std::exception_ptr& thrown) {
              ADD_FAILURE() << describe_thrown(thrown);
          }) {
        tasks_.spawn(election_.run());
    }
    ~Replica() { kill(); }
    Replica(const Replica&) = delete;
    Replica& operator=(const Replica&) = delete;

    /// It runs no more, and has told nobody.
    void kill() {
        boost::asio::post(context_, [this] { tasks_.cancel(); });
        EXPECT_TRUE(async::run(context_, tasks_.join(Deadline::after(test::kPatience))));
    }
    /// In good order.
    void end(Duration within = test::kPatience) {
        kill();
        async::run(context_, election_.release(Deadline::after(within)));
    }
    [[nodiscard]] bool leads() const { return election_.is_leader(); }
    [[nodiscard]] std::string holder() const { return election_.holder(); }
    [[nodiscard]] test::RecordingOutput& output() { return output_; }
    /// What is_leader() was when on_change was called.
    [[nodiscard]] const std::vector<bool>& changes() const { return changes_; }
    [[nodiscard]] std::string metrics() const { return metrics_.expose(); }
    void throw_at_next_change() { throws_ = true; }

private:
    void changed() {
        changes_.push_back(election_.is_leader());
        if (std::exchange(throws_, false)) {
            throw std::runtime_error{"a defect"};
        }
    }

    boost::asio::io_context& context_;
    SystemClock clock_;
    test::RecordingOutput output_;
    metrics::Registry metrics_;
    client::ApiClient api_;
    std::vector<bool> changes_;
    bool throws_ = false;
    Election election_;
    async::TaskGroup tasks_;
};

class LeaseElection : public ::testing::Test {
protected:
    std::unique_ptr<Replica> replica(std::string identity, ElectionSettings settings) {
        return std::make_unique<Replica>(context_, server_, std::move(identity), settings);
    }
    /// Runs all replicas until that holds.
    template <class Predicate>
    bool until(Predicate holds) {
        const auto end = std::chrono::steady_clock::now() + test::kPatience;
        context_.restart();
        while (!holds()) {
            if (std::chrono::steady_clock::now() > end) {
                return false;
            }
            context_.run_one_for(2ms);
        }
        return true;
    }
    /// So slow that nothing but a release hands the Lease over within a test.
    static ElectionSettings slow() {
        return {.lease_duration = 300s, .renew_deadline = 200s, .retry_period = 10ms};
    }
    static ElectionSettings fast() {
        return {.lease_duration = 3s, .renew_deadline = 1s, .retry_period = 10ms};
    }

    boost::asio::io_context context_;
    LeaseStore store_;
    test::FakeApiServer server_{[this](const test::ApiCall& call) {
        return store_.answer(call);
    }};
};

}  // namespace smw::coordination
