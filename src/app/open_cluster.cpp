#include "smw/app/open_cluster.hpp"

#include "smw/async/sleep.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <utility>

namespace smw::app {
namespace {

namespace asio = boost::asio;

/// For one object, or a page of 500.
constexpr std::chrono::seconds kPatience{30};

/// The ApiClient with a loop of its own, that turns while a question is open.
class Conversation {
public:
    explicit Conversation(client::ClusterConfig config)
        : api_(std::move(config), clock_, log::Logger{"cluster", {}, *output_}) {}

    client::Answered<json::Document> ask(client::ApiRequest request) {
        return converse(api_.get(std::move(request), Deadline::after(kPatience)));
    }

    client::Answered<json::Document> change(client::ApiWrite write) {
        return converse(api_.write(std::move(write), Deadline::after(kPatience)));
    }

    void pause(Duration span) { run(async::sleep(span)); }

private:
    using Answer = client::Answered<json::Document>;

    Answer converse(Task<Answer> question) {
        std::optional<Answer> answer;
        run(keep(std::move(question), answer));
        return *std::move(answer);
    }

    /// Awaited while the caller keeps `answer`.
    static Task<void> keep(Task<Answer> question, std::optional<Answer>& answer) {
        answer.emplace(co_await std::move(question));
    }

    void run(Task<void> task) {
        auto done = asio::co_spawn(context_, std::move(task), asio::use_future);
        context_.restart();
        // Not run(): a kept connection may have work of its own.
        while (done.wait_for(std::chrono::seconds{0}) != std::future_status::ready) {
            context_.run_one();
        }
        done.get();
    }

    SystemClock clock_;
    std::unique_ptr<log::Output> output_ = log::make_null_output();
    asio::io_context context_{1};
    client::ApiClient api_;
};

}  // namespace

Expected<std::optional<OpenCluster>> open_cluster(const client::ClusterSources& sources) {
    auto found = client::find_cluster(sources);
    if (!found) {
        return tl::unexpected(found.error());
    }
    if (!*found) {
        return std::nullopt;
    }
    OpenCluster cluster;
    cluster.warnings = (*found)->warnings;
    const auto conversation = std::make_shared<Conversation>(**std::move(found));
    cluster.ask = [conversation](client::ApiRequest request) {
        return conversation->ask(std::move(request));
    };
    cluster.change = [conversation](client::ApiWrite write) {
        return conversation->change(std::move(write));
    };
    cluster.pause = [conversation](Duration span) {
        conversation->pause(span);
    };
    return cluster;
}

}  // namespace smw::app
