#include "smw/async/shards.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/use_future.hpp>
#include <gtest/gtest.h>

#include <array>
#include <pthread.h>
#include <set>
#include <string>
#include <thread>

namespace smw::async {
namespace {

std::string thread_name_on(Shard& shard) {
    return boost::asio::post(shard.executor(), boost::asio::use_future([] {
                                 std::array<char, 16> name{};
                                 pthread_getname_np(pthread_self(), name.data(), name.size());
                                 return std::string{name.data()};
                             }))
        .get();
}

TEST(Shards, RunEachOnAThreadOfItsOwn) {
    Shards shards{3};
    ASSERT_EQ(shards.size(), 3U);
    shards.start();
    std::set<std::thread::id> threads;
    for (std::size_t index = 0; index < shards.size(); ++index) {
        auto id =
            boost::asio::post(shards.at(index).executor(),
                              boost::asio::use_future([] { return std::this_thread::get_id(); }));
        threads.insert(id.get());
        EXPECT_EQ(thread_name_on(shards.at(index)), "shard-" + std::to_string(index));
    }
    EXPECT_EQ(threads.size(), 3U);
    shards.stop();
    shards.stop();
}

TEST(Shards, RunWhatWasPostedBeforeTheStart) {
    Shards shards{1};
    auto done =
        boost::asio::post(shards.at(0).executor(), boost::asio::use_future([] { return 7; }));
    shards.start();
    EXPECT_EQ(done.get(), 7);
}

TEST(Shard, CutsLongNamesAndNeedNotBeStarted) {
    Shard shard{"a-name-that-is-too-long-for-a-thread"};
    shard.start();
    EXPECT_EQ(thread_name_on(shard), "a-name-that-is-");
    const Shard unused{"unused"};
}

}  // namespace
}  // namespace smw::async
