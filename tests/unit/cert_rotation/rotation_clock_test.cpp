// The wall clock: dates that come, machines that sleep, clocks that are set.

#include "smw/tls/bundle.hpp"
#include "unit/cert_rotation/model.hpp"

namespace smw::cert_rotation {
namespace {

using namespace model;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(Years, HaveTheWritesThatAreDueAndNoMore) {
    Cluster cluster;
    Writer writer{cluster.settings};
    cluster.run(writer, minutes{3});
    const auto begin = cluster.now.wall;
    cluster.written.clear();
    cluster.tick = hours{24};
    std::vector<hours> rotations;
    std::size_t leaves = 0;
    std::size_t told = 0;
    for (Duration passed{}; passed < hours{3 * 8760}; passed += cluster.tick) {
        cluster.settle(writer);
        cluster.pass(cluster.tick);
        for (; told < cluster.written.size(); ++told) {
            const auto event = cluster.written[told].write->event;
            leaves += event == EventReason::LeafIssued ? 1 : 0;
            if (event == EventReason::CARotated) {
                rotations.push_back(std::chrono::floor<hours>(cluster.now.wall - begin));
            }
        }
    }
    // Two thirds of 8760 h, and at most two ticks late; the next begins when the last was done.
    ASSERT_EQ(rotations.size(), 4U);
    for (std::size_t number = 0; number < 4; ++number) {
        const auto due = hours{5840} * (number + 1);
        EXPECT_GE(rotations[number], due);
        EXPECT_LE(rotations[number], due + 2 * hours{24} * (number + 1));
    }
    // A leaf each 112 h, and one for each CA.
    EXPECT_GE(leaves, 3U * 8760 / 125);
    EXPECT_LE(leaves, 3U * 8760 / 112 + 4);
    // A rotation: CA, bundle, leaf; then the old CA goes, from the bundle and from the record.
    EXPECT_EQ(cluster.written.size(), leaves + 4 * 4);
}

class ShortLives : public testing::TestWithParam<std::pair<seconds, seconds>> {};

/// Whatever is set, it does not write for ever, and what is served is believed.
TEST_P(ShortLives, DoNotWriteForEver) {
    auto settings = default_settings();
    settings.leaf_lifetime = GetParam().first;
    settings.ca_lifetime = GetParam().second;
    settings.ca_overlap = minutes{5};
    Cluster cluster{settings};
    Writer writer{settings};
    cluster.run(writer, minutes{3});
    ASSERT_TRUE(cluster.is_believed());
    cluster.run(writer, minutes{60});
    const auto shortest = std::min(settings.leaf_lifetime, settings.ca_lifetime);
    EXPECT_LE(cluster.written.size(),
              10U + 8U * static_cast<std::size_t>(minutes{63} / (shortest / 2)));
}

INSTANTIATE_TEST_SUITE_P(Of, ShortLives,
                         testing::Values(std::pair{minutes{10}, minutes{20}},
                                         std::pair{minutes{20}, minutes{10}},
                                         std::pair{hours{24}, minutes{30}},
                                         std::pair{hours{100000}, hours{1}},
                                         std::pair{hours{24000000}, hours{24000000}}));

TEST(Sleep, OverARenewalIsNoticed) {
    Cluster cluster;
    make_steady(cluster);
    Writer writer{cluster.settings};
    cluster.run(writer, minutes{2});
    cluster.now.wall += hours{120};  // the steady clock does not count it
    cluster.run(writer, minutes{2});
    EXPECT_THAT(events(cluster.written), ElementsAre("LeafIssued"));
    EXPECT_TRUE(cluster.is_believed());
}

TEST(Sleep, IsNeverLookedForwardToForLongerThanAMinute) {
    Cluster cluster;
    make_steady(cluster);
    EXPECT_EQ(cluster.resting->look_again, cluster.now.steady + minutes{1});
}

TEST(Sleep, OverTheEndOfEverythingIsMendedAtOnce) {
    Cluster cluster;
    make_steady(cluster);
    cluster.excuse();
    cluster.now.wall += hours{3 * 8760};
    Writer writer{cluster.settings};
    cluster.settle(writer);
    EXPECT_THAT(events(cluster.written),
                ElementsAre("CAIssued", "CABundlePublished", "SecretMended"));
    cluster.run(writer, minutes{2});
    EXPECT_TRUE(cluster.is_believed());
    EXPECT_THAT(cluster.subjects(cluster.api.bundle()), ElementsAre("used", "next"));
}

/// All clocks are wrong, and then right again.
TEST(WallClock, ThatJumpsAYearAheadAndBack) {
    Cluster cluster;
    make_steady(cluster);
    Writer writer{cluster.settings};
    cluster.run(writer, minutes{2});
    for (const auto jump : {hours{8760}, hours{-8760}}) {
        cluster.excuse();
        cluster.now.wall += jump;
        cluster.run(writer, minutes{4});
        EXPECT_TRUE(cluster.is_believed()) << jump.count();
        EXPECT_EQ(cluster.issuer_of_leaf(), cluster.ca());
    }
    const auto writes = cluster.written.size();
    EXPECT_LE(writes, 14U);
    cluster.skip(hours{25});
    cluster.run(writer, minutes{3});
    EXPECT_LE(cluster.written.size(), writes + 2);
    cluster.run(writer, minutes{3});
    EXPECT_LE(cluster.written.size(), writes + 2);
}

TEST(WallClock, ThatIsSetBackALittleChangesNothing) {
    Cluster cluster;
    make_steady(cluster);
    Writer writer{cluster.settings};
    cluster.run(writer, minutes{2});
    cluster.now.wall -= minutes{50};
    cluster.run(writer, minutes{2});
    EXPECT_THAT(cluster.written, IsEmpty());
}

/// The waits are on the steady clock: no jump shortens them.
TEST(WallClock, ThatJumpsAheadShortensNoWait) {
    Cluster cluster;
    install(cluster, other_tool(cluster));
    Writer writer{cluster.settings};
    cluster.settle(writer);
    cluster.now.wall += hours{30};
    cluster.settle(writer);
    EXPECT_EQ(cluster.issuer_of_leaf(), "other");
    cluster.run(writer, minutes{1});
    EXPECT_EQ(cluster.issuer_of_leaf(), cluster.ca());
    // The overlap seems to be over; the old leaf is still served somewhere.
    EXPECT_EQ(cluster.subjects(cluster.api.bundle()).size(), 3U);
    cluster.run(writer, minutes{1});
    EXPECT_EQ(cluster.subjects(cluster.api.bundle()).size(), 2U);
}

TEST(Observe, SparesTheNewHolderOfTheLeaseTheWait) {
    Cluster cluster;
    make_steady(cluster);
    Rotation first{cluster.settings};
    Rotation second{cluster.settings};
    cluster.api.set_annotation(kCaSecret, "rotate", "now");
    cluster.settle(first);
    second.observe(cluster.api.world(), cluster.now.steady);
    cluster.pass(minutes{1});
    const auto old = cluster.ca();
    cluster.settle(second);
    EXPECT_NE(cluster.ca(), old);
    EXPECT_TRUE(cluster.is_believed());
}

}  // namespace
}  // namespace smw::cert_rotation
