#include "smw/tls/certificate_files.hpp"

#include "smw/async/shards.hpp"
#include "smw/async/task_group.hpp"
#include "support/certificates.hpp"
#include "support/eventually.hpp"
#include "support/recording_output.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_future.hpp>
#include <gmock/gmock.h>

#include <cstdlib>
#include <fstream>
#include <string>

namespace smw::tls {
namespace {

namespace fs = std::filesystem;
using std::chrono::hours;
using std::chrono::seconds;
using test::Pair;
using testing::HasSubstr;

class FakeClock final : public Clock {
public:
    [[nodiscard]] TimePoint now() const override { return now_; }
    [[nodiscard]] WallTime wall() const override { return wall_; }
    void advance(Duration span) {
        now_ += span;
        wall_ += std::chrono::duration_cast<WallTime::duration>(span);
    }

private:
    TimePoint now_ = std::chrono::steady_clock::now();
    WallTime wall_ = std::chrono::system_clock::now();
};

class CertificateFilesTest : public testing::Test {
protected:
    CertificateFilesTest() {
        std::string pattern = (fs::temp_directory_path() / "smw-certs-XXXXXX").string();
        folder_ = ::mkdtemp(pattern.data());
    }
    ~CertificateFilesTest() override {
        std::error_code ignored;
        fs::remove_all(folder_, ignored);
    }

    [[nodiscard]] CertificateFilesSettings settings() const {
        CertificateFilesSettings settings;
        settings.folder = folder_;
        return settings;
    }
    [[nodiscard]] CertificateFiles make() {
        return {settings(), clock_, output_.logger(), metrics_};
    }

    void write(const fs::path& name, const std::string& text) const {
        std::ofstream{folder_ / name, std::ios::binary} << text;
    }
    void write(const Pair& pair) const {
        write("tls.crt", pair.chain_pem);
        write("tls.key", pair.key_pem);
    }
    /// As the kubelet does: a new folder, then ..data is renamed over.
    void swap_in(const Pair& pair) {
        const std::string name = "..v" + std::to_string(++version_);
        fs::create_directory(folder_ / name);
        write(fs::path{name} / "tls.crt", pair.chain_pem);
        write(fs::path{name} / "tls.key", pair.key_pem);
        fs::create_directory_symlink(name, folder_ / "..data_tmp");
        fs::rename(folder_ / "..data_tmp", folder_ / "..data");
        if (version_ == 1) {
            fs::create_symlink("..data/tls.crt", folder_ / "tls.crt");
            fs::create_symlink("..data/tls.key", folder_ / "tls.key");
        } else {
            fs::remove_all(folder_ / ("..v" + std::to_string(version_ - 1)));
        }
    }

    [[nodiscard]] std::string metric(const std::string& series) const {
        const std::string text = metrics_.expose();
        const auto at = text.find("\n" + series + " ");
        const auto from = at + series.size() + 2;
        return at == std::string::npos ? "" : text.substr(from, text.find('\n', from) - from);
    }
    [[nodiscard]] std::string reloads(const std::string& result) const {
        return metric("smw_certificate_reloads_total{result=\"" + result + "\"}");
    }
    [[nodiscard]] std::size_t errors() const { return output_.count(log::Level::Error); }

    static std::string served(const CertificateFiles& files) {
        const auto context = files.contexts().load();
        return context ? context->identity().chain_pem : "";
    }
    static std::string problem(const CertificateFiles& files) {
        const auto why = files.problem();
        return why ? *why : "";
    }

