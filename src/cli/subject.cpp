#include "cli/subject.hpp"

#include "cli/controller_pod.hpp"
#include "smw/json/document.hpp"
#include "smw/json/edit.hpp"
#include "smw/json/pointer.hpp"
#include "smw/kube/meta.hpp"

#include <fmt/format.h>

namespace smw::cli {
namespace {

std::string string_at(json::Value object, const char* pointer) {
    const auto path = json::Pointer::parse(pointer);
    const auto value = path ? path->resolve(object) : std::nullopt;
    return std::string{value ? value->string().value_or("") : std::string_view{}};
}

std::string first_of(std::string text, std::string otherwise) {
    return text.empty() ? std::move(otherwise) : std::move(text);
}

/// The review that asks about the creation of a pod.
json::Text review_of(json::Value pod, const std::string& namespace_) {
    const auto name = string_at(pod, "/metadata/name");
    json::Text review;
    json::Writer writer{review.json};
    writer.begin_object();
    writer.member("apiVersion", "admission.k8s.io/v1").member("kind", "AdmissionReview");
    writer.key("request").begin_object();
    writer.member("uid", "00000000-0000-0000-0000-000000000000");
    writer.key("kind").begin_object();
    writer.member("group", "").member("version", "v1").member("kind", "Pod").end_object();
    writer.key("resource").begin_object();
    writer.member("group", "").member("version", "v1").member("resource", "pods").end_object();
    if (!name.empty()) {
        writer.member("name", std::string_view{name});
    }
    writer.member("namespace", std::string_view{namespace_}).member("operation", "CREATE");
    writer.member("object", json::Text{pod.text()});
    writer.end_object().end_object();
    return review;
}

Subject subject_named_as(json::Value object, Place place) {
    Subject subject{
        std::move(place), string_at(object, "/kind"),
        first_of(string_at(object, "/metadata/namespace"), "default"),
        first_of(string_at(object, "/metadata/name"), string_at(object, "/metadata/generateName"))};
    return subject;
}

Expected<Meaning> meaning_of_pod(json::Value pod, const Place& place) {
    auto subject = subject_named_as(pod, place);
    subject.review = review_of(pod, subject.namespace_);
    return Meaning{std::move(subject), std::nullopt};
}

/// As its pod knows it: one with a generateName has got a name by then.
Expected<json::Text> job_named(json::Value job, std::string_view name) {
    json::Text patch;
    json::Writer writer{patch.json};
    writer.begin_array().begin_object();
    writer.member("op", "add").member("path", "/metadata/name").member("value", name);
    writer.end_object().end_array();
    return json::apply_patch(json::Text{job.text()}, patch);
}

/// `named` is what the person wrote: the Job itself, or its CronJob.
Expected<Meaning> meaning_of_job(json::Value job, json::Value named, const Place& place) {
    const auto pod = pod_of_job(job);
    if (!pod) {
        return tl::unexpected(pod.error());
    }
    const auto document = json::Document::parse(pod->json);
    if (!document) {
        return tl::unexpected(document.error());
    }
    auto subject = subject_named_as(named, place);
    subject.review = review_of(document->root(), subject.namespace_);
    const auto name = string_at(document->root(), "/metadata/ownerReferences/0/name");
    auto state = job_named(job, name);
    if (!state) {
        return tl::unexpected(state.error());
    }
    return Meaning{std::move(subject), *std::move(state)};
}

Expected<Meaning> meaning_of_cronjob(json::Value cronjob, const Place& place) {
    const auto job = job_of_cronjob(cronjob);
    if (!job) {
        return tl::unexpected(job.error());
    }
    const auto document = json::Document::parse(job->json);
    if (!document) {
        return tl::unexpected(document.error());
    }
    auto meaning = meaning_of_job(document->root(), cronjob, place);
    if (!meaning) {
        return annotate(std::move(meaning).error(), "the Job that it would make");
    }
    return meaning;
}

Meaning meaning_of_review(json::Value review, const Place& place) {
    const auto text = [&](const char* pointer) {
        return string_at(review, pointer);
    };
    const auto name =
        first_of(text("/request/name"), first_of(text("/request/object/metadata/name"),
                                                 text("/request/object/metadata/generateName")));
    const auto namespace_ =
        first_of(text("/request/namespace"),
                 first_of(text("/request/object/metadata/namespace"), "default"));
    return {Subject{place, text("/request/kind/kind"), namespace_, name, {review.text()}},
            std::nullopt};
}

}  // namespace

Expected<Meaning> meaning_of(const json::Text& document, const Place& place) {
    const auto parsed = json::Document::parse(document.json);
    if (!parsed) {
        return tl::unexpected(parsed.error());
    }
    const auto root = parsed->root();
    if (!root.is_object()) {
        return fail(Code::BadRequest,
                    fmt::format("is no Kubernetes object, but a JSON {}", to_string(root.kind())));
    }
    const auto kind = string_at(root, "/kind");
    const auto api_version = string_at(root, "/apiVersion");
    if (kind.empty() || api_version.empty()) {
        return fail(Code::BadRequest, fmt::format("has no {}: not a Kubernetes object",
                                                  kind.empty() ? "kind" : "apiVersion"));
    }
    const auto group = kube::group_of(api_version);
    if (kind == "AdmissionReview" && group == "admission.k8s.io") {
        return meaning_of_review(root, place);
    }
    if (kind == "Pod" && group.empty()) {
        return meaning_of_pod(root, place);
    }
    if (kind == "Job" && group == "batch") {
        return meaning_of_job(root, root, place);
    }
    if (kind == "CronJob" && group == "batch") {
        return meaning_of_cronjob(root, place);
    }
    if (kind == "CheckpointBackup" && group == "migration.dcnlab.com") {
        return Meaning{std::nullopt, document};
    }
    return Meaning{};
}

}  // namespace smw::cli
