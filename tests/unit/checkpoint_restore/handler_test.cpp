// The handler around the decision: waiting, asking, answering, and the log lines of section 5.
#include "checkpoint_restore/handler.hpp"

#include "world.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <gmock/gmock.h>

#include <thread>

namespace smw::checkpoint_restore {
namespace {

namespace asio = boost::asio;
using testing::backup_of;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::Json;
using testing::known;
using testing::owner_is;
using ::testing::Pair;
using testing::pod_of;
using ::testing::StartsWith;

/// Keeps the lines, without their timestamps.
class Lines final : public log::Output {
public:
    void write(log::Level, std::string line) override {
        lines.push_back(line.substr(line.find('\t') + 1));
    }
    [[nodiscard]] std::uint64_t dropped() const override { return 0; }

    std::vector<std::string> lines;
};

class FixedJobs final : public JobLookup {
public:
    Task<Owner> owner_of(kube::ObjectKey job, std::string uid, Deadline deadline) override {
        asked.push_back(job.namespace_ + "/" + job.name + "/" + uid);
        until = deadline;
        co_return answer;
    }

    Owner answer = known();
    std::vector<std::string> asked;
    Deadline until = Deadline::never();
};

class Handler : public ::testing::Test {
protected:
    void add(const Json& backup) {
        const auto parsed = json::Document::parse(backup.dump());
        ASSERT_TRUE(backups.apply(parsed->root()).has_value());
    }

    Expected<admission::Response> review(const Json& pod, bool dry_run = false) {
        document = json::Document::parse(pod.dump());
        auto request = testing::create_request(*document);
        request.dry_run = dry_run;
        return handle(request);
    }

    Expected<admission::Response> handle(const admission::Request& request) {
        log::Settings log_settings;
        log_settings.level = level;
        const PodMutator::Parts parts{settings, backups, synced, jobs,
                                      log::Logger{"pod-mutator", log_settings, output}};
        PodMutator handler{parts};
        Expected<admission::Response> answer;
        asio::io_context context;
        auto done = [&answer](std::exception_ptr failure, Expected<admission::Response> response) {
            ASSERT_FALSE(failure);
            answer = std::move(response);
        };
        asio::co_spawn(context, handler.handle(request, deadline), done);
        context.run();
        return answer;
    }

    static std::string reason_of(const Expected<admission::Response>& response) {
        return std::string{kReasons.at(response->reason)};
    }

