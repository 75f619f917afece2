#include "unit/cert_rotation/model.hpp"

namespace smw::cert_rotation {
namespace {

using namespace model;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// Both Secrets and the configuration, byte for byte.
std::string all_of(const ApiServer& api) {
    return Json(api.objects).dump();
}

TEST(FirstStart, MakesPublishesAndSigns) {
    Cluster cluster;
    Writer writer{cluster.settings};
    EXPECT_EQ(cluster.settle(writer), 3);
    EXPECT_THAT(events(cluster.written),
                ElementsAre("CAIssued", "CABundlePublished", "LeafIssued"));
    EXPECT_EQ(cluster.written[0].reason,
              "there is no Secret ns/stateful-migration-webhook-ca: made a new CA");
    for (const auto index : {0U, 1U}) {
        EXPECT_THAT(cluster.subjects(cluster.api.bundle(index)), ElementsAre("used", "next"));
    }
    EXPECT_THAT(cluster.subjects(cluster.api.data(kCertsSecret, "ca.crt")),
                ElementsAre("used", "next"));
    cluster.pass(minutes{1});
    EXPECT_TRUE(cluster.is_believed());
    EXPECT_EQ(cluster.resting->phase, Phase::Steady);
    EXPECT_EQ(cluster.resting->next_step, "the serving certificate is renewed");
    EXPECT_EQ(cluster.resting->next_date, cluster.now.wall - minutes{1} + hours{112});
}

TEST(FirstStart, SignsForAllNamesOfTheService) {
    Cluster cluster;
    Writer writer{cluster.settings};
    cluster.settle(writer);
    const tls::Material pair{cluster.api.data(kCertsSecret, "tls.crt"),
                             cluster.api.data(kCertsSecret, "tls.key")};
    const auto inspection = tls::inspect(pair, {cluster.settings.names, cluster.now.wall});
    EXPECT_THAT(inspection.findings, IsEmpty());
    EXPECT_EQ(inspection.certificates.front().names, cluster.settings.names);
    EXPECT_EQ(inspection.certificates.front().not_after, cluster.now.wall + hours{168});
}

TEST(FirstStart, NeedsNoConfiguration) {
    Cluster cluster;
    cluster.api.remove(kOurConfiguration);
    Writer writer{cluster.settings};
    EXPECT_EQ(cluster.settle(writer), 2);
    cluster.api.put(kOurConfiguration, configuration());
    EXPECT_EQ(cluster.settle(writer), 1);
    cluster.pass(minutes{1});
    EXPECT_TRUE(cluster.is_believed());
}

TEST(FirstStart, OfThreeAtOnceEndsWithOneCa) {
    Cluster cluster;
    std::vector<Writer> writers(3, Writer{cluster.settings});
    for (int round = 0; round < 6; ++round) {
        const auto world = cluster.api.world();
        std::vector<Plan> plans;
        for (auto& writer : writers) {
            plans.push_back(writer.next(world, cluster.now));
        }
        int taken = 0;
        for (const auto& plan : plans) {
            taken += plan.write && cluster.api.write(*plan.write) == 200 ? 1 : 0;
        }
        EXPECT_EQ(taken, round < 3 ? 1 : 0) << round;
    }
    EXPECT_THAT(cluster.subjects(cluster.api.bundle()), ElementsAre("used", "next"));
    EXPECT_EQ(cluster.issuer_of_leaf(), cluster.ca());
    cluster.pass(minutes{1});
    EXPECT_TRUE(cluster.is_believed());
}

TEST(Restart, WritesNothingWhenAllIsGood) {
    Cluster cluster;
    make_steady(cluster);
    const auto before = all_of(cluster.api);
    for (int restart = 0; restart < 3; ++restart) {
        Writer writer{cluster.settings};
        cluster.run(writer, minutes{5});
    }
    EXPECT_THAT(cluster.written, IsEmpty());
    EXPECT_EQ(all_of(cluster.api), before);
    EXPECT_EQ(cluster.resting->phase, Phase::Steady);
    EXPECT_EQ(cluster.resting->reason, "all is in place");
}

TEST(Adoption, KeepsTheCaOfTheScript) {
    Cluster cluster;
    const auto ca = tls::issue_ca({"script", cluster.now.wall, hours{87600}}).value();
    const auto leaf =
        tls::issue_leaf({"leaf", cluster.settings.names, cluster.now.wall, hours{8760}}, ca)
            .value();
    install(cluster, {ca, leaf});
    cluster.api.put(kCaSecret, {{"type", "Opaque"},
                                {"data",
                                 {{"ca.crt", base64(ca.certificate_pem)},
                                  {"ca.key", base64(ca.key_pem)},
                                  {"theirs", base64("kept")}}},
                                {"metadata", {{"annotations", {{"theirs", "kept"}}}}}});
    Writer writer{cluster.settings};
    EXPECT_EQ(cluster.settle(writer), 3);
    EXPECT_EQ(cluster.ca(), "script");
    EXPECT_THAT(cluster.written[0].reason, HasSubstr("has no ca-next.crt: made a new next CA"));
    EXPECT_EQ(cluster.api.data(kCertsSecret, "tls.crt"), leaf.certificate_pem);
    EXPECT_EQ(cluster.api.data(kCaSecret, "theirs"), "kept");
    EXPECT_EQ(cluster.api.get(kCaSecret).at("metadata").at("annotations").at("theirs"), "kept");
    EXPECT_THAT(cluster.subjects(cluster.api.bundle()), ElementsAre("used", "next"));
    cluster.run(writer, minutes{5});
    EXPECT_EQ(cluster.written.size(), 3U);
}

}  // namespace
}  // namespace smw::cert_rotation
