#include "judge.hpp"

#include "checkpoint_restore/explain.hpp"
#include "checkpoint_restore/respond.hpp"
#include "oracle.hpp"
#include "smw/base/base64.hpp"
#include "smw/kube/image_reference.hpp"
#include "target.hpp"

#include <algorithm>

namespace smw::fuzz {
namespace {

using checkpoint_restore::CronJobMatch;
using checkpoint_restore::Owner;
using checkpoint_restore::Reason;

constexpr std::string_view kAnnotations = "/metadata/annotations";

checkpoint_restore::Decision decide(const checkpoint_restore::Pod& pod,
                                    const Surroundings& around) {
    return around.backups.read([&](const checkpoint_restore::BackupIndex& index) {
        Owner owner;
        auto decision = checkpoint_restore::decide(pod, index, owner, around.settings);
        if (!decision) {
            owner = around.owner;
            decision = checkpoint_restore::decide(pod, index, owner, around.settings);
        }
        check(decision.has_value(), "no decision though the owner is known");
        const auto candidates = checkpoint_restore::explain(pod, index, owner, around.settings);
        check(decision->backup == nullptr || candidates.front().name == decision->backup->name(),
              "another backup decides than the explanation says");
        return *std::move(decision);
    });
}

bool is_image(std::string_view path) {
    for (const std::string_view list : {"/spec/containers/", "/spec/initContainers/"}) {
        if (path.starts_with(list)) {
            path.remove_prefix(list.size());
            const auto digits = std::min(path.find_first_not_of("0123456789"), path.size());
            return digits > 0 && path.substr(digits) == "/image";
        }
    }
    return false;
}

bool is_annotation(std::string_view path) {
    return path == kAnnotations ||
           path == std::string{kAnnotations} + "/migration.dcnlab.com~1restored-from";
}

void check_patched(std::string_view object, const std::string& result, bool annotated) {
    std::size_t images = 0;
    for (const auto& path : differences(object, result)) {
        check(is_image(path) || (annotated && is_annotation(path)), "more than images changed");
        if (is_image(path)) {
            ++images;
            check(kube::is_image_reference(string_at(path, result).value_or("")),
                  "an image that no kubelet takes");
        }
    }
    check(images > 0, "a patch that changes no image");
}

void check_answer(const admission::Request& request, const admission::Response& response,
                  bool annotated) {
    const auto answer = admission::encode_review(request, response);
    check(is_json(answer), "an answer that is no JSON");
    const auto document = json::Document::parse(answer);
    const auto said = document->root().find("response");
    check(said && said->find("uid") && said->find("uid")->string() == request.uid,
          "an answer to another uid");
    check(said->find("allowed")->boolean() == true, "a denial");
    const auto patch = said->find("patch");
    check(patch.has_value() == response.patch.has_value(), "a patch that was lost, or made up");
    if (!patch || has_doubles(*request.object)) {
        return;
    }
    const auto decoded = decode_base64(*patch->string());
    check(decoded.has_value(), "a patch that is no base64");
    const auto object = request.object->text();
    const auto result = patched(object, *decoded);
    check(result.has_value(), "a patch that does not apply");
    check_patched(object, *result, annotated);
}

/// A second look at the pod as it is then: nothing more to do.
void check_again(admission::Request request, const admission::Response& response,
                 const Surroundings& around) {
    const auto result = patched(request.object->text(), response.patch->json);
    const auto document = json::Document::parse(result.value_or("null"));
    check(document.has_value(), "a patched object that cannot be read");
    request.object = document->root();
    const auto classified = checkpoint_restore::classify(request, around.settings);
    check(classified && !classified->settled, "a patched pod is another kind of pod");
    check(decide(classified->pod, around).reason == Reason::AlreadyRestored,
          "a patched pod is patched again");
}

}  // namespace

void judge(const admission::Request& request, const Surroundings& around) {
    const auto classified = checkpoint_restore::classify(request, around.settings);
    if (!classified) {
        check(is_one_line(classified.error().message), "an error that is more than a line");
        return;
    }
    const auto decision = classified->settled
                              ? checkpoint_restore::settle(*classified->settled, classified->nonce)
                              : decide(classified->pod, around);
    const auto response = checkpoint_restore::respond(decision);
    check(response.patch.has_value() == (decision.reason == Reason::Restored),
          "a patch without restoring, or none with it");
    check_answer(request, response, around.settings.annotate_restored);
    if (response.patch && !has_doubles(*request.object)) {
        check_again(request, response, around);
    }
}

std::vector<Surroundings> all_surroundings(const checkpoint_restore::BackupStore& backups) {
    Owner known;
    known.state = Owner::State::Known;
    known.cronjob = "my-cronjob";
    Owner unanswered;
    unanswered.state = Owner::State::Unanswered;
    checkpoint_restore::Settings by_name;
    by_name.cronjob_match = CronJobMatch::Name;
    by_name.require_pushed_images = true;
    checkpoint_restore::Settings annotating;
    annotating.annotate_restored = true;
    return {{backups, {}, known}, {backups, annotating, unanswered}, {backups, by_name, known}};
}

}  // namespace smw::fuzz
