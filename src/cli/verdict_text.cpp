// A verdict for people, on a terminal or not.

#include "cli/command.hpp"
#include "cli/verdict.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace smw::cli {
namespace {

using checkpoint_restore::Candidate;
using checkpoint_restore::Judgement;
using checkpoint_restore::OfferedImage;

/// How the deciding backup is tied to the pod.
std::string how_matched(const Judgement& judgement) {
    const auto decided = std::ranges::find(judgement.candidates, true, &Candidate::decided);
    if (decided == judgement.candidates.end()) {
        return {};
    }
    if (decided->match == "direct") {
        return fmt::format(", which refers to Job {} itself", judgement.job);
    }
    if (decided->match == "owner") {
        return fmt::format(", which refers to {}, the owner of Job {}", decided->resource,
                           judgement.job);
    }
    return fmt::format(", which refers to {}: Job {} is named after it", decided->resource,
                       judgement.job);
}

struct Phrase {
    std::string_view reason;
    std::string_view words;
};

/// Those of checkpoint_restore that need no more than the name of the Job.
constexpr std::array<Phrase, 10> kPhrases{{
    {"no-image-for-containers",
     "CheckpointBackups match Job {job}, but none has a usable image for a container of its pod"},
    {"no-checkpoint-backup", "no CheckpointBackup matches Job {job}"},
    {"not-applicable",
     "none of our business: decided is about Pods at CREATE, in the namespaces that were chosen, "
     "and not about mirror pods"},
    {"not-from-job", "the pod belongs to no Job"},
    {"skipped-by-annotation",
     "the pod is annotated with migration.dcnlab.com/skip-restore: \"true\""},
    {"self-test", "the pod asks whether the webhook answers, and is not changed"},
    {"job-gone", "Job {job} is gone, or is another one than the pod's owner by now"},
    {"owner-unknown", "the owner of Job {job} is not known, so nothing is changed"},
    {"cache-not-synced", "the CheckpointBackups are not read yet, so nothing is changed"},
    {"patch-refused", "the patch would not apply to the pod, so it is not sent"},
}};

std::string paint_reason(const Judgement& judgement, const Paint& paint) {
    const bool changes = !judgement.patch.empty();
    const bool suspicious =
        judgement.reason == "no-image-for-containers" || judgement.reason == "patch-refused";
    const auto text = paint.bold(judgement.reason);
    return changes ? paint.green(text) : suspicious ? paint.yellow(text) : text;
}

std::size_t longest(const std::vector<std::string>& texts) {
    std::size_t most = 0;
    for (const auto& text : texts) {
        most = std::max(most, text.size());
    }
    return most;
}

void append_heading(std::string& out, const Paint& paint, std::string_view heading) {
    out += fmt::format("\n  {}\n", paint.bold(heading));
}

void append_images(std::string& out, const Judgement& judgement, const Paint& paint) {
    if (judgement.images.empty()) {
        return;
    }
    append_heading(out, paint, "Images");
    std::vector<std::string> names;
    names.reserve(judgement.images.size());
    for (const auto& image : judgement.images) {
        names.push_back(printable(image.container));
    }
    const auto width = longest(names);
    for (std::size_t at = 0; at < names.size(); ++at) {
        const auto& image = judgement.images[at];
        const auto original = image.original.empty() ? "(none)" : printable(image.original);
        out += fmt::format("    {:<{}}  {} -> {}\n", names[at], width, paint.red(original),
                           paint.green(printable(image.image)));
    }
}

void append_offered(std::string& out, const std::vector<OfferedImage>& images, const Paint& paint) {
    std::vector<std::string> names;
    std::vector<std::string> references;
    for (const auto& image : images) {
        names.push_back(printable(image.container));
        references.push_back(printable(image.image));
    }
    const auto width = longest(names);
    const auto reference_width = longest(references);
    for (std::size_t at = 0; at < images.size(); ++at) {
        const auto& image = images[at];
        const auto note =
            image.usable
                ? paint.dim(fmt::format("({})", image.from))
                : paint.yellow(fmt::format("({}; it {})", image.from, printable(image.why)));
        out += fmt::format("        {:<{}}  {:<{}}  {}\n", names[at], width, references[at],
                           reference_width, note);
    }
}

void append_candidate(std::string& out, const Candidate& candidate, const Paint& paint) {
    const auto match = candidate.match.empty() ? std::string{"does not match"}
                                               : fmt::format("{} match", candidate.match);
    out += fmt::format("    {} {}: {}, {}{}\n", candidate.decided ? paint.green("*") : "-",
                       paint.bold(printable(candidate.name)), printable(candidate.resource), match,
                       candidate.decided ? ", " + paint.green("decides") : "");
    if (!candidate.why.empty()) {
        out += fmt::format("      {}\n", paint.dim("lost: " + printable(candidate.why)));
    }
    if (candidate.match.empty()) {
        return;  // its images do not matter
    }
    append_offered(out, candidate.images, paint);
    if (!candidate.unknown_containers.empty()) {
        std::string names;
        for (const auto& name : candidate.unknown_containers) {
            names += (names.empty() ? "" : ", ") + printable(name);
        }
        out += fmt::format("      {}\n", paint.dim("the pod has no container named " + names));
    }
}

void append_patch(std::string& out, const Judgement& judgement, const Paint& paint) {
    if (judgement.patch.empty()) {
        return;
    }
    append_heading(out, paint, "Patch");
    for (std::size_t at = 0; at < judgement.patch.size(); ++at) {
        const auto op = admission::to_json({judgement.patch[at]}).json;
        const bool last = at + 1 == judgement.patch.size();
        // One op a line, and still one JSON array when taken together.
        out += fmt::format("    {}{}{}\n", at == 0 ? "[" : " ",
                           printable(op.substr(1, op.size() - 2)), last ? "]" : ",");
    }
}

void append_diff(std::string& out, std::string_view diff, const Paint& paint) {
    if (diff.empty()) {
        return;
    }
    append_heading(out, paint, "Diff");
    out += fmt::format("    {}\n    {}\n", paint.bold("--- the pod as it comes"),
                       paint.bold("+++ the pod as it would be admitted"));
    while (!diff.empty()) {
        const auto end = std::min(diff.find('\n'), diff.size() - 1);
        const auto line = printable(diff.substr(0, end));
        diff.remove_prefix(end + 1);
        const char mark = line.front();
        out += fmt::format("    {}\n", mark == '+'   ? paint.green(line)
                                       : mark == '-' ? paint.red(line)
                                       : mark == '@' ? paint.cyan(line)
                                                     : line);
    }
}

}  // namespace

