// `review`: what the webhook would answer, and why, without a server.

#include "smw/admission/review.hpp"

#include "cli/choice.hpp"
#include "cli/colour.hpp"
#include "cli/commands.hpp"
#include "cli/line_diff.hpp"
#include "cli/subject.hpp"
#include "cli/verdict.hpp"
#include "smw/app/text_file.hpp"
#include "smw/json/edit.hpp"
#include "smw/json/yaml.hpp"

#include <fmt/format.h>

#include <istream>
#include <iterator>
#include <optional>
#include <ostream>
#include <utility>

namespace smw::cli {
namespace {

enum class Shape { Text, Json, Yaml, Patch };

constexpr int kChanged = 10;

/// The diff of the object that was reviewed, as YAML before and after the patch.
Expected<std::string> diff_of(json::Value object, const admission::JsonPatch& patch) {
    const json::Text before{object.text()};
    const auto after = json::apply_patch(before, admission::to_json(patch));
    if (!after) {
        return annotate(after.error(), "applying the patch");
    }
    const auto old_lines = json::to_yaml(before);
    const auto new_lines = json::to_yaml(*after);
    if (!old_lines || !new_lines) {
        return annotate((old_lines ? new_lines : old_lines).error(), "writing YAML");
    }
    return line_diff(*old_lines, *new_lines);
}

std::string yaml_of(const Verdict& verdict) {
    const auto yaml = json::to_yaml(to_json(verdict));
    return yaml ? "---\n" + *yaml : std::string{};
}

class Review final : public Command {
public:
    explicit Review(app::FindOpenCluster find_cluster) : find_cluster_(std::move(find_cluster)) {}

    [[nodiscard]] std::string_view name() const override { return "review"; }
    [[nodiscard]] std::string_view operands() const override { return "FILE..."; }
    [[nodiscard]] std::string_view summary() const override {
        return "Say what the webhook would answer, and why";
    }
    [[nodiscard]] std::string_view about() const override {
        return "FILE holds AdmissionReviews, Pods, Jobs and CronJobs in YAML or JSON, as many as\n"
               "you like; - is standard input. A Job or CronJob is judged as the pod that its\n"
               "controller would make. CheckpointBackups are taken from the files themselves and\n"
               "from --manifests, or else from a cluster where there is one: of --kubeconfig,\n"
               "KUBECONFIG, the pod's own service account or ~/.kube/config. It is only read.\n\n"
               "Exit status: 0 when all stay as they are, 10 when one would be changed, 2 when a\n"
               "document could not be read; the others are judged all the same.\n";
    }

    [[nodiscard]] Options options() override {
        Options rows{
            {"manifests", "Review", "folder", "",
             "Judge with the CheckpointBackups and Jobs in the YAML and JSON files of this folder.",
             app::set_string(manifests_)},
            {"kubeconfig", "Review", "file", "",
             "Judge with the CheckpointBackups and Jobs of this cluster.",
             app::set_string(kubeconfig_)},
            {"output", "Review", "text|json|yaml|patch", "text",
             "Shape of the answer: json has one object a line, patch only the patch of each.",
             set_choice<Shape>(shape_, {{"text", Shape::Text},
                                        {"json", Shape::Json},
                                        {"yaml", Shape::Yaml},
                                        {"patch", Shape::Patch}})},
            colour_option("Review", colour_),
        };
        auto deciding = offline_.options();
        rows.insert(rows.end(), std::make_move_iterator(deciding.begin()),
                    std::make_move_iterator(deciding.end()));
        rows.push_back(app::config_option());
        return rows;
    }

    [[nodiscard]] std::vector<std::string> check(const app::Configured& configured) override {
        if (!manifests_.empty()) {
            return kubeconfig_.empty() ? std::vector<std::string>{}
                                       : std::vector<std::string>{
                                             "--manifests and --kubeconfig: state comes from "
                                             "files or from a cluster, give one"};
        }
        if (!configured.errors.empty()) {
            return {};
        }
        client::ClusterSources sources;
        sources.kubeconfig = kubeconfig_;
        sources.environment = configured.environment;
        auto found = find_cluster_(sources);
        if (!found) {
            return {"finding the cluster: " + found.error().message};
        }
        cluster_ = *std::move(found);
        return {};
    }

    [[nodiscard]] int run(const Call& call) override {
        if (call.configured.operands.empty()) {
            report(call.console, "review needs a FILE, or - for standard input");
            return kBadUsage;
        }
        // All state first: the order of files and documents is no matter.
        load_manifests(call.console);
        ask_cluster(call.console);
        for (const auto& file : call.configured.operands) {
            read(file, call.console);
        }
        if (subjects_.empty() && !bad_) {
            refuse(call.console, "there is no AdmissionReview, Pod, Job or CronJob to judge");
        }
        for (const auto& subject : subjects_) {
            judge(subject, call.console);
        }
        if (missed_ && !offline_.has_source()) {
            report(call.console,
                   "there was no source of CheckpointBackups: give them among the files, or "
                   "--manifests DIR, or --kubeconfig FILE");
        }
        return bad_ ? kBadUsage : changed_ ? kChanged : 0;
    }

private:
    void refuse(Console& console, std::string_view reason) {
        report(console, reason);
        bad_ = true;
    }

