#include "smw/tls/certificate_files.hpp"

#include "secret_volume.hpp"
#include "support/certificates.hpp"

#include <gmock/gmock.h>

#include <string>
#include <sys/stat.h>

namespace smw::tls {
namespace {

namespace fs = std::filesystem;
using std::chrono::hours;
using std::chrono::seconds;
using test::Pair;
using testing::HasSubstr;

class CertificateFilesTest : public test::SecretVolumeTest {
protected:
    [[nodiscard]] CertificateFilesSettings settings() const {
        CertificateFilesSettings settings;
        settings.folder = path();
        return settings;
    }
    [[nodiscard]] CertificateFiles make() {
        return {settings(), clock_, output_.logger(), metrics_};
    }

    using SecretVolumeTest::write;
    void write(const Pair& pair) const {
        write("tls.crt", pair.chain_pem);
        write("tls.key", pair.key_pem);
    }
    void swap_in(const Pair& pair) {
        SecretVolumeTest::swap_in({{"tls.crt", pair.chain_pem}, {"tls.key", pair.key_pem}});
    }

    static std::string served(const CertificateFiles& files) {
        const auto context = files.serving().contexts().load();
        return context ? context->identity().chain_pem : "";
    }
    static std::string problem(const CertificateFiles& files) {
        const auto why = files.serving().problem();
        return why ? *why : "";
    }
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
    const auto expiry = files.serving().contexts().load()->identity().not_after.time_since_epoch();
    EXPECT_EQ(std::stod(metric("smw_certificate_expiry_timestamp_seconds{role=\"serving\"}")),
              static_cast<double>(std::chrono::duration_cast<seconds>(expiry).count()));
    const auto version = files.serving().contexts().version();
    files.load();
    EXPECT_EQ(files.serving().contexts().version(), version) << "the same content is no reload";
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
    EXPECT_EQ(problem(files), (path() / "tls.crt").string() + ": No such file or directory");
    const Pair pair = test::make_pair();
    write("tls.crt", pair.chain_pem);
    files.load();
    EXPECT_EQ(problem(files), (path() / "tls.key").string() + ": No such file or directory");
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
    fs::remove(path() / "tls.key");
    fs::create_directory(path() / "tls.key");
    files.load();
    EXPECT_THAT(problem(files), HasSubstr("tls.key: is a folder"));
    fs::remove(path() / "tls.key");
    write({std::string((1U << 20) + 1, 'x'), "garbage"});
    files.load();
    EXPECT_THAT(problem(files), HasSubstr("tls.crt: is larger than 1 MiB"));
}

TEST_F(CertificateFilesTest, FollowsTheKubeletsSwap) {
    const Pair first = test::make_pair();
    const Pair second = test::make_pair();
    swap_in(first);
    auto files = make();
    files.load();
    EXPECT_EQ(served(files), first.chain_pem);
    const auto held = files.serving().contexts().load();
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
    clock_.turn(std::chrono::milliseconds{4900});
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
    fs::remove(path() / "tls.crt");
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
    clock_.turn(seconds{5});
    files.load();
    clock_.turn(seconds{300});
    files.load();
    EXPECT_EQ(served(files), good.chain_pem);
    EXPECT_THAT(problem(files), HasSubstr("does not belong"));
    EXPECT_EQ(errors(), 1U) << output_.text();
    EXPECT_EQ(reloads("rejected"), "1");
    write({"garbage", "garbage"});
    files.load();
    clock_.turn(seconds{5});
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
    fs::remove(path() / "tls.crt");
    fs::remove(path() / "tls.key");
    files.load();
    clock_.turn(seconds{5});
    files.load();
    EXPECT_EQ(served(files), pair.chain_pem);
    EXPECT_THAT(problem(files), HasSubstr("No such file"));
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
    clock_.turn(seconds{59});
    files.load();
    EXPECT_EQ(errors(), 1U);
    clock_.turn(seconds{1});
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
    clock_.turn(hours{2});
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
    clock_.turn(seconds{31});
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

TEST_F(CertificateFilesTest, TheFolderMayGoAndComeBack) {
    const Pair first = test::make_pair();
    const Pair second = test::make_pair();
    write(first);
    auto files = make();
    files.load();
    fs::remove_all(path());
    files.load();
    clock_.turn(seconds{5});
    files.load();
    EXPECT_EQ(served(files), first.chain_pem);
    EXPECT_THAT(problem(files), HasSubstr("No such file"));
    EXPECT_EQ(errors(), 1U);
    write(second);
    files.load();
    EXPECT_EQ(served(files), second.chain_pem);
    EXPECT_EQ(problem(files), "");
    EXPECT_EQ(reloads("ok"), "1");
    EXPECT_EQ(reloads("rejected"), "0");
}

TEST_F(CertificateFilesTest, HugeFilesTakeNoMemoryAndLeaveTheOldPairServing) {
    const Pair good = test::make_pair();
    write(good);
    auto files = make();
    files.load();
    for (const char* name : {"tls.crt", "tls.key"}) {
        fs::resize_file(path() / name, std::uintmax_t{1} << 40);
        files.load();
        clock_.turn(seconds{5});
        files.load();
        EXPECT_EQ(served(files), good.chain_pem);
        EXPECT_EQ(problem(files), (path() / name).string() + ": is larger than 1 MiB");
        write(good);
        files.load();
        EXPECT_EQ(problem(files), "");
    }
}

TEST_F(CertificateFilesTest, AFifoIsNotWaitedFor) {
    ASSERT_EQ(::mkfifo((path() / "tls.crt").c_str(), 0600), 0);
    auto files = make();
    files.load();
    EXPECT_THAT(problem(files), HasSubstr("tls.crt: is not a regular file"));
}

TEST_F(CertificateFilesTest, ASwapSeenHalfwayIsNoNews) {
    const Pair first = test::make_pair();
    const Pair second = test::make_pair();
    swap_in(first);
    auto files = make();
    files.load();
    // Links that point to nothing for a moment.
    fs::rename(path() / "..data", path() / "..gone");
    files.load();
    EXPECT_EQ(problem(files), "");
    fs::rename(path() / "..gone", path() / "..data");
    swap_in(second);
    files.load();
    EXPECT_EQ(served(files), second.chain_pem);
    EXPECT_EQ(errors(), 0U) << output_.text();
}

}  // namespace
}  // namespace smw::tls
