#pragma once
// The composition root: every object of the serving process, declared in the order of its
// dependencies, so that it is destroyed before what it needs.

#include "app/health.hpp"
#include "app/signals.hpp"
#include "app/state.hpp"
#include "smw/app/serve.hpp"
#include "smw/async/snapshot.hpp"
#include "smw/async/task_group.hpp"
#include "smw/cert_rotation/self_managed.hpp"
#include "smw/http/router.hpp"
#include "smw/tls/callers.hpp"
#include "smw/tls/certificate_files.hpp"
#include "smw/tls/client_ca_file.hpp"
#include "smw/webhook/endpoint.hpp"

#include <atomic>
#include <memory>
#include <string>
#include <vector>

namespace smw::app {

/// Made, run and destroyed on the main thread.
class Server {
public:
    Server(const ServeSettings& settings, Systems systems);
    /// After stop().
    ~Server();
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    /// Probes and metrics, certificates, listener, state; an error names what could not be had.
    [[nodiscard]] Expected<void> start();

    /// Not ready from now on, each answer says Connection: close; all else goes on.
    void announce_stop();
    /// Drains the webhook until `deadline`, then ends all the rest. Also after a start that failed.
    void stop(Deadline deadline);

    [[nodiscard]] const log::Logger& logger() const { return logger_; }

private:
    void start_systems();
    void make_webhook();
    void make_certificates();
    void make_self_managed();
    void make_callers();
    void make_probes();
    void count_process();
    Expected<void> start_certificates();
    Expected<void> make_ephemeral();
    Expected<void> listen(http::Listener& listener, std::string_view name);
    void spawn(std::function<Task<void>()> make_task);
    Task<bool> end_tasks();
    [[nodiscard]] std::vector<Check> readiness();
    void add_certificate_checks(std::vector<Check>& checks);
    [[nodiscard]] std::optional<std::string> certificate_problem();
    [[nodiscard]] std::optional<std::string> client_ca_problem();
    [[nodiscard]] std::optional<std::string> sync_problem(const watch::Cache& cache) const;
    /// Null with ephemeral certificates.
    [[nodiscard]] const tls::Serving* serving() const;
    [[nodiscard]] const async::Snapshot<tls::ServerContext>& contexts() const;
    [[nodiscard]] std::vector<std::string> service_names() const;

    const ServeSettings& settings_;
    std::unique_ptr<log::Output> output_;
    log::Logger logger_;
    SystemClock clock_;
    metrics::Registry metrics_;
    std::atomic<bool> bound_{false};
    std::atomic<bool> stopping_{false};

    async::Shard background_;
    async::Shards shards_;
    Heartbeat heartbeat_;

    std::unique_ptr<client::ApiClient> api_;  ///< null: state comes from files
    Systems systems_;
    std::unique_ptr<State> state_;

    async::Snapshot<tls::ServerContext> ephemeral_;
    std::unique_ptr<tls::CertificateFiles> files_;
    std::unique_ptr<cert_rotation::SelfManaged> self_managed_;
    std::unique_ptr<tls::ClientCaFile> client_ca_;  ///< null with --client-auth=off
    std::unique_ptr<tls::Callers> callers_;         ///< the same

    std::vector<std::unique_ptr<http::Service>> services_;
    webhook::InFlight in_flight_;
    std::unique_ptr<http::Listener> probes_;
    std::unique_ptr<http::Listener> metrics_listener_;
    std::unique_ptr<http::Listener> webhook_;

    async::TaskGroup tasks_;  ///< of the background loop
};

}  // namespace smw::app
