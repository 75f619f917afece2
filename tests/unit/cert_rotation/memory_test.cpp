#include "cert_rotation/memory.hpp"

#include "smw/tls/issue.hpp"

#include <gtest/gtest.h>

namespace smw::cert_rotation {
namespace {

using std::chrono::seconds;

constexpr seconds kWait{60};
const TimePoint kBegin{seconds{1000}};

Bundle ca(const std::string& name) {
    const auto made =
        tls::issue_ca({name, std::chrono::system_clock::now(), std::chrono::hours{1}});
    return Bundle::parse(made->certificate_pem);
}

std::string sha256(const Bundle& bundle) {
    return bundle.certificates().front().details.sha256;
}

TEST(PublishedBy, CountsFromWhenEveryBundleHadIt) {
    const auto one = ca("one");
    Memory memory;
    remember(memory, {one, Bundle{}}, "", kBegin);
    EXPECT_EQ(published_by(memory, sha256(one), kWait), std::nullopt);
    remember(memory, {one, one}, "", kBegin + seconds{10});
    remember(memory, {one, one}, "", kBegin + seconds{20});
    EXPECT_EQ(published_by(memory, sha256(one), kWait), kBegin + seconds{70});
}

TEST(PublishedBy, BeginsAnewWhenOneLostIt) {
    const auto one = ca("one");
    Memory memory;
    remember(memory, {one, one}, "", kBegin);
    remember(memory, {one, ca("two")}, "", kBegin + seconds{10});
    EXPECT_EQ(published_by(memory, sha256(one), kWait), std::nullopt);
    remember(memory, {one, one}, "", kBegin + seconds{20});
    EXPECT_EQ(published_by(memory, sha256(one), kWait), kBegin + seconds{80});
}

TEST(PublishedBy, IsForgottenWithTheLastBundle) {
    const auto one = ca("one");
    Memory memory;
    remember(memory, {one}, "", kBegin);
    remember(memory, {}, "", kBegin + seconds{10});
    EXPECT_EQ(published_by(memory, sha256(one), kWait), std::nullopt);
}

TEST(Remember, CountsALeafFromWhenItCame) {
    Memory memory;
    remember(memory, {}, "a", kBegin);
    remember(memory, {}, "a", kBegin + seconds{10});
    EXPECT_EQ(memory.leaf_since, kBegin);
    remember(memory, {}, "b", kBegin + seconds{20});
    EXPECT_EQ(memory.leaf_since, kBegin + seconds{20});
}

TEST(ReadEntries, GoesThroughAllConfigurations) {
    const auto one = ca("one");
    const auto two = ca("two");
    World world;
    world.configurations.resize(3);
    world.configurations[0].entries = {{"a", one.pem()}, {"b", one.pem()}};
    world.configurations[2].entries = {{"c", two.pem()}, {"d", ""}};
    const auto entries = read_entries(world);
    ASSERT_EQ(entries.size(), 4U);
    EXPECT_EQ(entries[0].pem(), one.pem());
    EXPECT_EQ(entries[1].pem(), one.pem());
    EXPECT_EQ(entries[2].pem(), two.pem());
    EXPECT_TRUE(entries[3].empty());
}

}  // namespace
}  // namespace smw::cert_rotation
