#pragma once
// A small cluster for decisions: backups and what is known of Jobs go in, a pod is judged the way
// the server does it. Every judgement is checked: its patch is applied by nlohmann, which is not
// the code that made it, and a second pass over the result must not patch again.

#include "checkpoint_restore/handler.hpp"
#include "checkpoint_restore/resources.hpp"
#include "smw/json/document.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace smw::checkpoint_restore::testing {

using Json = nlohmann::json;
using Images = std::map<std::string, std::string>;  // container → image

inline Json containers(const Images& images) {
    Json list = Json::array();
    for (const auto& [name, image] : images) {
        list.push_back({{"name", name}, {"image", image}});
    }
    return list;
}

/// A CheckpointBackup in namespace `default`.
inline Json backup_of(const std::string& kind, const std::string& resource, const std::string& name,
                      const Images& images) {
    return {{"apiVersion", "migration.dcnlab.com/v1"},
            {"kind", "CheckpointBackup"},
            {"metadata", {{"name", name}, {"namespace", "default"}}},
            {"spec",
             {{"resourceRef", {{"apiVersion", "batch/v1"}, {"kind", kind}, {"name", resource}}},
              {"containers", containers(images)}}}};
}

inline Json built(const std::string& container, const std::string& image,
                  const std::string& time = "") {
    Json entry{{"containerName", container}, {"imageName", image}};
    if (!time.empty()) {
        entry["buildTime"] = time;
    }
    return entry;
}

/// A pod of that Job, as the Job controller makes it.
inline Json pod_of(const std::string& job, const Images& images, const Images& init_images = {}) {
    Json pod{{"apiVersion", "v1"},
             {"kind", "Pod"},
             {"metadata",
              {{"generateName", job + "-"},
               {"ownerReferences",
                {{{"apiVersion", "batch/v1"},
                  {"kind", "Job"},
                  {"name", job},
                  {"uid", "job-uid"},
                  {"controller", true}}}}}},
             {"spec", {{"containers", containers(images)}}}};
    if (!init_images.empty()) {
        pod["spec"]["initContainers"] = containers(init_images);
    }
    return pod;
}

inline Owner known(std::optional<std::string> cronjob = std::nullopt, std::string uid = "job-uid") {
    Owner owner;
    owner.state = Owner::State::Known;
    owner.uid = std::move(uid);
    owner.cronjob = std::move(cronjob);
    return owner;
}

inline Owner owner_is(Owner::State state) {
    Owner owner;
    owner.state = state;
    return owner;
}

/// The request of a pod's creation in namespace `default`. Views `document`.
inline admission::Request create_request(const json::Document& document) {
    admission::Request request;
    request.uid = "review-uid";
    request.kind = {"", "v1", "Pod"};
    request.namespace_ = "default";
    request.operation = admission::Operation::Create;
    request.object = document.root();
    return request;
}

struct Outcome {
    Reason reason = Reason::NotApplicable;
    std::string backup;  // that decided
    Images images;       // of the pod, after the patch
    Json pod;            // after the patch
    Json patch = Json::array();
    std::vector<std::string> warnings;
    std::vector<Candidate> candidates;
    admission::Undecided undecided = admission::Undecided::No;
    bool asked = false;  // for the Job's owner
};

class World {
public:
    Settings settings;
    Owner owner = known();  ///< what is answered when the owner is asked for

    void add(const Json& backup) {
        auto document = json::Document::parse(backup.dump());
        ASSERT_TRUE(document.has_value()) << backup;
        ASSERT_TRUE(backups_.apply(document->root()).has_value()) << backup;
    }

    [[nodiscard]] Outcome judge(const Json& pod) const {
        Outcome outcome = judge_once(pod);
        if (!outcome.patch.empty()) {
            const Outcome again = judge_once(outcome.pod);
            EXPECT_EQ(again.reason, Reason::AlreadyRestored) << "on its own output";
            EXPECT_EQ(again.backup, outcome.backup) << "on its own output";
        }
        return outcome;
    }

    [[nodiscard]] std::size_t size() const { return backups_.size(); }

private:
    [[nodiscard]] Outcome judge_once(const Json& pod) const {
        const auto document = json::Document::parse(pod.dump());
        const auto classified = classify(create_request(*document), settings);
        EXPECT_TRUE(classified.has_value()) << pod;
        EXPECT_FALSE(classified->settled.has_value()) << pod;
        Outcome outcome;
        auto view = look(backups_, {classified->pod, Owner{}, settings, true});
        if (!view.decision) {
            outcome.asked = true;
            view = look(backups_, {classified->pod, owner, settings, true});
        }
        return describe(std::move(outcome), view, pod);
    }

    static Outcome describe(Outcome outcome, const View& view, const Json& pod) {
        const Decision& decision = *view.decision;
        outcome.reason = decision.reason;
        outcome.warnings = decision.warnings;
        outcome.candidates = view.candidates;
        outcome.undecided = decision.undecided;
        if (decision.reason == Reason::Restored || decision.reason == Reason::AlreadyRestored) {
            outcome.backup = decision.backup->name();
        }
        outcome.patch = Json::parse(admission::to_json(decision.patch).json);
        outcome.pod = pod.patch(outcome.patch);
        for (const auto* list : {"containers", "initContainers"}) {
            for (const auto& container : outcome.pod["spec"].value(list, Json::array())) {
                outcome.images[container["name"]] = container.value("image", "");
            }
        }
        return outcome;
    }

    std::unique_ptr<log::Output> output_ = log::make_null_output();
    BackupStore backups_{project_backups(log::Logger{"test", {}, *output_})};
};

}  // namespace smw::checkpoint_restore::testing