    Settings settings;
    std::unique_ptr<log::Output> quiet = log::make_null_output();
    BackupStore backups{project_backups(log::Logger{"test", {}, *quiet})};
    async::Latch synced;
    FixedJobs jobs;
    Lines output;
    log::Level level = log::Level::Info;
    Deadline deadline = Deadline::after(std::chrono::seconds{5});
    Expected<json::Document> document = fail(Code::Internal, "no review yet");
};

Json train_backup() {
    return backup_of("Job", "train", "train-backup", {{"app", "nginx:cp"}});
}

TEST_F(Handler, IsNamedAfterItsSystemAndHasTheClosedSetOfReasons) {
    const PodMutator::Parts parts{settings, backups, synced, jobs,
                                  log::Logger{"pod-mutator", {}, output}};
    const PodMutator handler{parts};
    EXPECT_EQ(handler.name(), "checkpoint-restore");
    EXPECT_THAT(handler.reasons(),
                ElementsAre("restored", "already-restored", "no-image-for-containers",
                            "no-checkpoint-backup", "not-applicable", "not-from-job",
                            "skipped-by-annotation", "self-test", "job-gone", "owner-unknown",
                            "cache-not-synced", "patch-refused"));
}

TEST_F(Handler, AnswersWithAPatchAndAuditAnnotations) {
    synced.set();
    add(train_backup());
    const auto response = review(pod_of("train", {{"app", "nginx:1.19"}}));
    ASSERT_TRUE(response.has_value());
    EXPECT_TRUE(response->allowed);
    EXPECT_EQ(reason_of(response), "restored");
    ASSERT_TRUE(response->patch.has_value());
    EXPECT_EQ(response->patch->json,
              R"([{"op":"replace","path":"/spec/containers/0/image","value":"nginx:cp"}])");
    EXPECT_THAT(
        response->audit_annotations,
        ElementsAre(Pair("reason", "restored"), Pair("checkpoint-backup", "default/train-backup")));
    EXPECT_THAT(response->warnings, IsEmpty());
    EXPECT_EQ(response->undecided, admission::Undecided::No);
}

/// The API server refuses another value under the same key when it calls again.
TEST_F(Handler, AnswersWithTheSameAuditAnnotationsWhenCalledAgain) {
    synced.set();
    add(train_backup());
    const auto first = review(pod_of("train", {{"app", "nginx:1.19"}}));
    const auto again = review(pod_of("train", {{"app", "nginx:cp"}}));
    EXPECT_EQ(reason_of(again), "already-restored");
    EXPECT_FALSE(again->patch.has_value());
    EXPECT_EQ(again->audit_annotations, first->audit_annotations);
}

TEST_F(Handler, AnswersDryRunsAlike) {
    synced.set();
    add(train_backup());
    const auto pod = pod_of("train", {{"app", "nginx:1.19"}});
    const auto wet = review(pod);
    const auto dry = review(pod, true);
    EXPECT_EQ(dry->patch, wet->patch);
    EXPECT_EQ(dry->audit_annotations, wet->audit_annotations);
}

TEST_F(Handler, NamesTheReasonOfAnUnchangedPodForTheAudit) {
    synced.set();
    const auto response = review(pod_of("train", {{"app", "nginx:1.19"}}));
    EXPECT_THAT(response->audit_annotations, ElementsAre(Pair("reason", "no-checkpoint-backup")));
}

TEST_F(Handler, AnswersASelfTestWithItsVersionAndTheNonce) {
    auto pod = pod_of("train", {{"app", "nginx:1.19"}});
    pod["metadata"]["annotations"]["migration.dcnlab.com/self-test"] = "n-42";
    add(train_backup());
    // Not synced: a self-test needs no state.
    const auto response = review(pod, true);
    EXPECT_EQ(reason_of(response), "self-test");
    EXPECT_FALSE(response->patch.has_value());
    ASSERT_EQ(response->warnings.size(), 1U);
    EXPECT_THAT(response->warnings[0],
                ::testing::MatchesRegex("stateful-migration-webhook [0-9.]+ answered n-42"));
}

TEST_F(Handler, PassesOnWhatNobodyCanRead) {
    auto pod = pod_of("train", {});
    pod["spec"] = 5;
    const auto response = review(pod);
    ASSERT_FALSE(response.has_value());
    EXPECT_EQ(response.error().code, Code::BadRequest);
}

TEST_F(Handler, SettlesWithoutStateWhatNeedsNone) {
    auto pod = pod_of("train", {});
    pod["metadata"].erase("ownerReferences");
    EXPECT_EQ(reason_of(review(pod)), "not-from-job");
}

TEST_F(Handler, IsUndecidedWhenTheCacheIsNotSyncedInTime) {
    deadline = Deadline::after(std::chrono::milliseconds{5});
    const auto response = review(pod_of("train", {{"app", "nginx:1.19"}}));
    EXPECT_EQ(reason_of(response), "cache-not-synced");
    EXPECT_TRUE(response->allowed);
    EXPECT_EQ(response->undecided, admission::Undecided::Timeout);
    EXPECT_THAT(response->warnings, ElementsAre(HasSubstr("not read yet")));
}

TEST_F(Handler, WaitsForTheCache) {
    add(train_backup());
    std::thread source{[this] {
        synced.set();
    }};
    const auto response = review(pod_of("train", {{"app", "nginx:1.19"}}));
    source.join();
    EXPECT_EQ(reason_of(response), "restored");
}

TEST_F(Handler, AsksForTheJobWithinTheDeadline) {
    synced.set();
    add(backup_of("CronJob", "nightly", "cron", {{"app", "nginx:cp"}}));
    jobs.answer = known("nightly");
    const auto response = review(pod_of("manual", {{"app", "nginx:1.19"}}));
    EXPECT_EQ(reason_of(response), "restored");
    EXPECT_THAT(jobs.asked, ElementsAre("default/manual/job-uid"));
    EXPECT_EQ(jobs.until, deadline);
}

TEST_F(Handler, DoesNotAskForTheJobWhenADirectMatchIsUsable) {
    synced.set();
    add(train_backup());
    add(backup_of("CronJob", "nightly", "cron", {{"app", "nginx:cp"}}));
    EXPECT_EQ(reason_of(review(pod_of("train", {{"app", "nginx:1.19"}}))), "restored");
    EXPECT_THAT(jobs.asked, IsEmpty());
}

TEST_F(Handler, IsUndecidedWhenTheOwnerIsUnknown) {
    synced.set();
    add(backup_of("CronJob", "nightly", "cron", {{"app", "nginx:cp"}}));
    jobs.answer = owner_is(Owner::State::Refused);
    const auto response = review(pod_of("nightly-x", {{"app", "nginx:1.19"}}));
    EXPECT_EQ(reason_of(response), "owner-unknown");
    EXPECT_EQ(response->undecided, admission::Undecided::Error);
    EXPECT_EQ(response->warnings.size(), 1U);
}

/// People grep these.
TEST_F(Handler, LogsARestoredPodInExactlyTheseLines) {
    synced.set();
    add(train_backup());
    static_cast<void>(review(pod_of("train", {{"app", "nginx:1.19"}})));
    EXPECT_THAT(
        output.lines,
        ElementsAre(
            "INFO\tpod-mutator\tProcessing pod mutation\t"
            R"({"pod": "train-", "namespace": "default", "uid": "review-uid"})",
            "INFO\tpod-mutator\tPod is from Job\t"
            R"({"job": "train", "pod": "train-", "uid": "review-uid"})",
            "INFO\tpod-mutator\tFound matching CheckpointBackup\t"
            R"({"backup": "train-backup", "uid": "review-uid"})",
            "INFO\tpod-mutator\tPatching container image\t"
            R"({"container": "app", "originalImage": "nginx:1.19", "newImage": "nginx:cp", )"
            R"("uid": "review-uid"})",
            "INFO\tpod-mutator\tApplying image patches\t"
            R"({"patches": "[{\"op\":\"replace\",\"path\":\"/spec/containers/0/image\",)"
            R"(\"value\":\"nginx:cp\"}]", "uid": "review-uid"})"));
}

TEST_F(Handler, EndsTheLogOfAnUnchangedJobPodWithItsReason) {
    synced.set();
    static_cast<void>(review(pod_of("train", {{"app", "nginx:1.19"}})));
    ASSERT_EQ(output.lines.size(), 3U);
    EXPECT_EQ(output.lines.back(),
              "INFO\tpod-mutator\tPod left unchanged\t"
              R"({"pod": "train-", "namespace": "default", "reason": "no-checkpoint-backup", )"
              R"("uid": "review-uid", "job": "train"})");
}

TEST_F(Handler, LogsPodsOfNoJobAtDebugOnly) {
    synced.set();
    auto pod = pod_of("train", {});
    pod["metadata"].erase("ownerReferences");
    static_cast<void>(review(pod));
    EXPECT_THAT(output.lines, IsEmpty());
    level = log::Level::Debug;
    static_cast<void>(review(pod));
    EXPECT_THAT(output.lines, Contains(HasSubstr("Pod left unchanged")).Times(1));
    EXPECT_THAT(output.lines, Contains(StartsWith("DEBUG\tpod-mutator\tPod left unchanged")));
}

TEST_F(Handler, EndsTheLogOfEveryReviewOnce) {
    synced.set();
    level = log::Level::Debug;
    document = json::Document::parse("{}");
    auto request = testing::create_request(*document);
    request.kind.kind = "Deployment";
    static_cast<void>(handle(request));
    EXPECT_THAT(output.lines, Contains(HasSubstr("Pod left unchanged")).Times(1));
    EXPECT_THAT(output.lines.back(), HasSubstr("\"reason\": \"not-applicable\""));
}

TEST_F(Handler, LogsNothingAtWarn) {
    level = log::Level::Warn;
    synced.set();
    add(train_backup());
    static_cast<void>(review(pod_of("train", {{"app", "nginx:1.19"}})));
    static_cast<void>(review(pod_of("other", {{"app", "nginx:1.19"}})));
    EXPECT_THAT(output.lines, IsEmpty());
}

TEST_F(Handler, NamesTheLosersAtDebugLevel) {
    level = log::Level::Debug;
    synced.set();
    add(train_backup());
    add(backup_of("Job", "train", "z-loses", {{"app", "nginx:cp"}, {"absent", "nginx:cp"}}));
    static_cast<void>(review(pod_of("train", {{"app", "nginx:1.19"}})));
    EXPECT_THAT(output.lines,
                Contains("DEBUG\tpod-mutator\tCheckpointBackup not used\t"
                         R"({"backup": "z-loses", "uid": "review-uid", "match": "direct", )"
                         R"("why": "another one has a smaller name"})"));
    EXPECT_THAT(output.lines, Contains(HasSubstr("\"container\": \"absent\"")));
}

/// Jobs of --manifests.
class Manifest : public Handler {
protected:
    Owner owner_of(const std::string& job) {
        ManifestJobs lookup{store, read};
        Owner owner;
        asio::io_context context;
        kube::ObjectKey key;
        key.namespace_ = "default";
        key.name = job;
        auto done = [&owner](std::exception_ptr failure, Owner answer) {
            ASSERT_FALSE(failure);
            owner = std::move(answer);
        };
        asio::co_spawn(context, lookup.owner_of(key, "uid", deadline), done);
        context.run();
        return owner;
    }

    JobStore store{read_job};
    async::Latch read;
};

TEST_F(Manifest, KnowsTheOwnersOfJobsInTheFolder) {
    read.set();
    const auto job = json::Document::parse(
        R"({"metadata": {"name": "manual", "namespace": "default", "uid": "u", "ownerReferences": [
            {"apiVersion": "batch/v1", "kind": "CronJob", "name": "first"},
            {"apiVersion": "batch/v1", "kind": "CronJob", "name": "nightly", "controller": true},
            {"apiVersion": "other/v1", "kind": "CronJob", "name": "x"}]}})");
    ASSERT_TRUE(store.apply(job->root()).has_value());
    EXPECT_EQ(owner_of("manual"), known("nightly", "u"));
}

TEST_F(Manifest, TakesAJobThatIsNotThereForKnownAndWithoutOwner) {
    read.set();
    EXPECT_EQ(owner_of("absent"), known(std::nullopt, ""));
}

TEST_F(Manifest, TakesOwnersThatCannotBeReadAsAbsent) {
    read.set();
    const auto job = json::Document::parse(
        R"({"metadata": {"name": "manual", "namespace": "default", "ownerReferences": 5}})");
    ASSERT_TRUE(store.apply(job->root()).has_value());
    EXPECT_EQ(owner_of("manual"), known(std::nullopt, ""));
}

TEST_F(Manifest, HasNoAnswerWhenTheFolderIsNotReadInTime) {
    deadline = Deadline::after(std::chrono::milliseconds{5});
    EXPECT_EQ(owner_of("manual").state, Owner::State::Unanswered);
}

}  // namespace
}  // namespace smw::checkpoint_restore
