#include "app/server.hpp"

#include "app/allowance.hpp"
#include "app/budgets.hpp"
#include "app/cpus.hpp"
#include "smw/base/thrown.hpp"
#include "smw/base/version.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_future.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

namespace smw::app {

namespace {

constexpr std::chrono::seconds kSideDrain{1};
constexpr std::chrono::seconds kTasksEnd{5};
/// For the Lease to be freed.
constexpr std::chrono::seconds kRelease{2};

/// Probes and metrics are asked by few, and a body is none of their business.
http::Limits side_limits() {
    http::Limits limits;
    limits.max_connections = kSideConnections;
    limits.max_body_bytes = 4096;
    limits.max_bytes_in_flight = kSideConnections * limits.max_body_bytes;
    limits.newcomer = Duration::zero();
    return limits;
}

std::vector<async::Shard*> all_of(async::Shards& shards) {
    std::vector<async::Shard*> all;
    for (std::size_t index = 0; index < shards.size(); ++index) {
        all.push_back(&shards.at(index));
    }
    return all;
}

std::vector<async::Shard*> with(async::Shard& background, async::Shards& shards) {
    auto all = all_of(shards);
    all.push_back(&background);
    return all;
}

}  // namespace

Server::Server(const ServeSettings& settings, Systems systems)
    : settings_(settings),
      output_(log::make_stderr_output()),
      logger_("webhook", settings.log, *output_),
      background_("background"),
      shards_(settings.threads != 0 ? settings.threads : std::min<std::size_t>(4, allowed_cpus())),
      heartbeat_(with(background_, shards_)),
      api_(settings.cluster ? std::make_unique<client::ApiClient>(*settings.cluster, clock_,
                                                                  logger_.named("cluster"))
                            : nullptr),
      systems_(std::move(systems)),
      in_flight_(settings.max_in_flight),
      tasks_(background_.executor(), [this](std::exception_ptr error) {
          const std::string what = describe_thrown(error);
          logger_.error("Defect in a background task", {{"what", what}});
      }) {
    make_certificates();
    start_systems();
    make_callers();
    make_webhook();
    make_probes();
    count_process();
}

Server::~Server() = default;

void Server::start_systems() {
    std::vector<watch::Cache> caches;
    for (const auto& system : systems_) {
        const system::Environment environment{logger_.named(std::string{system->name()}), metrics_,
                                              clock_, api_.get(),
                                              [this](std::function<Task<void>()> make_task) {
                                                  spawn(std::move(make_task));
                                              }};
        system->start(environment);
        for (auto& cache : system->caches()) {
            caches.push_back(std::move(cache));
        }
    }
    if (self_managed_) {
        for (auto& cache : self_managed_->caches()) {
            caches.push_back(std::move(cache));
        }
    }
    state_ = make_state({settings_, api_.get(), std::move(caches), clock_, logger_, metrics_});
}

void Server::make_webhook() {
    std::vector<http::Router::Entry> routes;
    for (const auto& system : systems_) {
        for (const auto& route : system->routes()) {
            const webhook::EndpointSettings settings{settings_.on_error == OnError::Fail};
            services_.push_back(std::make_unique<webhook::Endpoint>(*route.handler, settings,
                                                                    in_flight_, logger_, metrics_));
            routes.push_back({route.path, services_.back().get()});
        }
    }
    services_.push_back(std::make_unique<http::Router>(std::move(routes)));
    http::ListenerSettings listener{"webhook",
                                    settings_.webhook_bind_address,
                                    settings_.webhook_port,
                                    settings_.limits,
                                    &contexts(),
                                    callers_.get()};
    webhook_ = std::make_unique<http::Listener>(std::move(listener), all_of(shards_),
                                                *services_.back(), logger_.named("http"), metrics_);
}

void Server::make_probes() {
    const Check alive{"event-loops", [this] {
                          return heartbeat_.problem();
                      }};
    const Check started{"listeners", [this]() -> std::optional<std::string> {
                            return bound_ ? std::nullopt : std::optional{"not bound yet"};
                        }};
    const auto keep = [this](std::unique_ptr<http::Service> service) {
        services_.push_back(std::move(service));
        return services_.back().get();
    };
    const auto livez = keep(std::make_unique<CheckService>("livez", std::vector{alive}));
    const auto readyz = keep(std::make_unique<CheckService>("readyz", readiness()));
    const auto startupz = keep(std::make_unique<CheckService>("startupz", std::vector{started}));
    const auto probe_routes = keep(std::make_unique<http::Router>(std::vector<http::Router::Entry>{
        {"/livez", livez}, {"/healthz", livez}, {"/readyz", readyz}, {"/startupz", startupz}}));
    const auto metrics = keep(std::make_unique<MetricsService>(metrics_));
    const auto metrics_routes = keep(
        std::make_unique<http::Router>(std::vector<http::Router::Entry>{{"/metrics", metrics}}));

    const auto make = [this](std::string name, const BindAddress& at, http::Service& service) {
        http::ListenerSettings listener{std::move(name), at.host, at.port,
                                        side_limits(),   nullptr, nullptr};
        return at.enabled ? std::make_unique<http::Listener>(
                                std::move(listener), std::vector<async::Shard*>{&background_},
                                service, logger_.named("http"), metrics_)
                          : nullptr;
    };
    probes_ = make("probes", settings_.health_probe_bind_address, *probe_routes);
    metrics_listener_ = make("metrics", settings_.metrics_bind_address, *metrics_routes);
}

void Server::count_process() {
    metrics_.gauge({"smw_build_info", "What is running; always 1.", {"version", "revision"}})
        .with({version(), revision()})
        .set(1);
    const auto dropped =
        metrics_.counter({"smw_log_dropped_total", "Log lines dropped, the queue being full.", {}})
            .with({});
    const auto in_flight =
        metrics_.gauge({"smw_admission_in_flight", "Reviews being decided.", {}}).with({});
    const auto bytes =
        metrics_.gauge({"smw_admission_bytes_in_flight", "Bytes of request bodies in memory.", {}})
            .with({});
    metrics_.on_collect([this, dropped, in_flight, bytes] {
        dropped.increment(static_cast<double>(output_->dropped()) - dropped.value());
        in_flight.set(static_cast<double>(in_flight_.count()));
        bytes.set(static_cast<double>(webhook_->bytes_in_flight()));
    });
}

Expected<void> Server::start() {
    logger_.info("Starting", {{"version", version()},
                              {"revision", revision()},
                              {"threads", static_cast<std::int64_t>(shards_.size())}});
    app::announce(take_allowance(), settings_, shards_.size(), logger_);
    for (const auto& name : settings_.ignored) {
        logger_.info("Flag accepted without effect", {{"flag", name}});
    }
    if (settings_.cluster) {
        announce(*settings_.cluster, logger_.named("cluster"));
    }
    background_.start();
    shards_.start();
    spawn([this] { return heartbeat_.run(); });
    Expected<void> done;
    if (probes_) {
        done = listen(*probes_, "probes");
    }
    if (done && metrics_listener_) {
        done = listen(*metrics_listener_, "metrics");
    }
    if (done) {
        done = start_certificates();
    }
    if (done) {
        done = listen(*webhook_, "webhook");
    }
    if (done) {
        bound_.store(true);
        for (auto& task : state_->tasks()) {
            spawn(std::move(task));
        }
    }
    return done;
}

Expected<void> Server::listen(http::Listener& listener, std::string_view name) {
    if (auto bound = listener.bind(); !bound) {
        return bound;
    }
    listener.start();
    const std::string address = listener.address();
    logger_.info("Listening", {{"listener", name}, {"address", address}});
    return {};
}

std::vector<Check> Server::readiness() {
    std::vector<Check> checks;
    checks.push_back({"shutdown", [this]() -> std::optional<std::string> {
                          return stopping_ ? std::optional{"shutting down"} : std::nullopt;
                      }});
    checks.push_back({"listener", [this]() -> std::optional<std::string> {
                          return bound_ ? std::nullopt : std::optional{"not bound yet"};
                      }});
    add_certificate_checks(checks);
    for (const auto& system : systems_) {
        for (const auto& cache : system->caches()) {
            checks.push_back({"cache-" + cache.label(), [this, cache] {
                                  return sync_problem(cache);
                              }});
        }
    }
    for (auto& check : state_->checks()) {
        checks.push_back(std::move(check));
    }
    return checks;
}

std::optional<std::string> Server::sync_problem(const watch::Cache& cache) const {
    if (cache.synced->is_set()) {
        return std::nullopt;
    }
    const auto why = state_->problem(cache.label());
    return why ? "not synced yet: " + *why : "not synced yet";
}

/// `make_task` runs on the background loop: a task is made where it lives.
void Server::spawn(std::function<Task<void>()> make_task) {
    boost::asio::post(background_.executor(),
                      [this, make = std::move(make_task)] { tasks_.spawn(make()); });
}

void Server::announce_stop() {
    stopping_.store(true);
    webhook_->announce_close();
}

void Server::stop(Deadline deadline) {
    announce_stop();
    if (!webhook_->stop(deadline)) {
        logger_.warn("Connections were cut: they had not ended within --drain-timeout");
    }
    boost::asio::co_spawn(background_.executor(), end_tasks(), boost::asio::use_future).wait();
    for (http::Listener* listener : {metrics_listener_.get(), probes_.get()}) {
        if (listener != nullptr) {
            listener->stop(Deadline::after(kSideDrain));
        }
    }
    shards_.stop();
    background_.stop();
    logger_.info("Stopped");
}

Task<bool> Server::end_tasks() {
    tasks_.cancel();
    const bool ended = co_await tasks_.join(Deadline::after(kTasksEnd));
    if (ended && self_managed_) {
        co_await self_managed_->release(Deadline::after(kRelease));
    }
    co_return ended;
}

}  // namespace smw::app
