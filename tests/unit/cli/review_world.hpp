#pragma once
// The review command with its files, its console, and the cluster that it finds.

#include "cli/commands.hpp"
#include "cli/dispatch.hpp"
#include "support/folder.hpp"

#include <gtest/gtest.h>

#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace smw::cli {

inline constexpr std::string_view kBackup = R"(
apiVersion: migration.dcnlab.com/v1
kind: CheckpointBackup
metadata: {name: good}
spec:
  resourceRef: {apiVersion: batch/v1, kind: Job, name: train}
  containers: [{name: app, image: "app:ckpt"}]
)";
inline constexpr std::string_view kJob = R"(
apiVersion: batch/v1
kind: Job
metadata: {name: train}
spec: {template: {spec: {containers: [{name: app, image: "app:1"}]}}}
)";
inline constexpr std::string_view kBarePod = R"(
apiVersion: v1
kind: Pod
metadata: {name: bare}
spec: {containers: [{name: app, image: "app:1"}]}
)";

class Review : public testing::Test {
protected:
    std::string write(const std::string& name, std::string_view text) const {
        return folder_.write(name, text);
    }

    /// A command judges once: each run has one of its own.
    int run(std::vector<std::string> words, const std::string& input = "") {
        Commands commands;
        const auto find = [this](const client::ClusterSources& sources) {
            sources_.push_back(sources);
            return found_;
        };
        commands.push_back(make_review(find));
        std::istringstream in{input};
        std::ostringstream out;
        std::ostringstream err;
        Console console{in, out, err};
        console.shows_colours = terminal_;
        words.insert(words.begin(), "review");
        const int status = dispatch({std::move(words), environment_}, commands, console);
        out_ = out.str();
        err_ = err.str();
        return status;
    }

    test::Folder folder_;
    /// An API server with this backup and no Jobs.
    void find_cluster_with(std::string_view backup) {
        app::OpenCluster cluster;
        cluster.ask =
            [this, backup](const client::ApiRequest& request) -> client::Answered<json::Document> {
            asked_.push_back(request.verb + " " + request.resource.plural + " " +
                             request.namespace_ + "/" + request.name);
            if (request.verb == "list") {
                return *json::Document::parse(
                    R"({"metadata": {"resourceVersion": "7"}, "items": [)" + std::string{backup} +
                    "]}");
            }
            client::Failure failure;
            failure.error.message = "getting jobs.batch: not found";
            failure.status.code = 404;
            return tl::unexpected(failure);
        };
        found_ = cluster;
    }

    Expected<std::optional<app::OpenCluster>> found_ = std::nullopt;
    std::vector<client::ClusterSources> sources_;
    std::vector<std::string> asked_;
    app::EnvironmentVariables environment_;
    bool terminal_ = false;
    std::string out_;
    std::string err_;
};

}  // namespace smw::cli
