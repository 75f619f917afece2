#pragma once
// Replicas with self-managed certificates at a FakeApiServer that keeps objects as an API server
// does: resourceVersions, merge patches, server-side apply of caBundle, watches.

#include "smw/async/shards.hpp"
#include "smw/async/task_group.hpp"
#include "smw/base/thrown.hpp"
#include "smw/cert_rotation/self_managed.hpp"
#include "smw/watch/cluster.hpp"
#include "support/cluster_config.hpp"
#include "support/eventually.hpp"
#include "support/fake_api_server.hpp"
#include "support/recording_output.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_future.hpp>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace smw::cert_rotation {

using namespace std::chrono_literals;
using Json = nlohmann::json;

inline constexpr auto kCa = "/api/v1/namespaces/ns/secrets/stateful-migration-webhook-ca";
inline constexpr auto kCerts = "/api/v1/namespaces/ns/secrets/stateful-migration-webhook-certs";
inline constexpr auto kConfiguration =
    "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/mutator";

/// Objects by path. Thread-safe.
class ApiObjects {
public:
    using Refusal = std::function<std::optional<test::ApiReply>(const test::ApiCall&)>;

    [[nodiscard]] test::ApiReply answer(const test::ApiCall& call) {
        const std::scoped_lock lock{mutex_};
        if (refuse_) {
            if (auto refusal = refuse_(call)) {
                return *refusal;
            }
        }
        if (call.parameter("watch") == "1") {
            return watch(call);
        }
        if (call.method == "POST") {
            return create(call);
        }
        if (call.method == "GET" && !call.parameter("fieldSelector").empty()) {
            return list(call);
        }
        const auto found = objects_.find(call.path);
        if (found == objects_.end()) {
            return test::status_reply(404, "NotFound");
        }
        return call.method == "GET" ? reply(found->second) : change(call, found->second);
    }

    /// As somebody with kubectl does it; null takes it away.
    void edit(const std::string& path, const std::function<void(Json&)>& edit) {
        const std::scoped_lock lock{mutex_};
        auto object = objects_.contains(path) ? objects_[path] : Json::object();
        edit(object);
        store(path, std::move(object));
    }
    void remove(const std::string& path) {
        edit(path, [](Json& object) { object = nullptr; });
    }
    /// Null: there is none.
    [[nodiscard]] Json get(const std::string& path) const {
        const std::scoped_lock lock{mutex_};
        const auto found = objects_.find(path);
        return found == objects_.end() ? Json{} : found->second;
    }
    /// The same for a Refusal, which is asked under the lock.
    [[nodiscard]] const Json& get_locked(const std::string& path) { return objects_[path]; }
    /// Answers that come instead; no function: none.
    void refuse(Refusal refuse) {
        const std::scoped_lock lock{mutex_};
        refuse_ = std::move(refuse);
    }
    /// Lets watches go, for the server's end.
    void close() {
        const std::scoped_lock lock{mutex_};
        closed_ = true;
        changed_.notify_all();
    }

private:
    struct Change {
        std::string path;
        std::string line;
    };

    static std::string name_in(const test::ApiCall& call) {
        const auto selector = call.parameter("fieldSelector");
        return selector.substr(selector.find('=') + 1);
    }
    [[nodiscard]] static test::ApiReply reply(const Json& object, int status = 200) {
        test::ApiReply reply;
        reply.status = status;
        reply.body = object.dump();
        return reply;
    }
    test::ApiReply list(const test::ApiCall& call) {
        Json list{{"metadata", {{"resourceVersion", std::to_string(changes_.size())}}},
                  {"items", Json::array()}};
        if (const auto found = objects_.find(call.path + "/" + name_in(call));
            found != objects_.end()) {
            list["items"].push_back(found->second);
        }
        return reply(list);
    }
    test::ApiReply watch(const test::ApiCall& call) {
        if (call.parameter("sendInitialEvents") == "true") {
            return test::status_reply(422, "Invalid", "sendInitialEvents is forbidden for watch");
        }
        test::ApiReply reply;
        auto next = std::make_shared<std::size_t>(std::stoul(call.parameter("resourceVersion")));
        reply.stream = [this, next, path = call.path + "/" + name_in(call)]() -> test::Step {
            std::unique_lock lock{mutex_};
            for (;;) {
                for (; *next < changes_.size(); ++*next) {
                    if (changes_[*next].path == path) {
                        return test::Send{changes_[(*next)++].line + "\n"};
                    }
                }
                if (closed_) {
                    return test::Close{};
                }
                if (changed_.wait_for(lock, 1s) == std::cv_status::timeout) {
                    return test::Send{"\n"};
                }
            }
        };
        return reply;
    }
    test::ApiReply create(const test::ApiCall& call) {
        auto object = Json::parse(call.body);
        if (!object["metadata"].contains("name")) {
            object["metadata"]["name"] = "event-" + std::to_string(changes_.size());
        }
        const auto path = call.path + "/" + object["metadata"]["name"].get<std::string>();
        if (objects_.contains(path)) {
            return test::status_reply(409, "AlreadyExists");
        }
        object["metadata"]["uid"] = "u" + std::to_string(changes_.size());
        return reply(store(path, std::move(object)), 201);
    }
    test::ApiReply change(const test::ApiCall& call, Json object) {
        const auto body = Json::parse(call.body);
        const auto& seen = body["metadata"];
        if (seen.contains("resourceVersion") &&
            seen["resourceVersion"] != object["metadata"]["resourceVersion"]) {
            return test::status_reply(409, "Conflict");
        }
        if (call.method == "PUT") {
            object = body;
        } else if (call.header("content-type") == client::kApplyPatch) {
            for (const auto& entry : body["webhooks"]) {
                for (auto& webhook : object["webhooks"]) {
                    if (webhook["name"] == entry["name"]) {
                        webhook.merge_patch(entry);
                    }
                }
            }
        } else {
            object.merge_patch(body);
        }
        return reply(store(call.path, std::move(object)));
    }
    Json store(const std::string& path, Json object) {
        const bool gone = object.is_null();
        const bool known = objects_.contains(path);
        auto shown = gone ? objects_[path] : std::move(object);
        shown["metadata"]["resourceVersion"] = std::to_string(changes_.size() + 1);
        const auto* type = gone ? "DELETED" : known ? "MODIFIED" : "ADDED";
        changes_.push_back({path, Json{{"type", type}, {"object", shown}}.dump()});
        if (gone) {
            objects_.erase(path);
        } else {
            objects_[path] = shown;
        }
        changed_.notify_all();
        return shown;
    }

    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::map<std::string, Json> objects_;
    std::vector<Change> changes_;
    Refusal refuse_;
    bool closed_ = false;
};

