// What a decision costs beside HTTP and TLS, and what a CheckpointBackup costs in memory. A lookup
// has to cost the same with 1 and with 100,000 backups.
#include "checkpoint_restore/handler.hpp"
#include "checkpoint_restore/resources.hpp"
#include "checkpoint_restore/respond.hpp"
#include "smw/admission/review.hpp"

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <malloc.h>

namespace smw::checkpoint_restore {
namespace {

/// Backup number `index`, as the controller writes it: half of them of CronJobs, 50 a namespace.
std::string backup_text(std::size_t index) {
    const bool cronjob = index % 2 == 1;
    return fmt::format(
        R"({{"apiVersion":"migration.dcnlab.com/v1","kind":"CheckpointBackup",
            "metadata":{{"name":"checkpoint-of-{0}-{1}","namespace":"team-{2}",
                         "creationTimestamp":"2026-11-20T10:00:00Z"}},
            "spec":{{"schedule":"*/5 * * * *",
                     "resourceRef":{{"apiVersion":"batch/v1","kind":"{0}","name":"work-{1}"}},
                     "registry":{{"url":"https://registry.example:5000"}},
                     "containers":[{{"name":"app-container",
                                     "image":"team/application:checkpoint-{1}"}},
                                   {{"name":"sidecar",
                                     "image":"team/log-forwarder:checkpoint-{1}"}}]}},
            "status":{{"lastCheckpointTime":"2026-11-21T10:00:00Z"}}}})",
        cronjob ? "CronJob" : "Job", index, index / 50);
}

/// A pod of that Job as the Job controller of 1.36 makes it, without managedFields.
std::string pod_text(std::string_view job, std::string_view image) {
    return fmt::format(
        R"({{"kind":"Pod","apiVersion":"v1",
            "metadata":{{"generateName":"{0}-","labels":{{"job-name":"{0}","app":"bench"}},
                         "annotations":{{"prometheus.io/scrape":"true"}},
                         "ownerReferences":[{{"apiVersion":"batch/v1","kind":"Job","name":"{0}",
                            "uid":"eae20609-4983-406d-b8ff-530403def392","controller":true,
                            "blockOwnerDeletion":true}}],
                         "finalizers":["batch.kubernetes.io/job-tracking"]}},
            "spec":{{"volumes":[{{"name":"data","emptyDir":{{}}}}],
                     "containers":[{{"name":"app-container","image":"{1}","resources":{{}},
                                     "imagePullPolicy":"IfNotPresent"}},
                                   {{"name":"sidecar","image":"{1}","resources":{{}}}}],
                     "restartPolicy":"Never","schedulerName":"default-scheduler"}},
            "status":{{}}}})",
        job, image);
}

/// A store with `count` backups, and how much it took.
class State {
public:
    explicit State(std::size_t count) {
        const auto before = ::mallinfo2();
        for (std::size_t index = 0; index < count; ++index) {
            const auto document = json::Document::parse(backup_text(index));
            static_cast<void>(backups.apply(document->root()));
        }
        const auto after = ::mallinfo2();
        bytes_per_backup =
            static_cast<double>(after.uordblks - before.uordblks) / static_cast<double>(count);
    }

    std::unique_ptr<log::Output> output = log::make_null_output();
    BackupStore backups{project_backups(log::Logger{"bench", {}, *output})};
    Settings settings;
    double bytes_per_backup = 0;
};

admission::Request request_of(const json::Document& document) {
    admission::Request request;
    request.uid = "705ab4f5-6393-11e8-b7cc-42010a800002";
    request.kind = {"", "v1", "Pod"};
    request.namespace_ = "team-0";
    request.operation = admission::Operation::Create;
    request.object = document.root();
    return request;
}

/// Request value to Response value: all that this system does about a review.
void decide_pod(benchmark::State& bench, const std::string& pod, Reason expected) {
    const State state{static_cast<std::size_t>(bench.range(0))};
    const auto document = json::Document::parse(pod);
    const auto request = request_of(*document);
    Owner owner;
    owner.state = Owner::State::Known;
    for (auto _ : bench) {
        const auto classified = classify(request, state.settings);
        const Owner not_asked;
        const Lookup first{classified->pod, not_asked, state.settings};
        auto view = look(state.backups, first);
        if (!view.decision) {
            const Lookup second{classified->pod, owner, state.settings};
            view = look(state.backups, second);
        }
        if (view.decision->reason != expected) {
            bench.SkipWithError("another reason than expected");
            return;
        }
        auto response = respond(*view.decision);
        benchmark::DoNotOptimize(response);
    }
    bench.counters["bytes_per_backup"] = state.bytes_per_backup;
}

void direct_match_restored(benchmark::State& bench) {
    decide_pod(bench, pod_text("work-0", "nginx:1.19"), Reason::Restored);
}

void direct_match_already_restored(benchmark::State& bench) {
    auto pod = pod_text("work-0", "registry.example:5000/team/application:checkpoint-0");
    const auto second = pod.rfind("application");
    pod.replace(second, 11, "log-forwarder");
    decide_pod(bench, pod, Reason::AlreadyRestored);
}

void cronjob_by_name_restored(benchmark::State& bench) {
    decide_pod(bench, pod_text("work-1-29920782", "nginx:1.19"), Reason::Restored);
}

void no_backup(benchmark::State& bench) {
    decide_pod(bench, pod_text("other", "nginx:1.19"), Reason::NoCheckpointBackup);
}

/// The lookup alone: what is done under the store's lock when a backup decides.
void lookup(benchmark::State& bench) {
    const State state{static_cast<std::size_t>(bench.range(0))};
    const ResourceKey key{"team-0", ResourceKind::Job, "work-0"};
    for (auto _ : bench) {
        auto found = state.backups.read([&key](const BackupIndex& index) {
            const auto backups = index.referring_to(key);
            return backups.begin() == backups.end() ? nullptr : *backups.begin();
        });
        benchmark::DoNotOptimize(found);
    }
}

void add_or_change(benchmark::State& bench) {
    State state{static_cast<std::size_t>(bench.range(0))};
    const auto document = json::Document::parse(backup_text(0));
    for (auto _ : bench) {
        static_cast<void>(state.backups.apply(document->root()));
    }
}

BENCHMARK(lookup)->Arg(1)->Arg(1'000)->Arg(100'000);
BENCHMARK(direct_match_restored)->Arg(1)->Arg(1'000)->Arg(100'000);
BENCHMARK(direct_match_already_restored)->Arg(1)->Arg(1'000)->Arg(100'000);
BENCHMARK(cronjob_by_name_restored)->Arg(2)->Arg(1'000)->Arg(100'000);
BENCHMARK(no_backup)->Arg(1)->Arg(1'000)->Arg(100'000);
BENCHMARK(add_or_change)->Arg(1)->Arg(1'000)->Arg(100'000);

}  // namespace
}  // namespace smw::checkpoint_restore