    void refuse(Console& console, const Place& place, std::string_view reason) {
        refuse(console, fmt::format("{}:{}: {}", place.file, place.line, reason));
    }

    void load_manifests(Console& console) {
        if (manifests_.empty()) {
            return;
        }
        const auto problems = offline_.load(manifests_);
        if (!problems) {
            refuse(console, fmt::format("--manifests: {}", problems.error().message));
            return;
        }
        for (const auto& problem : *problems) {
            report(console, fmt::format("{}/{}", manifests_, watch::to_string(problem)));
        }
    }

    void ask_cluster(Console& console) {
        if (!cluster_) {
            return;
        }
        for (const auto& warning : cluster_->warnings) {
            report(console, warning);
        }
        offline_.ask(cluster_->ask);
    }

    void read(const std::string& file, Console& console) {
        const auto text = file == "-" ? app::read_text(console.in, watch::kMaxManifestBytes)
                                      : app::read_text_file(file, watch::kMaxManifestBytes);
        if (!text) {
            refuse(console, fmt::format("{}: {}", file, text.error().message));
            return;
        }
        for (const auto& document : read_documents(file, *text)) {
            const auto taken = document.json
                                   ? take(*document.json, document.place)
                                   : Expected<void>{tl::unexpected(document.json.error())};
            if (!taken) {
                refuse(console, document.place, taken.error().message);
            }
        }
    }

    Expected<void> take(const json::Text& document, const Place& place) {
        auto meaning = meaning_of(document, place);
        if (!meaning) {
            return tl::unexpected(meaning.error());
        }
        if (meaning->state) {
            const auto state = json::Document::parse(meaning->state->json);
            auto added =
                state ? offline_.add(state->root()) : Expected<void>{tl::unexpected(state.error())};
            if (!added) {
                return added;
            }
        }
        if (meaning->subject) {
            subjects_.push_back(*std::move(meaning->subject));
        }
        return {};
    }

    void judge(const Subject& subject, Console& console) {
        auto verdict = verdict_on(subject);
        if (!verdict) {
            refuse(console, subject.place, verdict.error().message);
            return;
        }
        changed_ = changed_ || !verdict->judgement.patch.empty();
        missed_ = missed_ || verdict->judgement.reason == "no-checkpoint-backup";
        print(*verdict, console);
    }

    Expected<Verdict> verdict_on(const Subject& subject) {
        const auto document = json::Document::parse(subject.review.json);
        if (!document) {
            return tl::unexpected(document.error());
        }
        const auto request = admission::decode_review(document->root());
        if (!request) {
            return tl::unexpected(request.error());
        }
        auto judgement = offline_.judge(*request);
        if (!judgement) {
            return tl::unexpected(judgement.error());
        }
        Verdict verdict{subject.place, subject.kind,          subject.namespace_,
                        subject.name,  *std::move(judgement), {}};
        if (!verdict.judgement.patch.empty() && request->object) {
            auto diff = diff_of(*request->object, verdict.judgement.patch);
            if (!diff) {
                return tl::unexpected(diff.error());
            }
            verdict.diff = *std::move(diff);
        }
        return verdict;
    }

    void print(const Verdict& verdict, Console& console) {
        switch (shape_) {
            case Shape::Text:
                console.out << (std::exchange(printed_, true) ? "\n" : "")
                            << to_text(verdict, Paint{is_coloured(colour_, console.shows_colours)});
                return;
            case Shape::Json:
                console.out << to_json(verdict).json << '\n';
                return;
            case Shape::Yaml:
                console.out << yaml_of(verdict);
                return;
            case Shape::Patch:
                console.out << admission::to_json(verdict.judgement.patch).json << '\n';
                return;
        }
    }

    app::FindOpenCluster find_cluster_;
    std::optional<app::OpenCluster> cluster_;
    checkpoint_restore::Offline offline_;
    std::string manifests_;
    std::string kubeconfig_;
    Shape shape_ = Shape::Text;
    Colour colour_ = Colour::Auto;
    std::vector<Subject> subjects_;
    bool printed_ = false;
    bool bad_ = false;
    bool changed_ = false;
    bool missed_ = false;  ///< a pod for which there was no CheckpointBackup
};

}  // namespace

std::unique_ptr<Command> make_review(app::FindOpenCluster find_cluster) {
    return std::make_unique<Review>(std::move(find_cluster));
}

}  // namespace smw::cli
