#include "smw/cert_rotation/self_managed.hpp"

#include "cert_rotation/followed.hpp"
#include "cert_rotation/writer.hpp"
#include "smw/async/forever.hpp"
#include "smw/async/signal.hpp"
#include "smw/base/thrown.hpp"
#include "smw/coordination/election.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <random>
#include <utility>

namespace smw::cert_rotation {
namespace {

/// On a first start there is none for a moment: that is no news yet.
constexpr std::chrono::seconds kFirstLeaf{5};
/// The clock is looked at this often.
constexpr std::chrono::seconds kLook{10};

kube::Resource secrets() {
    return {"", "v1", "Secret", "secrets"};
}

kube::Resource configurations(ConfigurationKind kind) {
    const bool mutating = kind == ConfigurationKind::Mutating;
    return {"admissionregistration.k8s.io", "v1", std::string{to_string(kind)},
            mutating ? "mutatingwebhookconfigurations" : "validatingwebhookconfigurations"};
}

}  // namespace

struct SelfManaged::State {
    using Configurations = std::vector<std::unique_ptr<Followed<WebhookConfiguration>>>;

    explicit State(Parts given)
        : parts(std::move(given)),
          ca(secret(parts.rotation.ca_secret), read_ca_secret, changed()),
          certs(secret(parts.rotation.certs_secret), read_certs_secret, changed()),
          followed(follow_configurations()),
          serving(
              {fmt::format("Secret {}/{}", parts.rotation.namespace_, parts.rotation.certs_secret),
               parts.rotation.names, parts.server, parts.rotation.leaf_lifetime / 6},
              parts.clock, parts.logger, parts.metrics),
          election(election_parts()),
          writer(writer_parts()) {}

    [[nodiscard]] Followable secret(const std::string& name) const {
        return {secrets(), {parts.rotation.namespace_, name}};
    }
    [[nodiscard]] std::function<void()> changed() {
        return [this] {
            certificate_news.raise();
            writer.wake();
        };
    }
    [[nodiscard]] Configurations follow_configurations();
    [[nodiscard]] coordination::Election::Parts election_parts();
    [[nodiscard]] Writer::Parts writer_parts();

    [[nodiscard]] std::optional<World> look() const;
    void serve_what_is_there();
    Task<void> serve();
    void threw(const std::exception_ptr& thrown) const;

    Parts parts;
    const TimePoint started = parts.clock.now();
    async::Signal certificate_news;
    Followed<CaSecret> ca;
    Followed<CertsSecret> certs;
    Configurations followed;
    tls::Serving serving;
    coordination::Election election;
    Writer writer;
};

SelfManaged::State::Configurations SelfManaged::State::follow_configurations() {
    Configurations all;
    for (const auto& name : parts.configurations) {
        for (const auto kind : {ConfigurationKind::Mutating, ConfigurationKind::Validating}) {
            auto read = [kind, service = parts.service](json::Value object) {
                return read_configuration(object, kind, service);
            };
            all.push_back(std::make_unique<Followed<WebhookConfiguration>>(
                Followable{configurations(kind), {"", name}}, std::move(read), changed()));
        }
    }
    return all;
}

coordination::Election::Parts SelfManaged::State::election_parts() {
    return {parts.api,
            parts.clock,
            parts.logger,
            parts.metrics,
            parts.rotation.namespace_,
            std::string{kLease},
            parts.identity,
            [this] { writer.wake(); },
            {},
            std::random_device{}()};
}

Writer::Parts SelfManaged::State::writer_parts() {
    return {parts.rotation,
            parts.identity,
            parts.api,
            parts.clock,
            parts.logger,
            parts.metrics,
            [this] { return look(); },
            [this] { return election.is_leader(); },
            [this] {
                return election.holder();
            }};
}

std::optional<World> SelfManaged::State::look() const {
    const bool all_known =
        ca.is_known() && certs.is_known() &&
        std::ranges::all_of(followed, [](const auto& one) { return one->is_known(); });
    if (!all_known) {
        return std::nullopt;
    }
    World world;
    world.ca = ca.value();
    world.certs = certs.value();
    for (const auto& one : followed) {
        if (one->value()) {
            world.configurations.push_back(*one->value());
        }
    }
    return world;
}

void SelfManaged::State::serve_what_is_there() {
    if (!certs.is_known()) {
        return;
    }
    const auto& secret = certs.value();
    const auto refuse = [this](std::string_view why) {
        serving.see_none(fmt::format("Secret {}/{}: {}", parts.rotation.namespace_,
                                     parts.rotation.certs_secret, why));
    };
    if (!secret) {
        if (serving.contexts().load() || parts.clock.now() - started >= kFirstLeaf) {
            refuse("it is not there");
        }
    } else if (!secret->tls_crt.is_there()) {
        refuse(secret->tls_crt.problem);
    } else if (!secret->tls_key.is_there()) {
        refuse(secret->tls_key.problem);
    } else {
        serving.see(secret->tls_crt.bytes, secret->tls_key.bytes);
    }
}

Task<void> SelfManaged::State::serve() {
    serve_what_is_there();
    co_await certificate_news.wait(Deadline::at(parts.clock.now() + kLook));
}

void SelfManaged::State::threw(const std::exception_ptr& thrown) const {
    const std::string what = describe_thrown(thrown);
    parts.logger.error("Defect in the care for certificates", {{"what", what}});
}

SelfManaged::SelfManaged(Parts parts) : state_(std::make_unique<State>(std::move(parts))) {}

SelfManaged::~SelfManaged() = default;

std::vector<watch::Cache> SelfManaged::caches() {
    std::vector<watch::Cache> caches{state_->ca.cache(), state_->certs.cache()};
    for (const auto& one : state_->followed) {
        caches.push_back(one->cache());
    }
    return caches;
}

std::vector<std::function<Task<void>()>> SelfManaged::tasks() {
    const auto threw = [state = state_.get()](const std::exception_ptr& thrown) {
        state->threw(thrown);
    };
    return {[this, threw] { return async::forever([this] { return state_->serve(); }, threw); },
            [this] { return state_->election.run(); },
            [this, threw] {
                return async::forever([this] { return state_->writer.round(); }, threw);
            }};
}

Task<void> SelfManaged::release(Deadline deadline) {
    co_await state_->election.release(deadline);
}

const tls::Serving& SelfManaged::serving() const {
    return state_->serving;
}

std::optional<std::string> SelfManaged::problem() const {
    const auto problem = state_->writer.problem();
    return problem ? std::optional{*problem} : std::nullopt;
}

}  // namespace smw::cert_rotation
