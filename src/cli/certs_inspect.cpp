// `certs inspect`: what a folder, a Secret or a running listener has, and what is wrong with it.

#include "cli/certs_places.hpp"
#include "cli/choice.hpp"
#include "cli/colour.hpp"
#include "cli/commands.hpp"
#include "smw/client/cluster_config.hpp"
#include "smw/tls/issue.hpp"

#include <fmt/format.h>

#include <charconv>
#include <filesystem>
#include <optional>
#include <ostream>
#include <utility>

namespace smw::cli {
namespace {

/// To connect and shake hands.
constexpr std::chrono::seconds kPatience{10};

app::Set set_secret(kube::ObjectKey& target) {
    return [&target](std::string_view text) -> Expected<void> {
        const auto slash = text.find('/');
        const auto name = slash == std::string_view::npos ? text : text.substr(slash + 1);
        const auto space = slash == std::string_view::npos ? "" : text.substr(0, slash);
        if (name.empty() || slash == 0 || name.find('/') != std::string_view::npos) {
            return fail(Code::BadRequest, "must be NAME or NAMESPACE/NAME");
        }
        target = {std::string{space}, std::string{name}};
        return {};
    };
}

app::Set set_listener(std::optional<tls::ListenerAddress>& target) {
    return [&target](std::string_view text) -> Expected<void> {
        const auto colon = text.rfind(':');
        auto host = text.substr(0, colon == std::string_view::npos ? 0 : colon);
        const auto port = text.substr(colon == std::string_view::npos ? text.size() : colon + 1);
        if (host.starts_with('[') && host.ends_with(']')) {
            host = host.substr(1, host.size() - 2);
        } else if (host.find(':') != std::string_view::npos) {
            host = {};
        }
        std::uint16_t number = 0;
        const auto read = std::from_chars(port.data(), port.data() + port.size(), number);
        if (host.empty() || number == 0 || read.ec != std::errc{} ||
            read.ptr != port.data() + port.size()) {
            return fail(Code::BadRequest, "must be HOST:PORT such as 127.0.0.1:9443 or [::1]:9443");
        }
        target = tls::ListenerAddress{std::string{host}, number, {}};
        return {};
    };
}

class CertsInspect final : public Command {
public:
    CertsInspect(app::FindOpenCluster find_cluster, Now now)
        : find_cluster_(std::move(find_cluster)), now_(std::move(now)) {}

    [[nodiscard]] std::string_view name() const override { return "certs inspect"; }
    [[nodiscard]] std::string_view operands() const override { return "[PATH...]"; }
    [[nodiscard]] std::string_view summary() const override {
        return "Look at certificates: what is wrong, who trusts them";
    }
    [[nodiscard]] std::string_view about() const override {
        return "Looks at folders as `serve --cert-dir` has them, at PEM files, at a Secret, or\n"
               "at what a running listener shows; without any of these at --cert-dir. A PATH of\n"
               "- is standard input; one with nothing but a key goes with the PATH before it.\n"
               "It judges by the same rules as `serve`. Keys are looked at, and never shown.\n\n"
               "Exit status: 0 when all is good, or only suspicious; 1 when something would be\n"
               "refused or is not trusted; 2 when the command line has errors.\n";
    }

    [[nodiscard]] Options options() override {
        Options rows;
        add_places(rows);
        add_expectations(rows);
        rows.push_back({"output", kGroup, "text|json", "text",
                        "Shape of the answer: json has one object a line.",
                        set_choice<bool>(json_, {{"text", false}, {"json", true}})});
        rows.push_back(colour_option(kGroup, colour_));
        rows.push_back(app::config_option());
        return rows;
    }

    [[nodiscard]] std::vector<std::string> check(const app::Configured& configured) override {
        if (!configured.errors.empty()) {
            return {};
        }
        sources_.kubeconfig = kubeconfig_;
        sources_.environment = configured.environment;
        if (!server_name_.empty() && !listener_) {
            return {"--server-name is what --connect asks for: give both"};
        }
        if (secret_.name.empty() && webhook_configuration_.empty()) {
            return {};
        }
        auto found = find_cluster_(sources_);
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
        if (cluster_) {
            for (const auto& warning : cluster_->warnings) {
                report(call.console, warning);
            }
        }
        bool bad = false;
        const auto anchors = read_anchors(call.console, bad);
        const auto places = read_places(call);
        const auto expectation = expected();
        bool printed = false;
        for (const auto& place : places) {
            const auto judged = judge(place, expectation, anchors);
            bad = bad || judged.is_bad();
            if (json_) {
                call.console.out << to_json(judged).json << '\n';
                continue;
            }
            call.console.out << (std::exchange(printed, true) ? "\n" : "")
                             << to_text(judged,
                                        Paint{is_coloured(colour_, call.console.shows_colours)});
        }
        return bad ? kFailed : 0;
    }

private:
    static constexpr auto kGroup = "Inspect";

