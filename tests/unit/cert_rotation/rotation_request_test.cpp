// Rotations that are due, asked for, or forced by a stolen key; and taking over from another tool.

#include "smw/cert_rotation/bodies.hpp"
#include "smw/tls/bundle.hpp"
#include "unit/cert_rotation/model.hpp"

#include <algorithm>

namespace smw::cert_rotation {
namespace {

using namespace model;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

/// With a writer that has been there for a while.
struct Running {
    Cluster cluster;
    Writer writer{cluster.settings};
    std::string old_ca;
    std::string old_next;

    Running() {
        make_steady(cluster);
        cluster.run(writer, minutes{2});
        old_ca = cluster.ca();
        old_next = cluster.next_ca();
    }

    void ask(const RotationRequest& request) {
        cluster.api.change(kCaSecret, [&](Json& object) {
            object.merge_patch(Json::parse(request_rotation(request).json));
        });
    }
};

TEST(ForcedRotation, PublishesWaitsAndSigns) {
    Running running;
    auto& cluster = running.cluster;
    running.ask({cluster.now.wall, ""});
    cluster.settle(running.writer);
    EXPECT_EQ(cluster.ca(), running.old_ca);
    EXPECT_EQ(cluster.api.annotation(kCaSecret, "next-made-for"),
              "rotate: " + tls::to_text(cluster.now.wall));
    EXPECT_EQ(cluster.resting->phase, Phase::Publishing);
    EXPECT_THAT(cluster.resting->reason, HasSubstr("waiting for the next CA (CN="));
    EXPECT_EQ(cluster.resting->next_date, cluster.now.wall + seconds{60});
    EXPECT_EQ(cluster.resting->look_again, cluster.now.steady + seconds{60});
    cluster.run(running.writer, seconds{40});
    EXPECT_EQ(cluster.ca(), running.old_ca);
    const auto asked = cluster.api.annotation(kCaSecret, "rotate");
    cluster.run(running.writer, seconds{20});
    EXPECT_NE(cluster.ca(), running.old_ca);
    EXPECT_NE(cluster.ca(), running.old_next);
    EXPECT_EQ(cluster.issuer_of_leaf(), cluster.ca());
    EXPECT_EQ(cluster.api.annotation(kCaSecret, "rotated"), asked);
    EXPECT_EQ(cluster.api.annotation(kCaSecret, "rotate"), "");
    EXPECT_EQ(cluster.api.annotation(kCaSecret, "next-made-for"), "");
    EXPECT_THAT(cluster.subjects(cluster.api.bundle()),
                ElementsAre("used", "next", running.old_ca));
    EXPECT_EQ(cluster.resting->phase, Phase::Overlap);
    EXPECT_THAT(cluster.resting->reason, HasSubstr("CN=" + running.old_ca));
    EXPECT_EQ(cluster.resting->next_step, "the old CA is dropped");
    EXPECT_THAT(events(cluster.written),
                ElementsAre("CAIssued", "CABundlePublished", "CABundlePublished", "CARotated",
                            "CABundlePublished", "LeafIssued"));
    EXPECT_THAT(cluster.written[0].reason,
                HasSubstr("a rotation is asked for by annotation rotate: made a new next CA"));
    EXPECT_THAT(cluster.written[3].reason, HasSubstr("the old one stays trusted for 24 h"));
}

TEST(ForcedRotation, IsDoneOnceHoweverOftenItIsDeclared) {
    Running running;
    auto& cluster = running.cluster;
    for (int round = 0; round < 3; ++round) {
        cluster.api.set_annotation(kCaSecret, "rotate", "declared");
        cluster.api.set_annotation(kCaSecret, "compromised", "declared, too");
        cluster.run(running.writer, minutes{4});
    }
    EXPECT_EQ(std::ranges::count(events(cluster.written), "CARotated"), 1);
    EXPECT_EQ(cluster.api.annotation(kCaSecret, "rotated"), "declared");
    EXPECT_EQ(cluster.api.annotation(kCaSecret, "compromised-done"), "declared, too");
    cluster.api.set_annotation(kCaSecret, "rotate", "again");
    cluster.run(running.writer, minutes{4});
    EXPECT_EQ(std::ranges::count(events(cluster.written), "CARotated"), 2);
}

TEST(ForcedRotation, TakesAnEmptyRequestToo) {
    Running running;
    running.cluster.api.set_annotation(kCaSecret, "rotate", "");
    running.cluster.run(running.writer, minutes{4});
    EXPECT_NE(running.cluster.ca(), running.old_ca);
    EXPECT_THAT(running.cluster.resting->phase, Phase::Overlap);
}

TEST(ForcedRotation, OfANewRequestMeanwhileMakesTheNextAnew) {
    Running running;
    auto& cluster = running.cluster;
    cluster.api.set_annotation(kCaSecret, "rotate", "first");
    cluster.run(running.writer, seconds{40});
    const auto first = cluster.next_ca();
    cluster.api.set_annotation(kCaSecret, "compromised", "second");
    cluster.run(running.writer, minutes{4});
    EXPECT_NE(cluster.ca(), first);
    EXPECT_EQ(std::ranges::count(events(cluster.written), "CARotated"), 1);
    EXPECT_EQ(cluster.api.annotation(kCaSecret, "rotated"), "first");
    EXPECT_EQ(cluster.api.annotation(kCaSecret, "compromised-done"), "second");
}

TEST(ForcedRotation, WaitsAnewWhenTheBundleWasLost) {
    Running running;
    auto& cluster = running.cluster;
    running.ask({cluster.now.wall, ""});
    cluster.run(running.writer, seconds{40});
    cluster.api.set_bundle("", 1);
    cluster.run(running.writer, seconds{40});
    EXPECT_EQ(cluster.ca(), running.old_ca);
    cluster.run(running.writer, seconds{20});
    EXPECT_NE(cluster.ca(), running.old_ca);
}

TEST(Compromised, DropsTheOldCaWithoutOverlap) {
    Running running;
    auto& cluster = running.cluster;
    running.ask({cluster.now.wall, "a laptop was stolen"});
    cluster.run(running.writer, seconds{60});
    ASSERT_NE(cluster.ca(), running.old_ca);
    EXPECT_THAT(cluster.written[3].reason,
                HasSubstr("the old one is dropped as soon as what it signed is no longer served"));
    EXPECT_THAT(cluster.subjects(cluster.api.bundle()), Contains(running.old_ca));
    cluster.run(running.writer, seconds{40});
    EXPECT_THAT(cluster.subjects(cluster.api.bundle()), Contains(running.old_ca));
    cluster.run(running.writer, seconds{20});
    for (const auto& bundle :
         {cluster.api.bundle(0), cluster.api.bundle(1), cluster.api.data(kCertsSecret, "ca.crt")}) {
        EXPECT_THAT(cluster.subjects(bundle), ElementsAre("used", "next"));
    }
    EXPECT_NE(cluster.ca(), running.old_next);  // the thief may have had that key, too
    EXPECT_EQ(cluster.resting->phase, Phase::Steady);
}

/// Dropping begins anew with the memory of a new process, and nothing comes back meanwhile.
TEST(Compromised, BringsNothingBackAfterARestart) {
    Running running;
    auto& cluster = running.cluster;
    running.ask({cluster.now.wall, "yes"});
    cluster.run(running.writer, seconds{100});
    while (cluster.subjects(cluster.api.bundle(0)).size() > 2) {
        if (cluster.step(running.writer) == 0) {
            cluster.pass(cluster.tick);
        }
    }
    ASSERT_THAT(cluster.subjects(cluster.api.data(kCertsSecret, "ca.crt")),
                Contains(running.old_ca));
    Writer second{cluster.settings};
    for (int looks = 0; looks < 8; ++looks) {
        cluster.step(second);
        EXPECT_THAT(cluster.subjects(cluster.api.bundle(0)), Not(Contains(running.old_ca)));
        cluster.pass(cluster.tick);
    }
    EXPECT_THAT(cluster.subjects(cluster.api.data(kCertsSecret, "ca.crt")),
                ElementsAre("used", "next"));
}

TEST(Request, AtAFirstStartDelaysNothing) {
    Cluster cluster;
    const auto ca = tls::issue_ca({"given", cluster.now.wall, hours{8760}}).value();
    cluster.api.put(
        kCaSecret,
        {{"data", {{"ca.crt", base64(ca.certificate_pem)}, {"ca.key", base64(ca.key_pem)}}}});
    cluster.api.set_annotation(kCaSecret, "rotate", "now");
    Writer writer{cluster.settings};
    cluster.settle(writer);
    EXPECT_EQ(cluster.issuer_of_leaf(), "given");
    cluster.run(writer, minutes{3});
    EXPECT_NE(cluster.ca(), "given");
    EXPECT_TRUE(cluster.is_believed());
}

TEST(Takeover, KeepsTheOtherToolsCaUntilTheOverlapIsOver) {
    Cluster cluster;
    install(cluster, other_tool(cluster));
    Writer writer{cluster.settings};
    cluster.settle(writer);
    EXPECT_THAT(events(cluster.written),
                ElementsAre("CAIssued", "SecretMended", "CABundlePublished"));
    EXPECT_THAT(cluster.written[0].reason, HasSubstr("; the old one stays trusted for 24 h"));
    EXPECT_THAT(cluster.written[1].reason,
                HasSubstr("CN=other is trusted today, and may not be forgotten"));
    EXPECT_THAT(cluster.subjects(cluster.api.bundle()), ElementsAre("used", "next", "other"));
    EXPECT_EQ(cluster.issuer_of_leaf(), "other");
    cluster.run(writer, minutes{2});
    EXPECT_EQ(cluster.issuer_of_leaf(), cluster.ca());
    EXPECT_THAT(cluster.subjects(cluster.api.bundle()), Contains("other"));
    cluster.skip(hours{24});
    cluster.settle(writer);
    EXPECT_THAT(cluster.subjects(cluster.api.bundle()), ElementsAre("used", "next"));
    EXPECT_EQ(events(cluster.written).at(cluster.written.size() - 2), "CADropped");
}

/// What is recorded brings it back, also before our own CA is known.
TEST(Takeover, SurvivesABundleThatIsEmptiedInTheMiddle) {
    Cluster cluster;
    install(cluster, other_tool(cluster));
    Writer writer{cluster.settings};
    cluster.step(writer);
    cluster.step(writer);
    cluster.api.set_bundle("", 0);
    cluster.api.set_bundle("", 1);
    cluster.settle(writer);
    EXPECT_THAT(cluster.subjects(cluster.api.bundle()), ElementsAre("used", "next", "other"));
    cluster.run(writer, minutes{3});
    EXPECT_TRUE(cluster.is_believed());
}

TEST(Takeover, OfALeafThatIsTrustedByItself) {
    Cluster cluster;
    auto tool = other_tool(cluster);
    tool.ca.certificate_pem = tool.leaf.certificate_pem;
    install(cluster, tool);
    Writer writer{cluster.settings};
    cluster.run(writer, minutes{3});
    EXPECT_EQ(cluster.issuer_of_leaf(), cluster.ca());
    EXPECT_TRUE(cluster.is_believed());
}

TEST(Takeover, OfABundleWithMoreThanFitsKeepsTheOneThatCounts) {
    Cluster cluster;
    std::string all;
    std::vector<std::string> order;
    for (int number = 0; number < 100; ++number) {
        all += tls::issue_ca({"of a company", cluster.now.wall, hours{8760}})->certificate_pem;
    }
    for (const auto& certificate : tls::read_bundle(all)) {
        order.push_back(certificate.details.sha256);
    }
    std::ranges::sort(order);
    // By the order in which they are published it would be one too many.
    auto tool = other_tool(cluster);
    while (tls::read_bundle(tool.ca.certificate_pem).front().details.sha256 < order[70]) {
        tool = other_tool(cluster);
    }
    install(cluster, tool);
    cluster.api.set_bundle(all + tool.ca.certificate_pem, 1);
    Writer writer{cluster.settings};
    cluster.run(writer, minutes{3});
    EXPECT_TRUE(cluster.is_believed());
    EXPECT_THAT(cluster.subjects(cluster.api.bundle()), Contains("other"));
    EXPECT_EQ(cluster.subjects(cluster.api.bundle()).size(), 66U);
}

}  // namespace
}  // namespace smw::cert_rotation
