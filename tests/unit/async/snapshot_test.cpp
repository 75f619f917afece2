#include "smw/async/snapshot.hpp"

#include <gtest/gtest.h>

#include <string>

namespace smw::async {
namespace {

TEST(Snapshot, IsNullBeforeTheFirstPublish) {
    const Snapshot<std::string> snapshot;
    EXPECT_EQ(snapshot.load(), nullptr);
    EXPECT_EQ(snapshot.version(), 0U);
}

TEST(Snapshot, GivesTheLatestAndKeepsWhatIsHeld) {
    Snapshot<std::string> snapshot;
    snapshot.publish(std::make_shared<const std::string>("one"));
    const auto held = snapshot.load();
    snapshot.publish(std::make_shared<const std::string>("two"));
    EXPECT_EQ(*held, "one");
    EXPECT_EQ(*snapshot.load(), "two");
    EXPECT_EQ(snapshot.version(), 2U);
    EXPECT_EQ(held.use_count(), 1) << "the old value is nobody's but the reader's";
}

}  // namespace
}  // namespace smw::async
