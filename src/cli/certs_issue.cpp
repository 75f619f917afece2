// `certs issue`: a CA and a serving certificate in a folder, without cert-manager or openssl.

#include "cli/certs_plan.hpp"
#include "cli/commands.hpp"
#include "smw/client/cluster_config.hpp"
#include "smw/kube/meta.hpp"
#include "smw/tls/inspect.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <ostream>
#include <utility>

namespace smw::cli {
namespace {

using std::chrono::hours;

constexpr hours kShortest{1};
constexpr hours kLongest{24 * 3650};

app::Set set_lifetime(std::chrono::seconds& target) {
    return [&target](std::string_view text) -> Expected<void> {
        const auto span = kube::parse_duration(text);
        if (!span || *span < kShortest || *span > kLongest) {
            return fail(Code::BadRequest,
                        "must be a duration from 1h to 87600h (ten years), such as 168h");
        }
        target = std::chrono::duration_cast<std::chrono::seconds>(*span);
        return {};
    };
}

/// RFC 1123, as Kubernetes wants names of Services and namespaces; with dots for domains.
app::Set set_dns(std::string& target, bool takes_dots) {
    return [&target, takes_dots](std::string_view text) -> Expected<void> {
        constexpr std::size_t kLongestLabel = 63;
        constexpr std::size_t kLongestDomain = 180;
        const auto is_good = [&](char letter) {
            return (letter >= 'a' && letter <= 'z') || (letter >= '0' && letter <= '9') ||
                   letter == '-' || (takes_dots && letter == '.');
        };
        const auto is_end = [](char letter) {
            return letter == '-' || letter == '.';
        };
        const bool good =
            text.empty() || (std::ranges::all_of(text, is_good) && !is_end(text.front()) &&
                             !is_end(text.back()) && text.find("..") == std::string_view::npos &&
                             text.size() <= (takes_dots ? kLongestDomain : kLongestLabel));
        if (!good) {
            return fail(Code::BadRequest,
                        takes_dots ? "must be a DNS domain such as cluster.local"
                                   : "must be lower-case letters, digits and dashes, 63 at most");
        }
        target = text;
        return {};
    };
}

class CertsIssue final : public Command {
public:
    explicit CertsIssue(Now now) : now_(std::move(now)) {
        wishes_.service.name = "stateful-migration-webhook-service";
    }

    [[nodiscard]] std::string_view name() const override { return "certs issue"; }
    [[nodiscard]] std::string_view summary() const override {
        return "Make a CA and a serving certificate in a folder";
    }
    [[nodiscard]] std::string_view about() const override {
        return "Writes ca.crt, ca.key, tls.crt and tls.key, P-256, good for the four names of\n"
               "the Service: a folder for `serve --cert-dir`, or for a Secret. What is good is\n"
               "kept; run it again, and a certificate with less than a third of its life left\n"
               "is renewed under the same CA. All files are written, or none; what is not from\n"
               "here is overwritten with --force only. Keep ca.key where only you can read it:\n"
               "who has it can pretend to be the webhook.\n\n"
               "Exit status: 0 when the folder is good, 1 when it could not be made so, 2 when\n"
               "the command line has errors.\n";
    }

    [[nodiscard]] Options options() override {
        auto& service = wishes_.service;
        return {
            {"out", kGroup, "folder", "", "Where the files go; made when it is not there.",
             app::set_string(out_)},
            {"service-name", kGroup, "name", service.name,
             "Service that the certificate is good for.", set_dns(service.name, false)},
            {"service-namespace", kGroup, "name", "",
             "Namespace of that Service; this pod's own, else default, when empty.",
             set_dns(service.namespace_, false)},
            {"cluster-domain", kGroup, "domain", service.cluster_domain,
             "DNS domain of the cluster.", set_dns(service.cluster_domain, true)},
            {"extra-names", kGroup, "list", "",
             "Further DNS names and IP addresses that it is good for, by comma.",
             app::set_list(wishes_.extra_names)},
            {"leaf-lifetime", kGroup, "duration", "168h",
             "How long the certificate is valid; ends with its CA at the latest.",
             set_lifetime(wishes_.leaf_lifetime)},
            {"ca-lifetime", kGroup, "duration", "8760h", "How long a new CA is valid.",
             set_lifetime(wishes_.ca_lifetime)},
            {"ca", kGroup, "folder", "",
             "Sign with the ca.crt and ca.key of this folder; its key stays there.",
             app::set_string(ca_)},
            {"force", kGroup, "bool", "false",
             "Overwrite files that are not from here. What is good is kept all the same.",
             app::set_bool(wishes_.force)},
            app::config_option(),
        };
    }

    [[nodiscard]] std::vector<std::string> check(const app::Configured& configured) override {
        if (!configured.errors.empty()) {
            return {};
        }
        auto& service = wishes_.service;
        if (service.namespace_.empty()) {
            client::ClusterSources sources;
            sources.environment = configured.environment;
            service.namespace_ = client::own_namespace(sources);
        }
        std::vector<std::string> errors;
        if (out_.empty()) {
            errors.emplace_back("certs issue needs --out FOLDER");
        }
        if (service.name.empty()) {
            errors.emplace_back("--service-name must not be empty");
        }
        return errors;
    }

    [[nodiscard]] int run(const Call& call) override {
        auto issued = issue();
        if (!issued) {
            report(call.console, issued.error().message);
            return kFailed;
        }
        for (const auto& line : issued->said) {
            call.console.out << printable(line) << '\n';
        }
        for (const auto& note : issued->notes) {
            call.console.out << "note: " << printable(note) << '\n';
        }
        call.console.out << next_steps(*issued);
        return 0;
    }

private:
    static constexpr auto kGroup = "Issue";

    Expected<IssuePlan> issue() {
        wishes_.folder = out_;
        wishes_.now = now_();
        if (!ca_.empty()) {
            auto signer = read_signer();
            if (!signer) {
                return tl::unexpected(signer.error());
            }
            wishes_.signer = std::move(*signer);
        }
        const auto folder = IssueFolder::open(out_);
        if (!folder) {
            return tl::unexpected(folder.error());
        }
        const auto there = folder->read();
        if (!there) {
            return tl::unexpected(there.error());
        }
        auto plan = plan_issue(*there, wishes_);
        if (!plan) {
            return plan;
        }
        if (auto written = folder->write(plan->files); !written) {
            return tl::unexpected(written.error());
        }
        return plan;
    }

    [[nodiscard]] Expected<tls::Issued> read_signer() const {
        const std::filesystem::path folder{ca_};
        auto certificate = read_file(folder / "ca.crt", tls::kMostCertificateBytes);
        if (!certificate) {
            return annotate(certificate.error(), "--ca");
        }
        auto key = read_file(folder / "ca.key", tls::kMostCertificateBytes);
        if (!key) {
            return annotate(key.error(), "--ca");
        }
        return tls::Issued{std::move(*certificate), std::move(*key)};
    }

    [[nodiscard]] std::string next_steps(const IssuePlan& plan) const {
        std::string text;
        if (plan.has_new_ca) {
            text +=
                fmt::format("\nCallers must trust the new CA; caBundle is: base64 -w0 {}/ca.crt\n",
                            printable(out_));
        }
        return text + fmt::format("{}From {} on the same command renews the certificate.\n",
                                  text.empty() ? "\n" : "", tls::to_text(plan.renew_from));
    }

    Now now_;
    IssueWishes wishes_;
    std::string out_;
    std::string ca_;
};

}  // namespace

std::unique_ptr<Command> make_certs_issue(Now now) {
    return std::make_unique<CertsIssue>(std::move(now));
}

}  // namespace smw::cli
