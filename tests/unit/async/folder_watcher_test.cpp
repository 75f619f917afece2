#include "smw/async/folder_watcher.hpp"

#include "run.hpp"
#include "smw/async/task_group.hpp"
#include "support/folder.hpp"

#include <boost/asio/steady_timer.hpp>
#include <gtest/gtest.h>

#include <fstream>
#include <string>

namespace smw::async {
namespace {

namespace fs = std::filesystem;
using test::Folder;

void write(const fs::path& path, const std::string& text) {
    std::ofstream{path} << text;
}

constexpr std::chrono::milliseconds kOften{5};
/// A poll that would be noticed: run() gives up before.
constexpr std::chrono::hours kNever{1};

TEST(FolderWatcher, ReturnsAfterThePollIntervalAgainAndAgain) {
    const Folder folder;
    boost::asio::io_context context;
    FolderWatcher watcher{context.get_executor(), folder.path(), kOften};
    for (int round = 0; round < 3; ++round) {
        const auto start = std::chrono::steady_clock::now();
        run(context, watcher.wait());
        EXPECT_GE(std::chrono::steady_clock::now() - start, kOften);
    }
}

TEST(FolderWatcher, ReturnsAtEachKindOfChange) {
    const Folder folder;
    boost::asio::io_context context;
    FolderWatcher watcher{context.get_executor(), folder.path(), kNever};
    write(folder.path() / "file", "one");
    run(context, watcher.wait());
    write(folder.path() / "file", "two");
    run(context, watcher.wait());
    fs::rename(folder.path() / "file", folder.path() / "renamed");
    run(context, watcher.wait());
    fs::create_symlink("renamed", folder.path() / "link");
    run(context, watcher.wait());
    fs::remove(folder.path() / "link");
    run(context, watcher.wait());
    fs::create_directory(folder.path() / "inner");
    run(context, watcher.wait());
}

TEST(FolderWatcher, ReturnsOnceForManyChanges) {
    const Folder folder;
    boost::asio::io_context context;
    FolderWatcher watcher{context.get_executor(), folder.path(), kNever};
    for (int index = 0; index < 200; ++index) {
        write(folder.path() / ("file" + std::to_string(index)), "x");
    }
    run(context, watcher.wait());
    bool returned = false;
    TaskGroup tasks{context.get_executor(), [](std::exception_ptr) {
                        FAIL();
                    }};
    const auto wait_again = [&]() -> Task<void> {
        co_await watcher.wait();
        returned = true;
    };
    tasks.spawn(wait_again());
    context.restart();
    context.poll();
    EXPECT_FALSE(returned) << "all of it was answered by one look";
    tasks.cancel();
    EXPECT_TRUE(run(context, tasks.join(Deadline::after(kPatience))));
}

TEST(FolderWatcher, WaitsForAnEventThatComesLater) {
    const Folder folder;
    boost::asio::io_context context;
    FolderWatcher watcher{context.get_executor(), folder.path(), kNever};
    boost::asio::steady_timer later{context, kOften};
    later.async_wait([&](boost::system::error_code) { write(folder.path() / "file", "x"); });
    run(context, watcher.wait());
    EXPECT_TRUE(fs::exists(folder.path() / "file"));
}

TEST(FolderWatcher, FindsAFolderThatIsMadeLater) {
    const Folder folder;
    const auto inner = folder.path() / "inner";
    boost::asio::io_context context;
    FolderWatcher watcher{context.get_executor(), inner, kOften};
    run(context, watcher.wait());
    fs::create_directory(inner);
    run(context, watcher.wait());
    FolderWatcher patient{context.get_executor(), inner, kNever};
    write(inner / "file", "x");
    run(context, patient.wait());
}

TEST(FolderWatcher, FollowsAFolderThatIsMadeAnew) {
    const Folder folder;
    const auto inner = folder.path() / "inner";
    fs::create_directory(inner);
    boost::asio::io_context context;
    constexpr std::chrono::milliseconds poll{100};
    FolderWatcher watcher{context.get_executor(), inner, poll};
    fs::remove(inner);
    run(context, watcher.wait());
    fs::create_directory(inner);
    run(context, watcher.wait());
    // Without an event each round takes the whole interval.
    bool at_once = false;
    for (int round = 0; round < 50 && !at_once; ++round) {
        const auto start = std::chrono::steady_clock::now();
        write(inner / "file", "x");
        run(context, watcher.wait());
        at_once = std::chrono::steady_clock::now() - start < poll;
    }
    EXPECT_TRUE(at_once);
}

TEST(FolderWatcher, MayBeCancelledAndDestroyed) {
    const Folder folder;
    boost::asio::io_context context;
    int ended = 0;
    TaskGroup tasks{context.get_executor(), [](std::exception_ptr) {
                        FAIL();
                    }};
    {
        FolderWatcher watcher{context.get_executor(), folder.path(), kNever};
        const auto follow = [&]() -> Task<void> {
            try {
                co_await watcher.wait();
            } catch (const boost::system::system_error& error) {
                EXPECT_EQ(error.code(), boost::asio::error::operation_aborted);
                ++ended;
                throw;
            }
        };
        tasks.spawn(follow());
        context.poll();
        tasks.cancel();
        EXPECT_TRUE(run(context, tasks.join(Deadline::after(kPatience))));
    }
    EXPECT_EQ(ended, 1);
    write(folder.path() / "file", "x");
    context.restart();
    EXPECT_EQ(context.run_for(kOften), 0U) << "nothing is left waiting";
}

}  // namespace
}  // namespace smw::async
