#include "client/api_paths.hpp"

#include <gtest/gtest.h>

namespace smw::client {
namespace {

ApiRequest backups(std::string verb) {
    ApiRequest request;
    request.verb = std::move(verb);
    request.resource.group = "migration.dcnlab.com";
    request.resource.version = "v1";
    request.resource.plural = "checkpointbackups";
    return request;
}

TEST(ApiPaths, AreThoseOfTheApi) {
    auto request = backups("list");
    EXPECT_EQ(target_of(request, ""), "/apis/migration.dcnlab.com/v1/checkpointbackups");
    request.namespace_ = "a";
    EXPECT_EQ(target_of(request, ""),
              "/apis/migration.dcnlab.com/v1/namespaces/a/checkpointbackups");
    request.name = "b";
    EXPECT_EQ(target_of(request, "/k8s/clusters/c-1"),
              "/k8s/clusters/c-1/apis/migration.dcnlab.com/v1/namespaces/a/checkpointbackups/b");
    ApiRequest core;
    core.resource.version = "v1";
    core.resource.plural = "pods";
    EXPECT_EQ(target_of(core, ""), "/api/v1/pods");
    core.name = "x";
    EXPECT_EQ(target_of(core, ""), "/api/v1/pods/x");
}

TEST(ApiPaths, AreEncoded) {
    auto request = backups("list");
    request.namespace_ = "../a b";
    request.name = "x?y#z\n\xc3\xa4";
    request.query = {{"limit", "500"}, {"continue", "a+b/c=&d"}, {"k ey", ""}};
    EXPECT_EQ(target_of(request, ""),
              "/apis/migration.dcnlab.com/v1/namespaces/..%2Fa%20b/checkpointbackups/"
              "x%3Fy%23z%0A%C3%A4?limit=500&continue=a%2Bb%2Fc%3D%26d&k%20ey=");
    EXPECT_EQ(percent_encode("aZ09-._~"), "aZ09-._~");
}

TEST(ApiPaths, WantNamesThatAreNames) {
    const struct {
        const char* verb;
        const char* in;
        const char* name;
        bool good;
    } cases[] = {
        {"list", "", "", true},       {"watch", "a", "", true},   {"get", "", "a", true},
        {"get", "a", "a", true},      {"get", "a", "...", true},  {"get", "a", ".a", true},
        {"get", "a", "", false},      {"get", "", "", false},     {"get", "a", ".", false},
        {"get", "a", "..", false},    {"get", ".", "a", false},   {"get", "..", "a", false},
        {"list", "..", "", false},    {"list", ".", "", false},   {"watch", "..", "", false},
        {"watch", "a", ".", false},   {"create", "a", "", true},  {"update", "a", "x", true},
        {"patch", "", "x", true},     {"delete", "a", "x", true}, {"create", "..", "", false},
        {"update", "a", "", false},   {"patch", "a", "", false},  {"delete", "a", "", false},
        {"delete", "a", "..", false}, {"patch", ".", "x", false},
    };
    for (const auto& [verb, in, name, good] : cases) {
        auto request = backups(verb);
        request.namespace_ = in;
        request.name = name;
        const auto checked = check_names(request);
        EXPECT_EQ(checked.has_value(), good) << verb << " " << in << "/" << name;
        if (!checked) {
            EXPECT_EQ(checked.error().code, Code::BadRequest);
            EXPECT_EQ(checked.error().message, "this is no name");
        }
    }
}

TEST(ApiPaths, HaveNoNameOfWhatIsCreated) {
    auto request = backups("create");
    request.name = "x";
    const auto checked = check_names(request);
    ASSERT_FALSE(checked);
    EXPECT_EQ(checked.error().message, "the name of what is created belongs in its body");
    request.name = "";
    request.namespace_ = "a";
    request.query = {{"fieldManager", "stateful-migration-webhook"}};
    EXPECT_EQ(target_of(request, ""),
              "/apis/migration.dcnlab.com/v1/namespaces/a/checkpointbackups"
              "?fieldManager=stateful-migration-webhook");
}

TEST(ApiPaths, HaveAMethodForEveryVerb) {
    const struct {
        const char* verb;
        const char* method;
        const char* gerund;
    } cases[] = {
        {"get", "GET", "getting"},        {"list", "GET", "listing"},
        {"watch", "GET", "watching"},     {"create", "POST", "creating"},
        {"update", "PUT", "updating"},    {"patch", "PATCH", "patching"},
        {"delete", "DELETE", "deleting"},
    };
    for (const auto& [verb, method, gerund] : cases) {
        EXPECT_EQ(method_of(verb), method);
        EXPECT_EQ(is_write(verb), std::string_view{method} != "GET");
        EXPECT_EQ(describe(backups(verb)),
                  std::string{gerund} + " checkpointbackups.migration.dcnlab.com");
    }
}

TEST(ApiPaths, AskForMetadataWithTheWholeObjectAsFallback) {
    auto request = backups("list");
    EXPECT_EQ(accept_of(request), "application/json");
    request.metadata_only = true;
    EXPECT_EQ(accept_of(request),
              "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io,application/json");
    for (const char* verb : {"get", "watch"}) {
        request.verb = verb;
        EXPECT_EQ(accept_of(request),
                  "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io,application/json");
    }
}

TEST(ApiPaths, AreSaidInWords) {
    auto request = backups("list");
    EXPECT_EQ(describe(request), "listing checkpointbackups.migration.dcnlab.com");
    request.namespace_ = "a";
    EXPECT_EQ(describe(request), "listing checkpointbackups.migration.dcnlab.com in namespace a");
    request.verb = "watch";
    EXPECT_EQ(describe(request), "watching checkpointbackups.migration.dcnlab.com in namespace a");
    request.verb = "get";
    request.resource.group = "";
    request.resource.plural = "pods";
    request.name = "train-\n1";
    EXPECT_EQ(describe(request), "getting pods train-?1 in namespace a");
}

}  // namespace
}  // namespace smw::client
