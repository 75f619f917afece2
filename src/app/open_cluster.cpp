#include "smw/app/open_cluster.hpp"

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
        std::optional<client::Answered<json::Document>> answer;
        auto done =
            asio::co_spawn(context_, converse(std::move(request), answer), asio::use_future);
        context_.restart();
        // Not run(): a kept connection may have work of its own.
        while (done.wait_for(std::chrono::seconds{0}) != std::future_status::ready) {
            context_.run_one();
        }
        done.get();
        return *std::move(answer);
    }

private:
    /// Awaited while the caller keeps `answer`.
    Task<void> converse(client::ApiRequest request,
                        std::optional<client::Answered<json::Document>>& answer) {
        answer.emplace(co_await api_.get(std::move(request), Deadline::after(kPatience)));
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
    return cluster;
}

}  // namespace smw::app
