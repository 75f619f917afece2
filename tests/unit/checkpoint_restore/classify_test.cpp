// What the request alone says: sections 2 and 3.1 of the contract.
#include "checkpoint_restore/classify.hpp"

#include "world.hpp"

#include <gmock/gmock.h>

namespace smw::checkpoint_restore {
namespace {

using ::testing::HasSubstr;
using testing::Json;
using testing::pod_of;
using ::testing::StartsWith;

/// A request with its document.
struct Review {
    explicit Review(const Json& object)
        : document(*json::Document::parse(object.dump())),
          request(testing::create_request(document)) {}

    json::Document document;
    admission::Request request;
};

Classified classify_pod(const Json& pod, const Settings& settings = {}, bool dry_run = false) {
    const Review review{pod};
    auto request = review.request;
    request.dry_run = dry_run;
    auto classified = classify(request, settings);
    EXPECT_TRUE(classified.has_value()) << classified.error().message;
    classified->pod = {};  // views a document that goes now
    return *classified;
}

TEST(Classify, LeavesAloneWhatIsNoPodCreation) {
    const Review review{Json::parse(R"({"metadata": 5})")};
    const auto reason_with = [&](auto change) {
        auto request = review.request;
        change(request);
        const auto classified = classify(request, {});
        return classified ? classified->settled : std::nullopt;
    };
    using admission::Operation;
    using admission::Request;
    EXPECT_EQ(reason_with([](Request& r) { r.kind.kind = "Job"; }), Reason::NotApplicable);
    EXPECT_EQ(reason_with([](Request& r) { r.kind.group = "metrics.k8s.io"; }),
              Reason::NotApplicable);
    EXPECT_EQ(reason_with([](Request& r) { r.sub_resource = "ephemeralcontainers"; }),
              Reason::NotApplicable);
    for (const auto operation :
         {Operation::Update, Operation::Delete, Operation::Connect, Operation::Unknown}) {
        EXPECT_EQ(reason_with([operation](Request& r) {
                      r.operation = operation;
                      r.object.reset();
                  }),
                  Reason::NotApplicable);
    }
}

TEST(Classify, LeavesMirrorPodsAlone) {
    auto pod = pod_of("train", {{"app", "nginx"}});
    pod["metadata"]["annotations"]["kubernetes.io/config.mirror"] = "abc";
    EXPECT_EQ(classify_pod(pod).settled, Reason::NotApplicable);
    pod["metadata"]["annotations"]["kubernetes.io/config.mirror"] = "";
    EXPECT_EQ(classify_pod(pod).settled, Reason::NotApplicable);
    pod["metadata"]["annotations"]["kubernetes.io/config.mirror"] = nullptr;
    EXPECT_EQ(classify_pod(pod).settled, std::nullopt);
}

TEST(Classify, LeavesPodsOutsideNamespacesAlone) {
    const auto pod = pod_of("train", {{"app", "nginx"}});
    Settings settings;
    settings.namespaces = {"batch", "default"};
    EXPECT_EQ(classify_pod(pod, settings).settled, std::nullopt);
    settings.namespaces = {"batch"};
    EXPECT_EQ(classify_pod(pod, settings).settled, Reason::NotApplicable);
}

TEST(Classify, TakesTheNamespaceOfTheRequestThenOfTheObjectThenDefault) {
    auto pod = pod_of("train", {{"app", "nginx"}});
    const auto namespace_of = [](const Json& object, std::string_view requested) {
        const Review review{object};
        auto request = review.request;
        request.namespace_ = requested;
        return std::string{classify(request, {})->pod.namespace_};
    };
    EXPECT_EQ(namespace_of(pod, "team"), "team");
    EXPECT_EQ(namespace_of(pod, ""), "default");
    pod["metadata"]["namespace"] = "";
    EXPECT_EQ(namespace_of(pod, ""), "default");
    pod["metadata"]["namespace"] = "own";
    EXPECT_EQ(namespace_of(pod, ""), "own");
    EXPECT_EQ(namespace_of(pod, "team"), "team");
}

TEST(Classify, CallsAPodWithoutNameByItsGenerateName) {
    auto pod = pod_of("train", {});
    const auto name_of = [](const Json& object) {
        const Review review{object};
        return std::string{classify(review.request, {})->pod.name};
    };
    EXPECT_EQ(name_of(pod), "train-");
    pod["metadata"]["name"] = "train-x7k";
    EXPECT_EQ(name_of(pod), "train-x7k");
}

Json owner(const std::string& api_version, const std::string& kind, const std::string& name,
           bool controller) {
    return {{"apiVersion", api_version},
            {"kind", kind},
            {"name", name},
            {"uid", name + "-uid"},
            {"controller", controller}};
}

TEST(Classify, FindsTheJobThatControlsThePodElseTheFirst) {
    const auto job_of = [](const Json& owners) {
        auto pod = pod_of("train", {});
        pod["metadata"]["ownerReferences"] = owners;
        const Review review{pod};
        const auto classified = classify(review.request, {});
        return std::string{classified->pod.job} + "/" + std::string{classified->pod.job_uid};
    };
    EXPECT_EQ(job_of({owner("batch/v1", "Job", "a", false), owner("batch/v1", "Job", "b", true)}),
              "b/b-uid");
    EXPECT_EQ(job_of({owner("batch/v1", "Job", "a", false), owner("batch/v1", "Job", "b", false)}),
              "a/a-uid");
    EXPECT_EQ(job_of({owner("apps/v1", "ReplicaSet", "r", true),
                      owner("batch/v1beta1", "Job", "a", false)}),
              "a/a-uid");
}

TEST(Classify, LeavesPodsOfNoJobAlone) {
    for (const Json& owners :
         {Json{}, Json::array(), Json{owner("apps/v1", "ReplicaSet", "web", true)},
          Json{owner("batch.volcano.sh/v1alpha1", "Job", "train", true)},
          Json{owner("v1", "Job", "train", true)}, Json{owner("", "Job", "train", true)},
          Json{owner("batch/v1", "CronJob", "train", true)}}) {
        auto pod = pod_of("train", {{"app", "nginx"}});
        pod["metadata"]["ownerReferences"] = owners;
        EXPECT_EQ(classify_pod(pod).settled, Reason::NotFromJob) << owners;
    }
    auto pod = pod_of("train", {});
    pod["metadata"]["ownerReferences"][0].erase("apiVersion");
    EXPECT_EQ(classify_pod(pod).settled, Reason::NotFromJob);
    pod.erase("metadata");
    EXPECT_EQ(classify_pod(pod).settled, Reason::NotFromJob);
}

TEST(Classify, SkipsPodsAnnotatedWithExactlyTrue) {
    auto pod = pod_of("train", {{"app", "nginx"}});
    for (const auto* value : {"True", "TRUE", "true ", "yes", "1", "", "false"}) {
        pod["metadata"]["annotations"]["migration.dcnlab.com/skip-restore"] = value;
        EXPECT_EQ(classify_pod(pod).settled, std::nullopt) << value;
    }
    pod["metadata"]["annotations"]["migration.dcnlab.com/skip-restore"] = "true";
    EXPECT_EQ(classify_pod(pod).settled, Reason::SkippedByAnnotation);
}

Json self_test_pod(const std::string& nonce) {
    auto pod = pod_of("train", {{"app", "nginx"}});
    pod["metadata"]["annotations"]["migration.dcnlab.com/self-test"] = nonce;
    return pod;
}

TEST(Classify, AnswersASelfTestOnDryRunOnly) {
    const auto answered = classify_pod(self_test_pod("n-42"), {}, true);
    EXPECT_EQ(answered.settled, Reason::SelfTest);
    EXPECT_EQ(answered.nonce, "n-42");
    EXPECT_EQ(classify_pod(self_test_pod("n-42"), {}, false).settled, std::nullopt);
    EXPECT_EQ(classify_pod(self_test_pod(""), {}, true).settled, std::nullopt);
}

TEST(Classify, AnswersASelfTestOfAJobsPodOnly) {
    auto pod = self_test_pod("n-42");
    pod["metadata"].erase("ownerReferences");
    EXPECT_EQ(classify_pod(pod, {}, true).settled, Reason::NotFromJob);
}

TEST(Classify, AnswersASelfTestBeforeItLooksAtSkipRestore) {
    auto pod = self_test_pod("n-42");
    pod["metadata"]["annotations"]["migration.dcnlab.com/skip-restore"] = "true";
    EXPECT_EQ(classify_pod(pod, {}, true).settled, Reason::SelfTest);
    EXPECT_EQ(classify_pod(pod, {}, false).settled, Reason::SkippedByAnnotation);
}

TEST(Classify, CutsTheNonceToFortyPrintableCharacters) {
    EXPECT_EQ(classify_pod(self_test_pod(std::string(50, 'x')), {}, true).nonce,
              std::string(40, 'x'));
    EXPECT_EQ(classify_pod(self_test_pod("a\nb\tc\x7f"
                                         "d\u00e9"),
                           {}, true)
                  .nonce,
              "abcd");
    // Nothing is left to answer with.
    EXPECT_EQ(classify_pod(self_test_pod("\n"), {}, true).settled, std::nullopt);
}

TEST(Classify, ReadsContainersThenInitContainers) {
    auto pod = pod_of("train", {{"app", "nginx:1"}, {"side", "fluent:2"}}, {{"init", "busybox"}});
    pod["spec"]["containers"][1]["image"] = nullptr;
    const Review review{pod};
    const auto containers = classify(review.request, {})->pod.containers;
    ASSERT_EQ(containers.size(), 3U);
    EXPECT_EQ(containers[0].name, "app");
    EXPECT_EQ(containers[0].image, "nginx:1");
    EXPECT_EQ(containers[1].index, 1U);
    EXPECT_EQ(containers[1].image, std::nullopt);
    EXPECT_EQ(containers[2].list, "initContainers");
    EXPECT_EQ(containers[2].index, 0U);
}

TEST(Classify, KeepsNothingOfContainersWithoutAName) {
    auto pod = pod_of("train", {{"", "nginx:1"}, {"side", "fluent:2"}});
    pod["spec"]["containers"].push_back(Json::object());
    const Review review{pod};
    const auto containers = classify(review.request, {})->pod.containers;
    ASSERT_EQ(containers.size(), 1U);
    EXPECT_EQ(containers[0].name, "side");
    EXPECT_EQ(containers[0].index, 1U);
}

TEST(Classify, RefusesAPodThatNobodyCanReadAndNamesThePath) {
    struct Case {
        const char* pointer;
        Json value;
        const char* path;
    };
    const std::vector<Case> cases = {
        {"", "pod", "request.object must be an object, not "},
        {"", Json::array(), "request.object must be an object, not "},
        {"/metadata", Json::array(), "request.object.metadata"},
        {"/metadata/annotations", "x", "request.object.metadata.annotations"},
        {"/metadata/annotations",
         {{"migration.dcnlab.com/skip-restore", true}},
         "request.object.metadata.annotations.migration.dcnlab.com/skip-restore"},
        {"/metadata/annotations",
         {{"kubernetes.io/config.mirror", 1}},
         "request.object.metadata.annotations.kubernetes.io/config.mirror"},
        {"/metadata/ownerReferences", "x", "request.object.metadata.ownerReferences"},
        {"/metadata/ownerReferences/0", "x", "request.object.metadata.ownerReferences[0]"},
        {"/metadata/ownerReferences/0/kind", 5, "request.object.metadata.ownerReferences[0].kind"},
        {"/metadata/ownerReferences/0/name", 5, "request.object.metadata.ownerReferences[0].name"},
        {"/metadata/ownerReferences/0/uid", 5, "request.object.metadata.ownerReferences[0].uid"},
        {"/metadata/ownerReferences/0/controller", "yes",
         "request.object.metadata.ownerReferences[0].controller"},
        {"/spec", "x", "request.object.spec"},
        {"/spec/containers", "x", "request.object.spec.containers"},
        {"/spec/containers", Json::object(), "request.object.spec.containers"},
        {"/spec/containers/1", "x", "request.object.spec.containers[1]"},
        {"/spec/containers/1", nullptr, "request.object.spec.containers[1]"},
        {"/spec/containers/1/name", 5, "request.object.spec.containers[1].name"},
        {"/spec/containers/0/image", 5, "request.object.spec.containers[0].image"},
        {"/spec/initContainers", 5, "request.object.spec.initContainers"},
        {"/spec/initContainers/0/image", Json::object(),
         "request.object.spec.initContainers[0].image"},
    };
    for (const auto& bad : cases) {
        auto pod = pod_of("train", {{"app", "nginx"}, {"side", "fluent"}}, {{"init", "busybox"}});
        pod[Json::json_pointer{bad.pointer}] = bad.value;
        const Review review{pod};
        const auto classified = classify(review.request, {});
        ASSERT_FALSE(classified.has_value()) << bad.pointer << " = " << bad.value;
        EXPECT_EQ(classified.error().code, Code::BadRequest);
        EXPECT_THAT(classified.error().message, StartsWith(bad.path)) << bad.value;
    }
}

TEST(Classify, RefusesAPodCreationWithoutObject) {
    Review review{Json::object()};
    review.request.object.reset();
    const auto classified = classify(review.request, {});
    ASSERT_FALSE(classified.has_value());
    EXPECT_EQ(classified.error().code, Code::BadRequest);
    EXPECT_THAT(classified.error().message, HasSubstr("request.object"));
}

TEST(Classify, RefusesANamespaceOfTheObjectOnlyWhenItIsNeeded) {
    auto pod = pod_of("train", {});
    pod["metadata"]["namespace"] = 5;
    Review review{pod};
    EXPECT_TRUE(classify(review.request, {}).has_value());
    review.request.namespace_ = "";
    EXPECT_THAT(classify(review.request, {}).error().message,
                StartsWith("request.object.metadata.namespace"));
}

TEST(Classify, DoesNotRefuseForWhatComesAfterTheDecision) {
    auto pod = pod_of("train", {});
    pod["spec"] = "mistyped";
    auto no_job = pod;
    no_job["metadata"].erase("ownerReferences");
    EXPECT_EQ(classify_pod(no_job).settled, Reason::NotFromJob);
    auto skipped = pod;
    skipped["metadata"]["annotations"]["migration.dcnlab.com/skip-restore"] = "true";
    EXPECT_EQ(classify_pod(skipped).settled, Reason::SkippedByAnnotation);
    auto outside = pod;
    outside["metadata"]["ownerReferences"] = 5;
    Settings settings;
    settings.namespaces = {"elsewhere"};
    EXPECT_EQ(classify_pod(outside, settings).settled, Reason::NotApplicable);
}

TEST(Classify, ReadsTheRestoredFromAnnotationOnlyWhenItMayBeWritten) {
    auto pod = pod_of("train", {});
    pod["metadata"]["annotations"]["migration.dcnlab.com/restored-from"] = 5;
    const Review review{pod};
    Settings settings;
    EXPECT_TRUE(classify(review.request, settings).has_value());
    settings.annotate_restored = true;
    EXPECT_THAT(classify(review.request, settings).error().message,
                HasSubstr("migration.dcnlab.com/restored-from"));
}

}  // namespace
}  // namespace smw::checkpoint_restore