std::string Paint::wrap(std::string_view code, std::string_view text) const {
    return colours_ ? fmt::format("\x1b[{}m{}\x1b[0m", code, text) : std::string{text};
}

std::string in_words(const Judgement& judgement) {
    if (judgement.reason == "restored") {
        return fmt::format("images come from CheckpointBackup {}{}", judgement.backup,
                           how_matched(judgement));
    }
    if (judgement.reason == "already-restored") {
        return fmt::format("the images of CheckpointBackup {} stand there already{}",
                           judgement.backup, how_matched(judgement));
    }
    const auto phrase = std::ranges::find(kPhrases, judgement.reason, &Phrase::reason);
    return phrase == kPhrases.end()
               ? std::string{judgement.reason}
               : fmt::format(fmt::runtime(phrase->words), fmt::arg("job", judgement.job));
}

std::string to_text(const Verdict& verdict, const Paint& paint) {
    const auto& judgement = verdict.judgement;
    std::string out = fmt::format(
        "{} {}\n",
        paint.bold(
            printable(fmt::format("{} {}/{}", verdict.kind, verdict.namespace_, verdict.name))),
        paint.dim(printable(fmt::format("({}:{})", verdict.place.file, verdict.place.line))));
    out +=
        fmt::format("  {}: {}\n", paint_reason(judgement, paint), printable(in_words(judgement)));
    if (!judgement.owner.empty()) {
        out += fmt::format("  {}\n", paint.dim(printable(judgement.owner)));
    }
    for (const auto& warning : judgement.response.warnings) {
        out += fmt::format("  {} {}\n", paint.yellow("warning:"), printable(warning));
    }
    append_images(out, judgement, paint);
    if (!judgement.candidates.empty()) {
        append_heading(out, paint, "CheckpointBackups, the best one first");
        for (const auto& candidate : judgement.candidates) {
            append_candidate(out, candidate, paint);
        }
    }
    append_patch(out, judgement, paint);
    append_diff(out, verdict.diff, paint);
    return out;
}

}  // namespace smw::cli
