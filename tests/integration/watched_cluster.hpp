#pragma once
// A Cluster that watches a FakeApiServer, which answers lists and watches as the test has queued
// them.

#include "smw/async/shards.hpp"
#include "smw/async/task_group.hpp"
#include "smw/base/thrown.hpp"
#include "smw/client/api_client.hpp"
#include "smw/watch/cluster.hpp"
#include "support/cluster_config.hpp"
#include "support/eventually.hpp"
#include "support/fake_api_server.hpp"
#include "support/recording_output.hpp"
#include "unit/watch/reflected.hpp"

#include <boost/asio/post.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <future>
#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace smw::watch::testing {

using test::ApiCall;
using test::ApiReply;
using test::Close;
using test::Cut;
using test::Hold;
using test::Send;
using test::Step;

inline ApiReply stream_reply(std::vector<Step> all) {
    ApiReply reply;
    reply.stream = test::steps(std::move(all));
    return reply;
}
/// These lines, then silence.
inline ApiReply lines_reply(const std::vector<std::string>& lines) {
    std::string text;
    for (const auto& line : lines) {
        text += line + "\n";
    }
    return stream_reply({Send{text}, Hold{}});
}
inline ApiReply body_reply(std::string body) {
    ApiReply reply;
    reply.body = std::move(body);
    return reply;
}

/// What the server says, each queue in order; every namespace has its own. Without more, streaming
/// lists are refused, the last list is said again, and watches are quiet. Thread-safe.
class Script {
public:
    void stream(ApiReply reply, const std::string& namespace_ = "") {
        push("stream" + namespace_, std::move(reply));
    }
    void list(ApiReply reply, const std::string& namespace_ = "") {
        push("list" + namespace_, std::move(reply));
    }
    void watch(ApiReply reply, const std::string& namespace_ = "") {
        push("watch" + namespace_, std::move(reply));
    }

    [[nodiscard]] ApiReply answer(const ApiCall& call) {
        const auto kind = kind_of(call);
        const std::scoped_lock lock{mutex_};
        auto& queue = queues_[kind + namespace_of(call.path)];
        if (queue.empty()) {
            return otherwise(kind);
        }
        auto reply = queue.front();
        if (kind != "list" || queue.size() > 1) {
            queue.pop_front();
        }
        return reply;
    }
    static std::string kind_of(const ApiCall& call) {
        if (call.parameter("watch") != "1") {
            return "list";
        }
        return call.parameter("sendInitialEvents") == "true" ? "stream" : "watch";
    }

private:
    void push(const std::string& queue, ApiReply reply) {
        const std::scoped_lock lock{mutex_};
        queues_[queue].push_back(std::move(reply));
    }
    /// Of "/apis/example.com/v1/namespaces/one/things"; empty: all.
    static std::string namespace_of(const std::string& path) {
        const std::string before = "/namespaces/";
        const auto at = path.find(before);
        if (at == std::string::npos) {
            return {};
        }
        const auto begin = at + before.size();
        return path.substr(begin, path.find('/', begin) - begin);
    }
    static ApiReply otherwise(const std::string& kind) {
        if (kind == "stream") {
            return test::status_reply(422, "Invalid", "sendInitialEvents is forbidden for watch");
        }
        return kind == "list" ? test::status_reply(500, "InternalError") : stream_reply({Hold{}});
    }

    std::mutex mutex_;
    std::map<std::string, std::deque<ApiReply>> queues_;  ///< by kind and namespace
};

class WatchedCluster : public ::testing::Test {
protected:
    WatchedCluster() {
        settings.backoff.first = 1ms;
        settings.backoff.most = 20ms;
        settings.absent_retry = 20ms;
        background.start();
    }
    ~WatchedCluster() override {
        boost::asio::post(background.executor(), [this] { tasks.cancel(); });
        EXPECT_TRUE(test::eventually([this] { return running() == 0; })) << "they do not end";
    }

    /// Watches all namespaces unless some are given, and all objects unless one is named.
    void start(std::vector<std::string> namespaces = {}, std::string name = {}) {
        api = std::make_unique<client::ApiClient>(test::config_of(server), clock, output.logger());
        Cache things;
        things.resource = {"example.com", "v1", "Thing", "things"};
        things.sink = &sink;
        things.synced = &synced;
        things.objects = [this] {
            return sink.size();
        };
        things.namespaces = std::move(namespaces);
        things.name = std::move(name);
        cluster = std::make_unique<Cluster>(Cluster::Parts{*api,
                                                           {things},
                                                           clock,
                                                           output.logger().named("watch"),
                                                           registry,
                                                           max_staleness,
                                                           settings,
                                                           7});
        for (auto& task : cluster->tasks()) {
            boost::asio::post(background.executor(),
                              [this, make = std::move(task)] { tasks.spawn(make()); });
        }
    }
    /// Lists a=red at 10 and watches from there.
    void start_with_a() {
        script.list(body_reply(page({object("a", "red", "5")}, "10")));
        start();
    }

    [[nodiscard]] bool eventually_content(const std::vector<std::string>& content) {
        return test::eventually([&] { return synced.is_set() && sink.content() == content; });
    }
    /// They are counted once their content is there.
    [[nodiscard]] bool eventually_relists(const std::string& cause, double count) {
        return test::eventually([&] { return relists(cause) == count; });
    }
    [[nodiscard]] bool eventually_problem(const std::string& text) {
        return test::eventually([&] { return problem().find(text) != std::string::npos; });
    }
    [[nodiscard]] bool eventually_well() {
        return test::eventually([&] { return problem().empty(); });
    }
    [[nodiscard]] bool eventually_logged(const std::string& text) {
        return test::eventually([&] { return output.count(text) > 0; });
    }
    [[nodiscard]] std::string problem() const { return cluster->problem("things").value_or(""); }
    /// Of a metric's series, as exposed.
    [[nodiscard]] double metric(const std::string& series) const {
        const auto text = "\n" + registry.expose();
        const auto at = text.find("\n" + series + " ");
        return at == std::string::npos ? -1 : std::stod(text.substr(at + series.size() + 2));
    }
    [[nodiscard]] double relists(const std::string& cause) const {
        return metric("smw_cache_relists_total{cause=\"" + cause + "\",resource=\"things\"}");
    }
    /// Tasks that have not ended.
    [[nodiscard]] std::size_t running() {
        std::promise<std::size_t> size;
        boost::asio::post(background.executor(), [&] { size.set_value(tasks.size()); });
        return size.get_future().get();
    }
    /// Calls of that kind: "stream", "list", "watch".
    [[nodiscard]] std::vector<ApiCall> calls(const std::string& kind) const {
        std::vector<ApiCall> found;
        for (auto& call : server.calls()) {
            if (Script::kind_of(call) == kind) {
                found.push_back(std::move(call));
            }
        }
        return found;
    }

    ReflectorSettings settings;
    Duration max_staleness = 10min;
    SystemClock clock;
    test::RecordingOutput output;
    metrics::Registry registry;
    RecordingSink sink;
    async::Latch synced;
    Script script;
    test::FakeApiServer server{[this](const ApiCall& call) {
        return script.answer(call);
    }};
    async::Shard background{"background"};
    std::unique_ptr<client::ApiClient> api;
    std::unique_ptr<Cluster> cluster;
    async::TaskGroup tasks{background.executor(), [](const std::exception_ptr& error) {
                               ADD_FAILURE() << describe_thrown(error);
                           }};
};

}  // namespace smw::watch::testing