    fs::path folder_;
    FakeClock clock_;
    test::RecordingOutput output_;
    metrics::Registry metrics_;
    int version_ = 0;
};

TEST_F(CertificateFilesTest, ServesAGoodPair) {
    const Pair pair = test::make_pair();
    write(pair);
    auto files = make();
    files.load();
    EXPECT_EQ(served(files), pair.chain_pem);
    EXPECT_EQ(problem(files), "");
    EXPECT_EQ(errors(), 0U);
    EXPECT_EQ(output_.count("Serving certificate loaded"), 1U);
    EXPECT_EQ(reloads("ok"), "0") << "the first load does not count";
    const auto expiry = files.contexts().load()->identity().not_after.time_since_epoch();
    EXPECT_EQ(std::stod(metric("smw_certificate_expiry_timestamp_seconds{role=\"serving\"}")),
              static_cast<double>(std::chrono::duration_cast<seconds>(expiry).count()));
    const auto version = files.contexts().version();
    files.load();
    EXPECT_EQ(files.contexts().version(), version) << "the same content is no reload";
}

TEST_F(CertificateFilesTest, TakesOtherFileNames) {
    const Pair pair = test::make_pair();
    write("a.pem", pair.chain_pem);
    write("b.pem", pair.key_pem);
    auto chosen = settings();
    chosen.certificate_name = "a.pem";
    chosen.key_name = "b.pem";
    CertificateFiles files{chosen, clock_, output_.logger(), metrics_};
    files.load();
    EXPECT_EQ(served(files), pair.chain_pem);
}

TEST_F(CertificateFilesTest, SaysWhatIsMissingUntilItAppears) {
    auto files = make();
    files.load();
    EXPECT_EQ(served(files), "");
    EXPECT_EQ(problem(files), (folder_ / "tls.crt").string() + " is not there");
    const Pair pair = test::make_pair();
    write("tls.crt", pair.chain_pem);
    files.load();
    EXPECT_EQ(problem(files), (folder_ / "tls.key").string() + " is not there");
    files.load();
    EXPECT_EQ(errors(), 2U) << "each is said once\n" << output_.text();
    write("tls.key", pair.key_pem);
    files.load();
    EXPECT_EQ(served(files), pair.chain_pem);
    EXPECT_EQ(problem(files), "");
    EXPECT_EQ(reloads("rejected"), "0");
}

TEST_F(CertificateFilesTest, SaysWhatIsWrongAtTheStart) {
    write({"garbage", "garbage"});
    auto files = make();
    files.load();
    EXPECT_EQ(served(files), "");
    EXPECT_THAT(problem(files), HasSubstr("no PEM certificate"));
    EXPECT_EQ(errors(), 1U);
    fs::remove(folder_ / "tls.key");
    fs::create_directory(folder_ / "tls.key");
    files.load();
    EXPECT_THAT(problem(files), HasSubstr("tls.key is not a file"));
    fs::remove(folder_ / "tls.key");
    write({std::string((1U << 20) + 1, 'x'), "garbage"});
    files.load();
    EXPECT_THAT(problem(files), HasSubstr("tls.crt is larger than 1 MiB"));
}

TEST_F(CertificateFilesTest, FollowsTheKubeletsSwap) {
    const Pair first = test::make_pair();
    const Pair second = test::make_pair();
    swap_in(first);
    auto files = make();
    files.load();
    EXPECT_EQ(served(files), first.chain_pem);
    const auto held = files.contexts().load();
    swap_in(second);
    files.load();
    EXPECT_EQ(served(files), second.chain_pem);
    EXPECT_EQ(held->identity().chain_pem, first.chain_pem);
    EXPECT_EQ(reloads("ok"), "1");
    EXPECT_EQ(errors(), 0U);
    EXPECT_EQ(output_.count("Serving certificate reloaded"), 1U);
}

TEST_F(CertificateFilesTest, AHalfWrittenPairIsNoNews) {
    const Pair first = test::make_pair();
    const Pair second = test::make_pair();
    write(first);
    auto files = make();
    files.load();
    write("tls.key", second.key_pem);
    files.load();
    clock_.advance(std::chrono::milliseconds{4900});
    files.load();
    EXPECT_EQ(served(files), first.chain_pem);
    EXPECT_EQ(problem(files), "");
    write("tls.crt", second.chain_pem);
    files.load();
    EXPECT_EQ(served(files), second.chain_pem);
    EXPECT_EQ(errors(), 0U) << output_.text();
    EXPECT_EQ(reloads("rejected"), "0");
    EXPECT_EQ(reloads("ok"), "1");
}

TEST_F(CertificateFilesTest, AFileThatIsGoneForAMomentIsNoNews) {
    const Pair first = test::make_pair();
    const Pair second = test::make_pair();
    write(first);
    auto files = make();
    files.load();
    fs::remove(folder_ / "tls.crt");
    files.load();
    write(second);
    files.load();
    EXPECT_EQ(served(files), second.chain_pem);
    EXPECT_EQ(errors(), 0U) << output_.text();
}

TEST_F(CertificateFilesTest, ABadPairLeavesTheOldOneServingAndIsToldOnce) {
    const Pair good = test::make_pair();
    write(good);
    auto files = make();
    files.load();
    write("tls.key", test::make_pair().key_pem);
    files.load();
    EXPECT_EQ(problem(files), "");
    clock_.advance(seconds{5});
    files.load();
    clock_.advance(seconds{300});
    files.load();
    EXPECT_EQ(served(files), good.chain_pem);
    EXPECT_THAT(problem(files), HasSubstr("does not belong"));
    EXPECT_EQ(errors(), 1U) << output_.text();
    EXPECT_EQ(reloads("rejected"), "1");
    write({"garbage", "garbage"});
    files.load();
    clock_.advance(seconds{5});
    files.load();
    files.load();
    EXPECT_EQ(errors(), 2U);
    EXPECT_EQ(reloads("rejected"), "2");
    write(good);
    files.load();
    EXPECT_EQ(problem(files), "") << "the old content is back";
    EXPECT_EQ(reloads("ok"), "0");
}

TEST_F(CertificateFilesTest, RemovedFilesLeaveItServingAndMayComeBack) {
    const Pair pair = test::make_pair();
    write(pair);
    auto files = make();
    files.load();
    fs::remove(folder_ / "tls.crt");
    fs::remove(folder_ / "tls.key");
    files.load();
    clock_.advance(seconds{5});
    files.load();
    EXPECT_EQ(served(files), pair.chain_pem);
    EXPECT_THAT(problem(files), HasSubstr("is not there"));
    EXPECT_EQ(errors(), 1U);
    write(pair);
    files.load();
    EXPECT_EQ(problem(files), "");
    EXPECT_EQ(reloads("rejected"), "0");
}

TEST_F(CertificateFilesTest, AnExpiredPairAtTheStartIsServedAndToldOnceAMinute) {
    const Pair pair = test::make_pair({.not_after = clock_.wall() - hours{1}});
    write(pair);
    auto files = make();
    files.load();
    EXPECT_EQ(served(files), pair.chain_pem);
    EXPECT_THAT(problem(files), HasSubstr("the certificate expired at"));
    EXPECT_EQ(errors(), 1U);
    clock_.advance(seconds{59});
    files.load();
    EXPECT_EQ(errors(), 1U);
    clock_.advance(seconds{1});
    files.load();
    EXPECT_EQ(errors(), 2U);
    const Pair renewed = test::make_pair();
    write(renewed);
    files.load();
    EXPECT_EQ(served(files), renewed.chain_pem);
    EXPECT_EQ(problem(files), "");
    EXPECT_EQ(errors(), 2U);
}

TEST_F(CertificateFilesTest, TheOneServingMayExpireAndIsServedOn) {
    const Pair pair = test::make_pair({.not_after = clock_.wall() + hours{1}});
    write(pair);
    auto files = make();
    files.load();
    EXPECT_EQ(problem(files), "");
    clock_.advance(hours{2});
    files.load();
    EXPECT_EQ(served(files), pair.chain_pem);
    EXPECT_THAT(problem(files), HasSubstr("the certificate expired at"));
    EXPECT_EQ(errors(), 1U);
}

TEST_F(CertificateFilesTest, AnExpiredPairDoesNotReplaceAGoodOne) {
    const Pair good = test::make_pair();
    write(good);
    auto files = make();
    files.load();
    write(test::make_pair({.not_after = clock_.wall() - hours{1}}));
    files.load();
    EXPECT_EQ(served(files), good.chain_pem);
    EXPECT_THAT(problem(files), HasSubstr("expired"));
    EXPECT_EQ(errors(), 1U);
    EXPECT_EQ(reloads("rejected"), "1");
}

TEST_F(CertificateFilesTest, APairOfTheFutureIsTakenWhenItsTimeHasCome) {
    const Pair good = test::make_pair();
    write(good);
    auto files = make();
    files.load();
    const Pair next = test::make_pair({.not_before = clock_.wall() + seconds{30}});
    write(next);
    files.load();
    EXPECT_EQ(served(files), good.chain_pem);
    EXPECT_THAT(problem(files), HasSubstr("not valid before"));
    clock_.advance(seconds{31});
    files.load();
    EXPECT_EQ(served(files), next.chain_pem);
    EXPECT_EQ(problem(files), "");
    EXPECT_EQ(reloads("ok"), "1");
}

TEST_F(CertificateFilesTest, WarnsOfWhatIsSuspicious) {
    auto chosen = settings();
    chosen.expected_names = {"svc.ns.svc"};
    write(test::make_pair({}, test::KeyKind::Rsa1024));
    CertificateFiles files{chosen, clock_, output_.logger(), metrics_};
    files.load();
    EXPECT_NE(served(files), "");
    EXPECT_EQ(output_.count("its RSA key has only 1024 bits"), 1U) << output_.text();
    EXPECT_EQ(output_.count("it has no SAN svc.ns.svc"), 1U);
    EXPECT_EQ(errors(), 0U);
}

TEST_F(CertificateFilesTest, NeverLogsTheKey) {
    const Pair pair = test::make_pair();
    write({pair.chain_pem, pair.key_pem.substr(0, 100)});
    auto files = make();
    files.load();
    write(pair);
    files.load();
    EXPECT_EQ(output_.count("PRIVATE KEY"), 0U);
    EXPECT_EQ(output_.count(pair.key_pem.substr(30, 20)), 0U);
}

TEST_F(CertificateFilesTest, FollowSeesChangesUntilCancelled) {
    const Pair first = test::make_pair();
    const Pair second = test::make_pair();
    swap_in(first);
    async::Shard shard{"follow"};
    auto files = make();
    auto tasks = std::make_unique<async::TaskGroup>(
        shard.executor(), [](std::exception_ptr) { FAIL() << "follow() must not throw"; });
    shard.start();
    boost::asio::post(shard.executor(), [&] { tasks->spawn(files.follow(shard.executor())); });
    EXPECT_TRUE(test::eventually([&] { return served(files) == first.chain_pem; }));
    swap_in(second);
    EXPECT_TRUE(test::eventually([&] { return served(files) == second.chain_pem; }));
    const auto end = [&]() -> Task<bool> {
        tasks->cancel();
        co_return co_await tasks->join(Deadline::after(test::kPatience));
    };
    EXPECT_TRUE(boost::asio::co_spawn(shard.executor(), end(), boost::asio::use_future).get());
    shard.stop();
}

}  // namespace
}  // namespace smw::tls
