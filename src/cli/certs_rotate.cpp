// `certs rotate`: asks the replicas that make their own certificates for a new CA now.

#include "cli/commands.hpp"
#include "smw/cert_rotation/bodies.hpp"
#include "smw/cert_rotation/rotation.hpp"
#include "smw/client/cluster_config.hpp"
#include "smw/tls/inspect.hpp"

#include <fmt/format.h>

#include <optional>
#include <ostream>
#include <utility>

namespace smw::cli {
namespace {

using cert_rotation::CaSecret;
using std::chrono::seconds;

constexpr seconds kBetweenLooks{1};

class CertsRotate final : public Command {
public:
    CertsRotate(app::FindOpenCluster find_cluster, Now now)
        : find_cluster_(std::move(find_cluster)), now_(std::move(now)) {}

    [[nodiscard]] std::string_view name() const override { return "certs rotate"; }
    [[nodiscard]] std::string_view summary() const override {
        return "Have self-managed certificates rotated now";
    }
    [[nodiscard]] std::string_view about() const override {
        return "Asks the replicas of `serve --certificates=self-managed` for a new CA, by an\n"
               "annotation of its Secret. The one that holds the Lease makes the CA known to\n"
               "every API server first, then signs with it; no admission fails. The old CA stays\n"
               "trusted for --ca-overlap, with --compromised no longer than it takes.\n\n"
               "Exit status: 0 when it was asked for, with --wait when it was done; 1 when not;\n"
               "2 when the command line has errors.\n";
    }

    [[nodiscard]] Options options() override {
        return {
            {"service-namespace", kGroup, "name", "",
             "Namespace of the webhook; this pod's own, else default, when empty.",
             app::set_string(secret_.namespace_)},
            {"compromised", kGroup, "why", "",
             "Somebody may have the keys: do not trust the old CA for the overlap. The reason "
             "is for people, and stays on the Secret.",
             app::set_string(compromised_)},
            {"wait", kGroup, "duration", "0s",
             "Wait so long at most until it is done; 0s: do not wait.", app::set_duration(wait_)},
            {"kubeconfig", kGroup, "file", "",
             "Kubeconfig of the cluster; else KUBECONFIG, the pod's own service account, "
             "~/.kube/config.",
             app::set_string(kubeconfig_)},
            app::config_option(),
        };
    }

    [[nodiscard]] std::vector<std::string> check(const app::Configured& configured) override {
        if (!configured.errors.empty()) {
            return {};
        }
        client::ClusterSources sources;
        sources.kubeconfig = kubeconfig_;
        sources.environment = configured.environment;
        if (secret_.namespace_.empty()) {
            secret_.namespace_ = client::own_namespace(sources);
        }
        auto found = find_cluster_(sources);
        if (!found) {
            return {"finding the cluster: " + found.error().message};
        }
        if (!*found) {
            return {
                "there is no cluster to ask: give --kubeconfig FILE, or run where KUBECONFIG, "
                "a pod's service account or ~/.kube/config leads to one"};
        }
        cluster_ = *std::move(found);
        return {};
    }

    [[nodiscard]] int run(const Call& call) override {
        for (const auto& warning : cluster_->warnings) {
            report(call.console, warning);
        }
        const auto done = rotate(call.console.out);
        if (!done) {
            report(call.console, done.error().message);
            return kFailed;
        }
        return 0;
    }

private:
    static constexpr auto kGroup = "Rotate";

    Expected<void> rotate(std::ostream& out) {
        const auto before = look();
        if (!before) {
            return tl::unexpected(before.error());
        }
        if (!before->next_crt.is_there()) {
            return fail(Code::BadRequest,
                        fmt::format("Secret {} holds no next CA, so nobody rotates it: it is not "
                                    "of --certificates=self-managed, or no replica has started "
                                    "yet. scripts/generate-webhook-certs.sh --renew-ca renews "
                                    "certificates that the script has made",
                                    place()));
        }
        const auto asked_at = now_();
        request_ = tls::to_text(asked_at);
        if (!compromised_.empty()) {
            request_ += " " + compromised_;
        }
        client::ApiWrite write;
        write.request = request("patch");
        write.body = cert_rotation::request_rotation(
            {asked_at, compromised_.empty() ? std::string{} : request_});
        write.content_type = client::kMergePatch;
        if (const auto answer = cluster_->change(std::move(write)); !answer) {
            return tl::unexpected(answer.error().error);
        }
        out << fmt::format("asked for a rotation of the CA in Secret {}\n", printable(place()));
        return wait_ > Duration::zero() ? wait(out) : say_where_to_look(out);
    }

    Expected<void> wait(std::ostream& out) {
        for (Duration waited{}; waited < wait_; waited += kBetweenLooks) {
            const auto secret = look();
            if (!secret) {
                return tl::unexpected(secret.error());
            }
            if (is_done(*secret)) {
                out << "the new CA is in use\n";
                return {};
            }
            cluster_->pause(kBetweenLooks);
        }
        return fail(Code::DeadlineExceeded,
                    fmt::format("it was asked for and is not done within --wait; what the replicas "
                                "say: {}",
                                where_to_look()));
    }

    Expected<void> say_where_to_look(std::ostream& out) const {
        out << fmt::format("how it goes: {}\n", printable(where_to_look()));
        return {};
    }

    [[nodiscard]] std::string where_to_look() const {
        return fmt::format(
            "kubectl --namespace {} get events --field-selector involvedObject.name={}",
            secret_.namespace_, secret_.name);
    }

    [[nodiscard]] bool is_done(const CaSecret& secret) const {
        return (compromised_.empty() ? secret.rotated : secret.compromised_done) == request_;
    }

    [[nodiscard]] Expected<CaSecret> look() const {
        const auto answer = cluster_->ask(request("get"));
        if (!answer && answer.error().may_mean_absent()) {
            return fail(Code::NotFound,
                        fmt::format("there is no Secret {}: is the webhook there "
                                    "(--service-namespace), with --certificates=self-managed?",
                                    place()));
        }
        if (!answer) {
            return tl::unexpected(answer.error().error);
        }
        return cert_rotation::read_ca_secret(answer->root());
    }

    [[nodiscard]] client::ApiRequest request(std::string verb) const {
        client::ApiRequest request;
        request.verb = std::move(verb);
        request.resource = {"", "v1", "Secret", "secrets"};
        request.namespace_ = secret_.namespace_;
        request.name = secret_.name;
        return request;
    }

    [[nodiscard]] std::string place() const {
        return fmt::format("{}/{}", secret_.namespace_, secret_.name);
    }

    app::FindOpenCluster find_cluster_;
    Now now_;
    std::optional<app::OpenCluster> cluster_;
    kube::ObjectKey secret_{"", cert_rotation::Settings{}.ca_secret};
    std::string compromised_;
    std::string kubeconfig_;
    std::string request_;  ///< as the annotation says it
    Duration wait_{};
};

}  // namespace

std::unique_ptr<Command> make_certs_rotate(app::FindOpenCluster find_cluster, Now now) {
    return std::make_unique<CertsRotate>(std::move(find_cluster), std::move(now));
}

}  // namespace smw::cli
