#pragma once
// A cluster in memory: an API server that keeps what it is told and refuses who was overtaken,
// replicas and API servers that hear of it late, clocks that are turned by hand. After each step
// it is asked whether every API server believes every replica.

#include "smw/cert_rotation/rotation.hpp"
#include "smw/cert_rotation/world.hpp"
#include "smw/tls/inspect.hpp"
#include "smw/tls/issue.hpp"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include <chrono>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

namespace smw::cert_rotation::model {

using Json = nlohmann::json;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

inline const std::string kNamespace = "ns";
inline const std::string kService = "svc";
inline const std::string kConfiguration = "pods";
inline const std::string kCaSecret = "Secret/stateful-migration-webhook-ca";
inline const std::string kCertsSecret = "Secret/stateful-migration-webhook-certs";
inline const std::string kOurConfiguration = "MutatingWebhookConfiguration/pods";

std::string base64(const std::string& bytes);
std::string unbase64(const std::string& text);

/// What the API server has, by "Kind/name".
class ApiServer {
public:
    /// As by kubectl: whatever is there is replaced.
    void put(const std::string& path, Json object);
    void remove(const std::string& path);
    /// Changes an object in place, as somebody else would.
    template <class Change>
    void change(const std::string& path, Change change) {
        Json object = objects.at(path);
        change(object);
        put(path, std::move(object));
    }

    /// The HTTP status.
    int write(const Write& write);

    [[nodiscard]] bool has(const std::string& path) const { return objects.contains(path); }
    [[nodiscard]] const Json& get(const std::string& path) const { return objects.at(path); }
    /// Decoded; empty when absent.
    [[nodiscard]] std::string data(const std::string& path, const std::string& key) const;
    [[nodiscard]] std::string annotation(const std::string& path, const std::string& name) const;
    void set_data(const std::string& path, const std::string& key, const std::string& bytes);
    void set_annotation(const std::string& path, const std::string& name, const std::string& text);
    /// Of entry `index` of kOurConfiguration.
    [[nodiscard]] std::string bundle(std::size_t index = 0) const;
    void set_bundle(const std::string& bytes, std::size_t index = 0);

    [[nodiscard]] World world() const;

    std::map<std::string, Json> objects;
    int version = 0;  ///< of the last change

private:
    int store(const std::string& path, Json object);
    int create(const Write& write, const Json& body);
    int patch(const Write& write, const Json& body);
    int apply(const Write& write, const Json& body);
};

/// One webhook of a configuration.
Json entry(const std::string& name, const std::string& service = kService,
           const std::string& bundle = "");
/// Two entries of ours, and one of somebody else between them.
Json configuration();

/// What somebody sees of a text that changes, `delay` after it does.
class Late {
public:
    explicit Late(Duration delay) : delay_(delay) {}
    void hear(const std::string& text, TimePoint now);
    [[nodiscard]] const std::string& sees() const { return seen_; }

private:
    Duration delay_;
    std::deque<std::pair<TimePoint, std::string>> coming_;
    std::string last_;
    std::string seen_;
};

/// One who writes; without memory when made.
using Writer = Rotation;

Settings default_settings();

class Cluster {
public:
    Cluster() : Cluster(default_settings()) {}
    explicit Cluster(Settings wanted);

    /// Time passes, in ticks; after each is looked at the promise.
    void pass(Duration span);
    /// The same at once, while nobody writes.
    void skip(Duration span);

    /// Looks once, and writes what is due. The answer's status; 0: nothing was due.
    int step(Writer& writer);
    /// Does all that is due now; returns how many requests that took.
    int settle(Writer& writer);
    /// Settles, and lets a tick pass, until `span` is over.
    void run(Writer& writer, Duration span);

    /// What is served is not believed by our own doing, or somebody's: it will be again.
    void excuse() { is_believed_ = false; }
    [[nodiscard]] bool is_believed() const { return is_believed_; }

    /// Certificates of a bundle: "used", "next", or their common names.
    [[nodiscard]] std::vector<std::string> subjects(const std::string& pem) const;
    /// CN of ca.crt.
    [[nodiscard]] std::string ca() const;
    [[nodiscard]] std::string next_ca() const;
    [[nodiscard]] std::string issuer_of_leaf() const;

    Settings settings;
    ApiServer api;
    Now now;
    Duration tick = seconds{20};
    std::vector<Plan> written;  ///< what the API server took
    int conflicts = 0;
    std::optional<Plan> resting;  ///< the last plan that had nothing to write

private:
    struct Replica {
        Late certificate;
        std::string chain;  ///< what it serves: the last that it took
        std::string looked_at;
    };
    void hear();
    void look_at_promise();
    [[nodiscard]] bool believes(const std::string& bundle, const std::string& chain);

    std::vector<Replica> replicas_;
    std::vector<Late> trusting_;  ///< API servers
    bool is_believed_ = false;    ///< everybody believes everybody, and has to from now on
    std::map<std::tuple<std::string, std::string, std::int64_t>, bool> judged_;
};

/// A CA of another tool, and what it signed.
struct OtherTool {
    tls::Issued ca;
    tls::Issued leaf;
};
OtherTool other_tool(const Cluster& cluster, const std::string& name = "other");
/// The cluster as that tool left it: served, and trusted.
void install(Cluster& cluster, const OtherTool& tool);
/// All is in place, and the overlap of the first CA is over.
void make_steady(Cluster& cluster);

std::vector<std::string> events(const std::vector<Plan>& plans);

}  // namespace smw::cert_rotation::model
