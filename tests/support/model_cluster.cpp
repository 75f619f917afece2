#include "support/model_cluster.hpp"

#include <algorithm>
#include <chrono>

namespace smw::test {

namespace {

using Json = nlohmann::json;
using std::chrono::milliseconds;

constexpr std::string_view kBackups = "/apis/migration.dcnlab.com/v1/checkpointbackups";
constexpr std::string_view kJobs = "/apis/batch/v1/namespaces/";
constexpr std::size_t kLeastPage = 1;

std::string key_of(const Json& object) {
    const auto& metadata = object["metadata"];
    return metadata["namespace"].get<std::string>() + "/" + metadata["name"].get<std::string>();
}

ApiReply json_reply(const Json& json) {
    ApiReply reply;
    reply.body = json.dump();
    return reply;
}

Json status(int code, const std::string& reason) {
    return {{"kind", "Status"}, {"apiVersion", "v1"}, {"status", "Failure"},
            {"code", code},     {"reason", reason},   {"message", "as the soak wants it"}};
}

bool is_of_connections(Fault fault) {
    return fault <= Fault::Bookmark;
}

}  // namespace

std::string_view to_string(Fault fault) {
    constexpr std::string_view kNames[] = {"Cut",
                                           "CutInALine",
                                           "CloseInOrder",
                                           "Silence",
                                           "GoneInStream",
                                           "ErrorInStream",
                                           "Garbage",
                                           "NoMetadata",
                                           "UnknownType",
                                           "Duplicate",
                                           "Bookmark",
                                           "GoneAtOpen",
                                           "TooManyRequests",
                                           "InternalError",
                                           "Unavailable",
                                           "GatewayTimeout",
                                           "TooLargeVersion",
                                           "Forbidden",
                                           "Unauthorized",
                                           "NotFound",
                                           "Redirect",
                                           "NotJson",
                                           "CutBody",
                                           "Slow",
                                           "ExpiredPage"};
    static_assert(std::size(kNames) == kFaults);
    return kNames[static_cast<std::size_t>(fault)];
}

/// One stream, on its connection's thread; what it holds is touched under the cluster's lock.
struct ModelCluster::Watch {
    std::uint64_t generation = 0;
    std::uint64_t version = 0;  ///< told up to here
    std::deque<Json> initial;
    bool initial_end = false;
    std::deque<Step> steps;  ///< to be done before anything else
    std::string last;
};

void ModelCluster::record(std::string type, Json object) {
    history_.push_back(Event{version_, std::move(type), std::move(object)});
    changed_.notify_all();
}

void ModelCluster::put_backup(Json backup) {
    const std::scoped_lock lock{mutex_};
    backup["metadata"]["resourceVersion"] = std::to_string(++version_);
    const auto [place, fresh] = backups_.insert_or_assign(key_of(backup), backup);
    record(fresh ? "ADDED" : "MODIFIED", std::move(backup));
}

void ModelCluster::erase_backup(const std::string& namespace_, const std::string& name) {
    const std::scoped_lock lock{mutex_};
    const auto found = backups_.find(namespace_ + "/" + name);
    if (found == backups_.end()) {
        return;
    }
    Json last = std::move(found->second);
    backups_.erase(found);
    last["metadata"]["resourceVersion"] = std::to_string(++version_);
    record("DELETED", std::move(last));
}

void ModelCluster::put_job(Json job) {
    const std::scoped_lock lock{mutex_};
    jobs_.insert_or_assign(key_of(job), std::move(job));
}

void ModelCluster::compact() {
    const std::scoped_lock lock{mutex_};
    // A version of its own, so that even who has seen everything is behind.
    compacted_ = ++version_;
    pages_.clear();
}

void ModelCluster::inject(Fault fault, int times) {
    const std::scoped_lock lock{mutex_};
    fault_ = fault;
    times_ = is_of_connections(fault) ? 1 : times;
    if (!is_of_connections(fault)) {
        ++generation_;  // so that there is a new request
    }
    changed_.notify_all();
}

bool ModelCluster::fault_pending() const {
    const std::scoped_lock lock{mutex_};
    return times_ > 0;
}

void ModelCluster::heal() {
    const std::scoped_lock lock{mutex_};
    times_ = 0;
    changed_.notify_all();
}

std::vector<Json> ModelCluster::objects() const {
    const std::scoped_lock lock{mutex_};
    std::vector<Json> all;
    for (const auto* kind : {&backups_, &jobs_}) {
        for (const auto& [key, object] : *kind) {
            all.push_back(object);
        }
    }
    return all;
}

ApiReply ModelCluster::answer(const ApiCall& call) {
    if (call.path == kBackups) {
        return backups(call);
    }
    if (call.path.starts_with(kJobs)) {
        return job(call.path.substr(kJobs.size()));
    }
    return status_reply(404, "NotFound");
}

/// `path`: "namespace/jobs/name".
ApiReply ModelCluster::job(const std::string& path) const {
    const auto slash = path.find('/');
    const auto name = path.substr(path.rfind('/') + 1);
    const std::scoped_lock lock{mutex_};
    const auto found = jobs_.find(path.substr(0, slash) + "/" + name);
    return found == jobs_.end() ? status_reply(404, "NotFound") : json_reply(found->second);
}

ApiReply ModelCluster::backups(const ApiCall& call) {
    const bool watching = call.parameter("watch") == "1" || call.parameter("watch") == "true";
    const std::scoped_lock lock{mutex_};
    ApiReply spoilt;
    if (spoil(spoilt, watching)) {
        return spoilt;
    }
    return watching ? watch(call) : list(call);
}

bool ModelCluster::spoil(ApiReply& reply, bool watching) {
    if (times_ == 0 || is_of_connections(fault_)) {
        return false;
    }
    const Fault fault = fault_;
    if (fault == Fault::ExpiredPage && watching) {
        return false;  // befalls lists; compact() makes one necessary
    }
    if (fault == Fault::ExpiredPage) {
        pages_.clear();
    }
    --times_;
    switch (fault) {
        case Fault::GoneAtOpen:
        case Fault::ExpiredPage:
            reply = status_reply(410, "Expired");
            return true;
        case Fault::TooManyRequests:
            reply = status_reply(429, "TooManyRequests", "storage is (re)initializing");
            return true;
        case Fault::InternalError:
            reply = status_reply(500, "InternalError");
            return true;
        case Fault::Unavailable:
            reply = status_reply(503, "ServiceUnavailable");
            return true;
        case Fault::GatewayTimeout:
            reply = status_reply(504, "Timeout");
            return true;
        case Fault::TooLargeVersion: {
            Json too_large = status(504, "Timeout");
            too_large["details"]["causes"] = {
                {{"reason", "ResourceVersionTooLarge"}, {"message", "Too large resource version"}}};
            reply = json_reply(too_large);
            reply.status = 504;
            return true;
        }
        case Fault::Forbidden:
            reply = status_reply(403, "Forbidden");
            return true;
        case Fault::Unauthorized:
            reply = status_reply(401, "Unauthorized");
            return true;
        case Fault::NotFound:
            reply.status = 404;
            reply.content_type = "text/plain; charset=utf-8";
            reply.body = "404 page not found\n";
            return true;
        case Fault::Redirect:
            reply.status = 302;
            reply.headers.emplace("Location", "https://127.0.0.1:1/elsewhere");
            return true;
        case Fault::NotJson:
            reply.content_type = "text/html";
            reply.body = "<html>a captive portal</html>";
            return true;
        case Fault::CutBody:
            reply.stream = steps({Send{R"({"kind": "CheckpointBackupList", "items": [)"}, Cut{}});
            return true;
        case Fault::Slow:
            reply.stream = steps({Sleep{milliseconds{30}}, Cut{}});
            return true;
        default:
            return false;
    }
}

ApiReply ModelCluster::list(const ApiCall& call) {
    const std::string token = call.parameter("continue");
    std::vector<Json> rest;
    std::string version = std::to_string(version_);
    if (token.empty()) {
        for (const auto& [key, backup] : backups_) {
            rest.push_back(backup);
        }
    } else {
        const auto found = pages_.find(token);
        if (found == pages_.end()) {
            return status_reply(410, "Expired", "the provided continue parameter is too old");
        }
        rest = std::move(found->second);
        pages_.erase(found);
        version = token.substr(0, token.find(':'));  // all pages are of one version
    }
    const std::string asked = call.parameter("limit");
    const auto limit = asked.empty() ? rest.size() : std::max(kLeastPage, std::stoul(asked));
    Json page{{"kind", "CheckpointBackupList"}, {"apiVersion", "migration.dcnlab.com/v1"}};
    page["metadata"]["resourceVersion"] = version;
    page["items"] = Json::array();
    for (std::size_t at = 0; at < std::min(limit, rest.size()); ++at) {
        page["items"].push_back(rest[at]);
    }
    if (rest.size() > limit) {
        const std::string next = version + ":" + std::to_string(++tokens_);
        page["metadata"]["continue"] = next;
        rest.erase(rest.begin(), rest.begin() + static_cast<std::ptrdiff_t>(limit));
        pages_.emplace(next, std::move(rest));
    }
    return json_reply(page);
}

ApiReply ModelCluster::watch(const ApiCall& call) {
    const bool initial = call.parameter("sendInitialEvents") == "true";
    if (initial && !streaming_lists_) {
        return status_reply(422, "Invalid", "sendInitialEvents is forbidden for watch unless ...");
    }
    auto state = std::make_shared<Watch>();
    state->generation = generation_;
    if (initial) {
        state->version = version_;
        state->initial_end = true;
        for (const auto& [key, backup] : backups_) {
            state->initial.push_back(backup);
        }
    } else {
        state->version = std::stoull(call.parameter("resourceVersion"));
        if (state->version < compacted_) {
            // As 1.36 does it: in a stream that begins with 200.
            ApiReply gone;
            gone.stream = steps({Send{line("ERROR", status(410, "Expired"))}});
            return gone;
        }
    }
    ApiReply reply;
    reply.stream = [this, state] {
        return next(*state);
    };
    return reply;
}

std::string ModelCluster::line(const std::string& type, const Json& object) const {
    return Json{{"type", type}, {"object", object}}.dump() + "\n";
}

/// Called without the lock, on the connection's thread.
Step ModelCluster::next(Watch& watch) {
    std::unique_lock lock{mutex_};
    if (!watch.steps.empty()) {
        Step step = std::move(watch.steps.front());
        watch.steps.pop_front();
        return step;
    }
    if (watch.generation != generation_) {
        return Cut{};
    }
    if (times_ > 0 && is_of_connections(fault_)) {
        times_ = 0;
        return live_fault(watch);
    }
    if (!watch.initial.empty()) {
        watch.last = line("ADDED", watch.initial.front());
        watch.initial.pop_front();
        return Send{watch.last};
    }
    Json bookmark{{"kind", "CheckpointBackup"}, {"apiVersion", "migration.dcnlab.com/v1"}};
    if (watch.initial_end) {
        watch.initial_end = false;
        watch.last.clear();  // older than this bookmark: no API server says it again
        bookmark["metadata"]["resourceVersion"] = std::to_string(watch.version);
        bookmark["metadata"]["annotations"]["k8s.io/initial-events-end"] = "true";
        return Send{line("BOOKMARK", bookmark)};
    }
    for (const auto& event : history_) {
        if (event.version > watch.version) {
            watch.version = event.version;
            watch.last = line(event.type, event.object);
            return Send{watch.last};
        }
    }
    changed_.wait_for(lock, milliseconds{20});
    return Sleep{milliseconds{0}};
}

Step ModelCluster::live_fault(Watch& watch) {
    const auto then = [&watch](Step first, std::vector<Step> rest) {
        watch.steps.insert(watch.steps.end(), rest.begin(), rest.end());
        return first;
    };
    switch (fault_) {
        case Fault::CutInALine:
            return then(Send{R"({"type": "DELETED", "object": {"metadata": {"na)"}, {Cut{}});
        case Fault::CloseInOrder:
            return Close{};
        case Fault::Silence:
            return Hold{};
        case Fault::GoneInStream:
            return then(Send{line("ERROR", status(410, "Expired"))}, {Close{}});
        case Fault::ErrorInStream:
            return then(Send{line("ERROR", status(500, "InternalError"))}, {Close{}});
        case Fault::Garbage:
            return then(Send{"}{ not JSON\n"}, {Hold{}});
        case Fault::NoMetadata:
            return then(Send{line("DELETED", Json{{"kind", "CheckpointBackup"}})}, {Hold{}});
        case Fault::UnknownType:
            return then(Send{line("RENAMED", Json::object())}, {Hold{}});
        case Fault::Duplicate:
            return watch.last.empty() ? Step{Sleep{milliseconds{0}}} : Step{Send{watch.last}};
        case Fault::Bookmark: {
            Json bookmark{{"kind", "CheckpointBackup"}};
            bookmark["metadata"]["resourceVersion"] = std::to_string(watch.version);
            const bool initial = watch.initial_end;  // none of ours before the initial events end
            return initial ? Step{Sleep{milliseconds{0}}} : Step{Send{line("BOOKMARK", bookmark)}};
        }
        default:
            return Cut{};
    }
}

}  // namespace smw::test
