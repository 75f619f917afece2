#pragma once
// What an API server knows of CheckpointBackups and Jobs, with resource versions, a history that
// can be compacted, and faults: an Answer for FakeApiServer.

#include "support/fake_api_server.hpp"

#include <nlohmann/json.hpp>

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace smw::test {

/// Of lists and watches of CheckpointBackups; Jobs are always told.
enum class Fault {
    // of connections that are open
    Cut,
    CutInALine,
    CloseInOrder,
    Silence,
    // of what comes in a watch
    GoneInStream,
    ErrorInStream,
    Garbage,
    NoMetadata,
    UnknownType,
    Duplicate,
    Bookmark,
    // of what is answered to a new request
    GoneAtOpen,
    TooManyRequests,
    InternalError,
    Unavailable,
    GatewayTimeout,
    TooLargeVersion,
    Forbidden,
    Unauthorized,
    NotFound,
    Redirect,
    NotJson,
    CutBody,
    Slow,
    ExpiredPage,
};
inline constexpr int kFaults = static_cast<int>(Fault::ExpiredPage) + 1;
[[nodiscard]] std::string_view to_string(Fault fault);

/// Thread-safe. Outlives the server that it answers for.
class ModelCluster {
public:
    using Json = nlohmann::json;

    /// Without streaming lists it refuses them as servers before 1.32 do.
    explicit ModelCluster(bool streaming_lists) : streaming_lists_(streaming_lists) {}

    void put_backup(Json backup);
    void erase_backup(const std::string& namespace_, const std::string& name);
    void put_job(Json job);
    /// Old resource versions are gone; who watches already goes on.
    void compact();

    /// The fault befalls whom it can, once or, for answers, `times` times.
    void inject(Fault fault, int times = 1);
    /// Whether the last fault has not befallen anybody yet.
    [[nodiscard]] bool fault_pending() const;
    /// No fault any more, injected or under way.
    void heal();

    /// Everything there is, Jobs too: a fresh list.
    [[nodiscard]] std::vector<Json> objects() const;

    [[nodiscard]] ApiReply answer(const ApiCall& call);

private:
    struct Event {
        std::uint64_t version = 0;
        std::string type;
        Json object;
    };
    struct Watch;

    void record(std::string type, Json object);
    [[nodiscard]] ApiReply job(const std::string& path) const;
    [[nodiscard]] ApiReply backups(const ApiCall& call);
    /// The answer that a pending fault of answers gives, if it gives one.
    [[nodiscard]] bool spoil(ApiReply& reply, bool watching);
    [[nodiscard]] ApiReply list(const ApiCall& call);
    [[nodiscard]] ApiReply watch(const ApiCall& call);
    [[nodiscard]] Step next(Watch& watch);
    [[nodiscard]] Step live_fault(Watch& watch);
    [[nodiscard]] std::string line(const std::string& type, const Json& object) const;

    const bool streaming_lists_;
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::uint64_t version_ = 100;
    std::uint64_t compacted_ = 100;  ///< history starts after this version
    std::map<std::string, Json> backups_;
    std::map<std::string, Json> jobs_;
    std::deque<Event> history_;
    std::map<std::string, std::vector<Json>> pages_;  ///< the rest of a list, by its token
    std::uint64_t tokens_ = 0;
    Fault fault_ = Fault::Cut;
    int times_ = 0;                 ///< how often it has still to befall somebody
    std::uint64_t generation_ = 0;  ///< connections of an older one are cut
};

}  // namespace smw::test