/// One process, as far as certificates go.
class CertificateReplica {
public:
    CertificateReplica(const test::FakeApiServer& server, std::string identity)
        : api_(test::config_of(server), clock_, output_.logger()),
          self_managed_(parts(std::move(identity))),
          cluster_(
              {api_, self_managed_.caches(), clock_, output_.logger(), registry_, 10min, {}, 7}) {
        background_.start();
        for (auto& make : self_managed_.tasks()) {
            spawn(std::move(make));
        }
        for (auto& make : cluster_.tasks()) {
            spawn(std::move(make));
        }
    }
    /// In good order.
    ~CertificateReplica() {
        boost::asio::post(background_.executor(), [this] { tasks_.cancel(); });
        const auto end = [this]() -> Task<void> {
            co_await tasks_.join(Deadline::after(test::kPatience));
            co_await self_managed_.release(Deadline::after(test::kPatience));
        };
        boost::asio::co_spawn(background_.executor(), end, boost::asio::use_future).wait();
        background_.stop();
    }
    CertificateReplica(const CertificateReplica&) = delete;
    CertificateReplica& operator=(const CertificateReplica&) = delete;

    /// Of the leaf that is served; empty: none.
    [[nodiscard]] std::string served() const {
        const auto context = self_managed_.serving().contexts().load();
        return context ? context->identity().chain_pem : "";
    }
    [[nodiscard]] std::string problem() const { return self_managed_.problem().value_or(""); }
    [[nodiscard]] std::string log() { return output_.text(); }
    /// Of a metric's series, as exposed.
    [[nodiscard]] bool shows(const std::string& line) const {
        return ("\n" + registry_.expose()).find("\n" + line + "\n") != std::string::npos;
    }

private:
    [[nodiscard]] SelfManaged::Parts parts(std::string identity) {
        Settings rotation;
        rotation.namespace_ = "ns";
        rotation.names = {"webhook.ns.svc"};
        rotation.ca_publish_wait = 1s;
        return {std::move(rotation),
                {"ns", "webhook"},
                {"mutator"},
                {},
                std::move(identity),
                api_,
                clock_,
                output_.logger(),
                registry_};
    }
    void spawn(std::function<Task<void>()> make) {
        boost::asio::post(background_.executor(),
                          [this, make = std::move(make)] { tasks_.spawn(make()); });
    }

    SystemClock clock_;
    test::RecordingOutput output_;
    metrics::Registry registry_;
    async::Shard background_{"background"};
    client::ApiClient api_;
    SelfManaged self_managed_;
    watch::Cluster cluster_;
    async::TaskGroup tasks_{background_.executor(), [](const std::exception_ptr& error) {
                                ADD_FAILURE() << describe_thrown(error);
                            }};
};

class SelfManagedTest : public testing::Test {
protected:
    SelfManagedTest() {
        objects.edit(kConfiguration, [](Json& object) {
            const Json ours{{"service", {{"namespace", "ns"}, {"name", "webhook"}}}};
            const Json other{{"service", {{"namespace", "ns"}, {"name", "other"}}}};
            object["metadata"] = {{"name", "mutator"}, {"uid", "u"}};
            object["webhooks"] = {{{"name", "a.example.com"}, {"clientConfig", ours}},
                                  {{"name", "b.example.com"}, {"clientConfig", other}}};
        });
    }
    ~SelfManagedTest() override {
        replicas.clear();
        objects.close();
    }

    CertificateReplica& start() {
        const auto identity = "replica-" + std::to_string(replicas.size());
        replicas.push_back(std::make_unique<CertificateReplica>(server, identity));
        return *replicas.back();
    }
    [[nodiscard]] Json webhook(std::size_t index) const {
        return objects.get(kConfiguration)["webhooks"][index];
    }
    [[nodiscard]] std::string bundle() const {
        return webhook(0)["clientConfig"].value("caBundle", "");
    }

    ApiObjects objects;
    test::FakeApiServer server{[this](const test::ApiCall& call) {
        return objects.answer(call);
    }};
    std::vector<std::unique_ptr<CertificateReplica>> replicas;
};

}  // namespace smw::cert_rotation
