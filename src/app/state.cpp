#include "app/state.hpp"

#include "smw/watch/cluster.hpp"
#include "smw/watch/manifests.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <random>
#include <utility>

namespace smw::app {

namespace {

std::string print_problems(const std::vector<watch::Problem>& problems) {
    constexpr std::size_t kMost = 10;
    std::string text;
    for (std::size_t index = 0; index < std::min(problems.size(), kMost); ++index) {
        text += (index == 0 ? "" : "; ") + watch::to_string(problems[index]);
    }
    if (problems.size() > kMost) {
        text += fmt::format("; and {} more", problems.size() - kMost);
    }
    return text;
}

class Folder final : public State {
public:
    explicit Folder(Parts parts)
        : manifests_({parts.settings.manifests, std::move(parts.caches), parts.clock,
                      parts.logger.named("manifests"), parts.metrics}) {}

    [[nodiscard]] std::vector<std::function<Task<void>()>> tasks() override {
        return {[this] {
            return manifests_.run();
        }};
    }

    [[nodiscard]] std::optional<std::string> problem(const std::string& label) const override {
        static_cast<void>(label);  // a broken file is a line of its own
        return std::nullopt;
    }

    [[nodiscard]] std::vector<Check> checks() override {
        const auto manifests = [this]() -> std::optional<std::string> {
            const auto problems = manifests_.problems();
            return problems->empty() ? std::nullopt : std::optional{print_problems(*problems)};
        };
        return {{"manifests", manifests, false}};
    }

private:
    watch::Manifests manifests_;
};

std::vector<std::string> labels_of(const std::vector<watch::Cache>& caches) {
    std::vector<std::string> labels;
    labels.reserve(caches.size());
    for (const auto& cache : caches) {
        labels.push_back(cache.label());
    }
    return labels;
}

watch::Cluster::Parts cluster_parts(State::Parts parts) {
    watch::ReflectorSettings reflector;
    reflector.silence = parts.settings.watch_silence;
    return {*parts.api,    std::move(parts.caches),      parts.clock, parts.logger.named("watch"),
            parts.metrics, parts.settings.max_staleness, reflector,   std::random_device{}()};
}

class ApiServer final : public State {
public:
    explicit ApiServer(Parts parts)
        : labels_(labels_of(parts.caches)), cluster_(cluster_parts(std::move(parts))) {}

    [[nodiscard]] std::vector<std::function<Task<void>()>> tasks() override {
        return cluster_.tasks();
    }

    [[nodiscard]] std::optional<std::string> problem(const std::string& label) const override {
        return cluster_.problem(label);
    }

    [[nodiscard]] std::vector<Check> checks() override {
        std::vector<Check> checks;
        for (const auto& label : labels_) {
            const auto watched = [this, label] {
                return cluster_.problem(label);
            };
            checks.push_back({"watch-" + label, watched, false});
        }
        return checks;
    }

private:
    std::vector<std::string> labels_;
    watch::Cluster cluster_;
};

std::string url_of(const client::ClusterConfig& cluster) {
    const bool ipv6 = cluster.host.find(':') != std::string::npos;
    return fmt::format("{}://{}{}{}:{}{}", cluster.tls ? "https" : "http", ipv6 ? "[" : "",
                       cluster.host, ipv6 ? "]" : "", cluster.port, cluster.path);
}

}  // namespace

void announce(const client::ClusterConfig& cluster, const log::Logger& logger) {
    const auto server = url_of(cluster);
    logger.info("State comes from an API server", {{"server", std::string_view{server}},
                                                   {"source", std::string_view{cluster.source}}});
    for (const std::string_view warning : cluster.warnings) {
        logger.warn("Cluster configuration", {{"warning", warning}});
    }
}

std::unique_ptr<State> make_state(State::Parts parts) {
    if (parts.api != nullptr) {
        return std::make_unique<ApiServer>(std::move(parts));
    }
    return std::make_unique<Folder>(std::move(parts));
}

}  // namespace smw::app
