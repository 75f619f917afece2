#pragma once
// The same decision as the server's, from values: for `review`. Nothing here decides anything; it
// calls what the server calls, and adds the reasons in words. One thread; values own their text.

#include "smw/admission/json_patch.hpp"
#include "smw/admission/review.hpp"
#include "smw/base/error.hpp"
#include "smw/base/option.hpp"
#include "smw/client/api_client.hpp"
#include "smw/json/document.hpp"
#include "smw/watch/manifest_set.hpp"

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace smw::checkpoint_restore {

/// An image that a backup has for a container of the pod.
struct OfferedImage {
    std::string container;
    std::string image;  ///< as it would be written into the pod, registry included
    std::string from;   ///< "spec.containers" or "status.builtImages"
    bool usable = false;
    std::string why;  ///< why it is not usable ("not a valid image reference"), else empty
    friend bool operator==(const OfferedImage&, const OfferedImage&) = default;
};

/// A CheckpointBackup that was looked at.
struct Candidate {
    std::string name;
    std::string resource;  ///< what it refers to: "CronJob nightly"
    std::string match;     ///< "direct", "owner", "name"; empty when it does not match after all
    std::vector<OfferedImage> images;  ///< for containers of this pod, in order of preference
    std::vector<std::string> unknown_containers;  ///< names that it has and the pod lacks
    bool decided = false;                         ///< the one whose images are used
    std::string why;  ///< why it lost, in plain words: "a later checkpoint exists"; else empty
    friend bool operator==(const Candidate&, const Candidate&) = default;
};

/// A container whose image changes.
struct ChangedImage {
    std::string container;
    std::string original;  ///< empty when the pod names none
    std::string image;
    friend bool operator==(const ChangedImage&, const ChangedImage&) = default;
};

struct Judgement {
    std::string_view reason;  ///< of the closed set: "restored", "no-checkpoint-backup"
    std::string namespace_;   ///< where CheckpointBackups were looked for
    std::string pod;          ///< name, else generateName
    std::string job;          ///< empty when the pod belongs to none
    std::string owner;        ///< what is known of the Job's own owner, in plain words;
                              ///< empty when it did not matter
    std::string backup;       ///< name of the one that decided, else empty
    std::vector<ChangedImage> images;
    admission::JsonPatch patch;         ///< empty: the pod stays as it is
    std::vector<Candidate> candidates;  ///< best first; then those that do not match after all
    admission::Response response;       ///< what the server answers
};

/// Asks an API server for one object or one page of a list, and waits for the answer.
using AskApi = std::function<client::Answered<json::Document>(client::ApiRequest request)>;

/// State and settings to judge with.
class Offline {
public:
    Offline();
    ~Offline();
    Offline(const Offline&) = delete;
    Offline& operator=(const Offline&) = delete;

    /// The rows of the server's option table that decide (--namespaces, --cronjob-match, ...);
    /// they write into this object, which outlives them.
    [[nodiscard]] Options options();

    /// Reads a folder of manifests once, as `serve --manifests` does. The problems that it would
    /// report; what could be read is taken. A folder that cannot be read is an error.
    Expected<std::vector<watch::Problem>> load(const std::filesystem::path& folder);

    /// Adds or replaces one object, as if it were in the folder: a CheckpointBackup, or a Job whose
    /// owner shall be known. Other kinds change nothing.
    Expected<void> add(json::Value object);

    /// From now on what was not loaded or added is read from an API server, once, when a judgement
    /// needs it: the CheckpointBackups of a namespace, and the Job of a pod.
    void ask(AskApi api);

    /// Whether CheckpointBackups could come from anywhere: a folder was loaded, one was added, or
    /// an API server is asked.
    [[nodiscard]] bool has_source() const;

    /// What the server answers, and why. What the server refuses with 400 is the same error here;
    /// so is what the API server does not let us read. `request` views a document of the caller's,
    /// which may go afterwards.
    [[nodiscard]] Expected<Judgement> judge(const admission::Request& request);

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace smw::checkpoint_restore