    void add_places(Options& rows) {
        rows.push_back({"secret", kGroup, "[namespace/]name", "",
                        "Look at this Secret. Needs get on secrets; without a namespace it is "
                        "that of --service-namespace.",
                        set_secret(secret_)});
        rows.push_back({"connect", kGroup, "host:port", "", "Look at what this listener shows.",
                        set_listener(listener_)});
        rows.push_back({"server-name", kGroup, "name", "",
                        "Name that --connect asks for: else that of the Service when its namespace "
                        "is known, else the host.",
                        app::set_string(server_name_)});
        rows.push_back({"webhook-configuration", kGroup, "name", "",
                        "Say whether each caBundle of this MutatingWebhookConfiguration (or "
                        "ValidatingWebhookConfiguration) trusts the certificate.",
                        app::set_string(webhook_configuration_)});
        rows.push_back({"kubeconfig", kGroup, "file", "",
                        "Kubeconfig of the cluster; else KUBECONFIG, the pod's own service "
                        "account, ~/.kube/config.",
                        app::set_string(kubeconfig_)});
    }

    void add_expectations(Options& rows) {
        rows.push_back({"cert-dir", kGroup, "folder", cert_dir_,
                        "Folder to look at when nothing else is named.",
                        app::set_string(cert_dir_)});
        rows.push_back({"cert-name", kGroup, "name", names_.chain,
                        "What the certificate chain is called in folders and Secrets.",
                        app::set_string(names_.chain)});
        rows.push_back({"key-name", kGroup, "name", names_.key,
                        "What the private key is called in folders and Secrets.",
                        app::set_string(names_.key)});
        rows.push_back({"service-name", kGroup, "name", service_.name,
                        "Service that the certificate must be good for.",
                        app::set_string(service_.name)});
        rows.push_back({"service-namespace", kGroup, "name", "",
                        "Namespace of that Service; else that of --secret, else this pod's own, "
                        "else no name is expected.",
                        app::set_string(service_.namespace_)});
    }

    /// Empty: nobody said.
    [[nodiscard]] std::string known_namespace() const {
        if (!service_.namespace_.empty() || !secret_.namespace_.empty()) {
            return service_.namespace_.empty() ? secret_.namespace_ : service_.namespace_;
        }
        std::error_code error;
        const bool is_pod = sources_.environment.contains("POD_NAMESPACE") ||
                            std::filesystem::exists(sources_.service_account / "namespace", error);
        return is_pod ? client::own_namespace(sources_) : std::string{};
    }

    [[nodiscard]] tls::Expectation expected() const {
        tls::Expectation expectation{{}, now_()};
        const auto space = known_namespace();
        if (!server_name_.empty()) {
            expectation.names = {server_name_};
        } else if (!space.empty()) {
            expectation.names = tls::dns_names({service_.name, space});
        }
        return expectation;
    }

    std::vector<TrustAnchor> read_anchors(Console& console, bool& bad) const {
        if (webhook_configuration_.empty()) {
            return {};
        }
        auto anchors = read_webhook_configuration(cluster_->ask, webhook_configuration_);
        if (!anchors) {
            report(console, "--webhook-configuration: " + anchors.error().message);
            bad = true;
            return {};
        }
        return *std::move(anchors);
    }

    std::vector<FoundCertificates> read_places(const Call& call) {
        std::vector<FoundCertificates> places;
        std::vector<std::string> files;
        for (const auto& operand : call.configured.operands) {
            std::error_code error;
            if (std::filesystem::is_directory(operand, error)) {
                places.push_back(read_folder(operand, names_));
            } else {
                files.push_back(operand);
            }
        }
        for (auto& place : read_files(files, call.console.in)) {
            places.push_back(std::move(place));
        }
        if (!secret_.name.empty()) {
            auto key = secret_;
            if (key.namespace_.empty()) {
                key.namespace_ = service_.namespace_.empty() ? client::own_namespace(sources_)
                                                             : service_.namespace_;
            }
            places.push_back(read_secret(cluster_->ask, key, names_));
        }
        if (listener_) {
            auto listener = *listener_;
            const auto expectation = expected();
            listener.server_name =
                expectation.names.empty() ? listener.host : expectation.names.front();
            places.push_back(read_listener(listener, Deadline::after(kPatience)));
        }
        if (places.empty()) {
            places.push_back(read_folder(cert_dir_, names_));
            places.back().must_serve = true;
        }
        return places;
    }

    app::FindOpenCluster find_cluster_;
    Now now_;
    std::optional<app::OpenCluster> cluster_;
    client::ClusterSources sources_;
    kube::ObjectKey secret_;
    std::optional<tls::ListenerAddress> listener_;
    std::string server_name_;
    std::string webhook_configuration_;
    std::string kubeconfig_;
    std::string cert_dir_ = "/tmp/k8s-webhook-server/serving-certs";
    CertificateNames names_;
    tls::ServiceAddress service_{"stateful-migration-webhook-service", "", "cluster.local"};
    bool json_ = false;
    Colour colour_ = Colour::Auto;
};

}  // namespace

std::unique_ptr<Command> make_certs_inspect(app::FindOpenCluster find_cluster, Now now) {
    return std::make_unique<CertsInspect>(std::move(find_cluster), std::move(now));
}

}  // namespace smw::cli
