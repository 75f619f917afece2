// Whether changes of files are noticed: by events, and by looking where there are none.

#include "secret_volume.hpp"
#include "smw/async/shards.hpp"
#include "smw/async/task_group.hpp"
#include "smw/tls/certificate_files.hpp"
#include "support/certificates.hpp"
#include "support/eventually.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_future.hpp>
#include <gtest/gtest.h>

#include <fcntl.h>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <sys/resource.h>
#include <unistd.h>

namespace smw::tls {
namespace {

namespace fs = std::filesystem;
using test::Pair;

/// What a test waits for in vain when only a poll could bring it.
constexpr std::chrono::hours kNever{1};
constexpr std::chrono::milliseconds kOften{5};

/// A task on a loop of its own, ended with the test.
class Following {
public:
    explicit Following(std::function<Task<void>(boost::asio::any_io_executor)> make_task)
        : tasks_(std::make_unique<async::TaskGroup>(shard_.executor(), [](std::exception_ptr) {
              ADD_FAILURE() << "follow() must not throw";
          })) {
        shard_.start();
        boost::asio::post(shard_.executor(), [this, make = std::move(make_task)] {
            tasks_->spawn(make(shard_.executor()));
        });
    }
    ~Following() {
        const auto end = [this]() -> Task<bool> {
            tasks_->cancel();
            co_return co_await tasks_->join(Deadline::after(test::kPatience));
        };
        EXPECT_TRUE(boost::asio::co_spawn(shard_.executor(), end(), boost::asio::use_future).get());
        shard_.stop();
    }
    Following(const Following&) = delete;
    Following& operator=(const Following&) = delete;

private:
    async::Shard shard_{"follow"};
    boost::asio::steady_timer reactor_{shard_.executor()};  ///< makes the loop open what it needs
    std::unique_ptr<async::TaskGroup> tasks_;
};

/// No file can be opened and nothing watched, as where all inotify instances are taken.
class NoDescriptors {
public:
    NoDescriptors() {
        ::getrlimit(RLIMIT_NOFILE, &before_);
        const int lowest = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
        ::close(lowest);
        rlimit none = before_;
        none.rlim_cur = static_cast<rlim_t>(lowest);
        ::setrlimit(RLIMIT_NOFILE, &none);
    }
    ~NoDescriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }
    NoDescriptors(const NoDescriptors&) = delete;
    NoDescriptors& operator=(const NoDescriptors&) = delete;

private:
    rlimit before_{};
};

class CertificateFollowTest : public test::SecretVolumeTest {
protected:
    [[nodiscard]] CertificateFiles make(Duration poll) {
        CertificateFilesSettings settings;
        settings.folder = path();
        settings.poll = poll;
        return {settings, clock_, output_.logger(), metrics_};
    }
    [[nodiscard]] static auto following(CertificateFiles& files) {
        return [&files](boost::asio::any_io_executor executor) {
            return files.follow(executor);
        };
    }
    void put(const Pair& pair) {
        swap_in({{"tls.crt", pair.chain_pem}, {"tls.key", pair.key_pem}});
    }
    static bool serves(const CertificateFiles& files, const Pair& pair) {
        return test::eventually([&] {
            const auto context = files.serving().contexts().load();
            return context && context->identity().chain_pem == pair.chain_pem;
        });
    }
};

TEST_F(CertificateFollowTest, SeesSwapsByEvents) {
    auto files = make(kNever);
    put(test::make_pair());
    const Following task{following(files)};
    for (int round = 0; round < 10; ++round) {
        const Pair next = test::make_pair();
        put(next);
        ASSERT_TRUE(serves(files, next)) << round;
    }
    EXPECT_EQ(errors(), 0U) << output_.text();
}

TEST_F(CertificateFollowTest, SeesSwapsByLookingWhereThereAreNoEvents) {
    auto files = make(kOften);
    const Pair first = test::make_pair();
    put(first);
    // Without descriptors UBSan cannot look at a type that it has not seen: it opens a pipe.
    output_.logger().info("Seen", {});
    std::optional<NoDescriptors> none;
    const Following task{[&](boost::asio::any_io_executor executor) {
        none.emplace();  // what the loop itself needs it has
        return files.follow(executor);
    }};
    // The first look, like the watch, found no descriptor.
    ASSERT_TRUE(test::eventually([&] { return files.serving().problem() != nullptr; }));
    EXPECT_NE(files.serving().problem()->find("Too many open files"), std::string::npos);
    none.reset();
    ASSERT_TRUE(serves(files, first));
    const Pair second = test::make_pair();
    put(second);
    EXPECT_TRUE(serves(files, second));
}

TEST_F(CertificateFollowTest, SeesAFolderThatGoesAndComesBack) {
    auto files = make(kOften);
    const Pair first = test::make_pair();
    put(first);
    const Following task{following(files)};
    ASSERT_TRUE(serves(files, first));
    fs::remove_all(path());
    const Pair second = test::make_pair();
    put(second);
    EXPECT_TRUE(serves(files, second));
}

}  // namespace
}  // namespace smw::tls
