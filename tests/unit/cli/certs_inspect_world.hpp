#pragma once
// `certs inspect` with a folder to look at, and a cluster.

#include "smw/base/base64.hpp"
#include "unit/cli/certs_world.hpp"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace smw::cli::test {

inline constexpr auto kFqdn = "stateful-migration-webhook-service.ns.svc";

class CertsInspect : public Certs {
protected:
    CertsInspect() {
        EXPECT_EQ(run({"issue", "--out", path("d"), "--service-namespace", "ns"}), 0);
    }

    int inspect(std::vector<std::string> words, const std::string& input = "") {
        words.insert(words.begin(), "inspect");
        const int status = run(std::move(words), input);
        for (const auto* file : {"d/tls.key", "d/ca.key"}) {
            if (const auto key = read(file); key.size() > 60) {
                EXPECT_THAT(out_ + err_, testing::Not(testing::HasSubstr(key.substr(40, 20))));
            }
        }
        EXPECT_THAT(out_ + err_, testing::Not(testing::HasSubstr("BEGIN")));
        return status;
    }
    nlohmann::json inspect_json(std::vector<std::string> words) {
        words.insert(words.end(), {"-o", "json"});
        status_ = inspect(std::move(words));
        EXPECT_EQ(std::count(out_.begin(), out_.end(), '\n'), 1) << out_;
        return nlohmann::json::parse(out_);
    }

    /// A cluster with these objects, by "plural namespace/name"; all else is not found.
    void serve(std::map<std::string, std::string> objects) {
        app::OpenCluster cluster;
        cluster.warnings = {"a warning"};
        cluster.ask =
            [this, objects = std::move(objects)](
                const client::ApiRequest& request) -> client::Answered<smw::json::Document> {
            EXPECT_EQ(request.verb, "get");
            const auto key =
                request.resource.plural + " " + request.namespace_ + "/" + request.name;
            asked_.push_back(key);
            if (const auto found = objects.find(key); found != objects.end()) {
                return *smw::json::Document::parse(found->second);
            }
            client::Failure failure;
            failure.error.message = "getting " + key + ": not found";
            failure.status.code = 404;
            failure.status.reason = "NotFound";
            return tl::unexpected(failure);
        };
        found_ = cluster;
    }
    [[nodiscard]] std::string secret(const std::vector<std::string>& names) const {
        nlohmann::json object{{"kind", "Secret"}, {"data", nlohmann::json::object()}};
        for (const auto& name : names) {
            object["data"][name] = encode_base64(read("d/" + name));
        }
        return object.dump();
    }

    std::vector<std::string> asked_;
    int status_ = 0;
};

}  // namespace smw::cli::test
