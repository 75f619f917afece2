#pragma once
// An ApiClient and the server that it asks, for a test to set up and to wait for.

#include "smw/client/api_client.hpp"
#include "support/cluster_config.hpp"
#include "support/eventually.hpp"
#include "support/fake_api_server.hpp"
#include "support/folder.hpp"
#include "support/recording_output.hpp"
#include "support/turned_clock.hpp"
#include "unit/async/run.hpp"

#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace smw::client {

/// co_spawn wants results that begin empty.
template <class T>
Task<void> keep(Task<T> work, std::optional<T>& result) {
    result.emplace(co_await std::move(work));
}

class ApiClientTest : public ::testing::Test {
protected:
    using Answer = std::function<test::ApiReply(const test::ApiCall&)>;
    /// What the server says from now on.
    void answer(Answer answer) {
        const std::scoped_lock lock{mutex_};
        answer_ = std::move(answer);
    }
    void answer(test::ApiReply reply) {
        answer([reply = std::move(reply)](const test::ApiCall&) { return reply; });
    }
    void answer_steps(std::vector<test::Step> steps) {
        answer([steps = std::move(steps)](const test::ApiCall&) {
            test::ApiReply reply;
            reply.stream = test::steps(steps);
            return reply;
        });
    }

    static ApiRequest list() {
        ApiRequest request;
        request.verb = "list";
        request.resource.group = "migration.dcnlab.com";
        request.resource.version = "v1";
        request.resource.plural = "checkpointbackups";
        request.namespace_ = "a";
        return request;
    }
    static ApiRequest watching() {
        auto request = list();
        request.verb = "watch";
        return request;
    }

    /// Made anew after a change of config_ when reset.
    ApiClient& client() {
        if (!client_) {
            client_ = std::make_unique<ApiClient>(config_, clock_, output_.logger());
        }
        return *client_;
    }
    Answered<json::Document> get(ApiRequest request = list(), Duration within = test::kPatience) {
        return wait_for(client().get(std::move(request), Deadline::after(within)));
    }
    Answered<json::Document> write(ApiWrite write, Duration within = test::kPatience) {
        return wait_for(client().write(std::move(write), Deadline::after(within)));
    }
    Answered<std::unique_ptr<WatchStream>> watch(Duration within = test::kPatience) {
        return wait_for(client().watch(watching(), Deadline::after(within)));
    }
    Answered<std::optional<std::string>> line(WatchStream& stream,
                                              Duration within = test::kPatience) {
        return wait_for(stream.line(Deadline::after(within)));
    }
    /// All lines of a watch, then "closed" or the code and message of the error.
    std::vector<std::string> lines() {
        auto stream = watch();
        if (!stream) {
            return {stream.error().error.message};
        }
        std::vector<std::string> all;
        while (true) {
            auto next = line(**stream);
            if (!next) {
                all.emplace_back(to_string(next.error().error.code));
                EXPECT_EQ(next.error().status.code, 0);
                return all;
            }
            if (!*next) {
                all.emplace_back("closed");
                return all;
            }
            all.push_back(**std::move(next));
        }
    }

    template <class T>
    T wait_for(Task<T> work) {
        std::optional<T> result;
        async::run(context_, keep(std::move(work), result));
        return *std::move(result);
    }

    boost::asio::io_context context_;
    test::TurnedClock clock_;
    test::RecordingOutput output_;
    test::Folder folder_;
    std::mutex mutex_;
    Answer answer_ = [](const test::ApiCall&) {
        test::ApiReply reply;
        reply.body = R"({"kind":"List","items":[]})";
        return reply;
    };
    test::FakeApiServer server_{[this](const test::ApiCall& call) {
        Answer now;
        {
            const std::scoped_lock lock{mutex_};
            now = answer_;
        }
        return now(call);
    }};
    ClusterConfig config_ = test::config_of(server_);
    std::unique_ptr<ApiClient> client_;
};

}  // namespace smw::client
