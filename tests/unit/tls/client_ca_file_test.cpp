#include "smw/tls/client_ca_file.hpp"

#include "secret_volume.hpp"
#include "support/certificates.hpp"

#include <gmock/gmock.h>

#include <string>

namespace smw::tls {
namespace {

namespace fs = std::filesystem;
using std::chrono::hours;
using std::chrono::seconds;
using testing::HasSubstr;

class ClientCaFileTest : public test::SecretVolumeTest {
protected:
    [[nodiscard]] ClientCaFile make() {
        ClientCaFileSettings settings;
        settings.file = path() / "ca.crt";
        return {settings, clock_, output_.logger(), metrics_};
    }
    [[nodiscard]] std::string ca_pem(Duration until = hours{999}, Duration from = -hours{1}) const {
        using std::chrono::duration_cast;
        test::CertificateSpec spec;
        spec.is_ca = true;
        spec.not_before = clock_.wall() + duration_cast<WallTime::duration>(from);
        spec.not_after = clock_.wall() + duration_cast<WallTime::duration>(until);
        return test::to_pem(test::issue(spec, test::make_key()));
    }
    static std::string problem(const ClientCaFile& file) {
        const auto why = file.problem();
        return why ? *why : "";
    }
};

TEST_F(ClientCaFileTest, PublishesAGoodCaAndItsExpiry) {
    const auto sooner = ca_pem(hours{100});
    write("ca.crt", ca_pem() + sooner);
    auto file = make();
    file.load();
    ASSERT_NE(file.cas().load(), nullptr);
    EXPECT_EQ(problem(file), "");
    EXPECT_EQ(output_.count("Client CA loaded"), 1U) << output_.text();
    const auto expiry = file.cas().load()->expiry().time_since_epoch();
    EXPECT_EQ(std::stod(metric("smw_certificate_expiry_timestamp_seconds{role=\"client-ca\"}")),
              static_cast<double>(std::chrono::duration_cast<seconds>(expiry).count()));
    EXPECT_EQ(reloads("ok"), "0") << "the first load does not count";
    const auto version = file.cas().version();
    file.load();
    EXPECT_EQ(file.cas().version(), version) << "the same content is no reload";
}

TEST_F(ClientCaFileTest, SaysWhatIsMissingUntilItAppears) {
    auto file = make();
    file.load();
    file.load();
    EXPECT_EQ(file.cas().load(), nullptr);
    EXPECT_EQ(problem(file), (path() / "ca.crt").string() + ": No such file or directory");
    EXPECT_EQ(errors(), 1U);
    write("ca.crt", "garbage");
    file.load();
    EXPECT_EQ(problem(file), "the client CA holds no certificate");
    write("ca.crt", ca_pem());
    file.load();
    EXPECT_NE(file.cas().load(), nullptr);
    EXPECT_EQ(problem(file), "");
    EXPECT_EQ(reloads("rejected"), "0");
}

TEST_F(ClientCaFileTest, FollowsTheKubeletsSwap) {
    swap_in({{"ca.crt", ca_pem()}});
    auto file = make();
    file.load();
    const auto held = file.cas().load();
    swap_in({{"ca.crt", ca_pem()}});
    file.load();
    EXPECT_NE(file.cas().load(), held);
    EXPECT_EQ(reloads("ok"), "1");
    EXPECT_EQ(output_.count("Client CA reloaded"), 1U);
    EXPECT_EQ(errors(), 0U);
}

TEST_F(ClientCaFileTest, ABadFileLeavesTheOldCaInForceAndIsToldOnce) {
    const auto good = ca_pem();
    write("ca.crt", good);
    auto file = make();
    file.load();
    const auto in_force = file.cas().load();
    std::size_t told = 0;
    for (const auto& bad : {std::string{}, std::string{"garbage"}, good.substr(0, 200),
                            std::string((std::size_t{1} << 20) + 1, 'x')}) {
        write("ca.crt", bad);
        file.load();
        EXPECT_EQ(problem(file), "") << "half-written files are no news";
        clock_.turn(seconds{5});
        file.load();
        file.load();
        ++told;
        EXPECT_EQ(file.cas().load(), in_force);
        EXPECT_NE(problem(file), "");
        EXPECT_EQ(errors(), told) << output_.text();
        write("ca.crt", good);
        file.load();
        EXPECT_EQ(problem(file), "") << "the old content is back";
    }
    EXPECT_EQ(reloads("rejected"), "3") << "what is too large is not read";
    EXPECT_EQ(reloads("ok"), "0");
}

TEST_F(ClientCaFileTest, AnExpiredOneDoesNotReplaceAGoodOne) {
    write("ca.crt", ca_pem());
    auto file = make();
    file.load();
    const auto in_force = file.cas().load();
    write("ca.crt", ca_pem(-hours{1}, -hours{2}));
    file.load();
    EXPECT_EQ(file.cas().load(), in_force);
    EXPECT_THAT(problem(file), HasSubstr("the client CA expired at"));
    EXPECT_EQ(reloads("rejected"), "1");
}

TEST_F(ClientCaFileTest, OneOfTheFutureIsTakenWhenItsTimeHasCome) {
    write("ca.crt", ca_pem());
    auto file = make();
    file.load();
    const auto in_force = file.cas().load();
    write("ca.crt", ca_pem(hours{9}, seconds{30}));
    file.load();
    EXPECT_EQ(file.cas().load(), in_force);
    EXPECT_THAT(problem(file), HasSubstr("is not valid before"));
    clock_.turn(seconds{31});
    file.load();
    EXPECT_NE(file.cas().load(), in_force);
    EXPECT_EQ(problem(file), "");
}

TEST_F(ClientCaFileTest, TheOneInForceMayExpireAndIsToldOnceAMinute) {
    write("ca.crt", ca_pem(hours{80}));
    auto file = make();
    file.load();
    clock_.turn(hours{81});
    file.load();
    EXPECT_NE(file.cas().load(), nullptr);
    EXPECT_THAT(problem(file), HasSubstr("the client CA expired at"));
    EXPECT_EQ(errors(), 1U);
    clock_.turn(seconds{59});
    file.load();
    EXPECT_EQ(errors(), 1U);
    clock_.turn(seconds{1});
    file.load();
    EXPECT_EQ(errors(), 2U);
}

TEST_F(ClientCaFileTest, WarnsOfWhatIsSuspicious) {
    write("ca.crt", ca_pem() + ca_pem(-hours{1}, -hours{2}));
    auto file = make();
    file.load();
    EXPECT_EQ(output_.count("certificate number 2 expired at"), 1U) << output_.text();
    EXPECT_EQ(output_.count(log::Level::Warn), 1U);
    EXPECT_EQ(problem(file), "");
}

TEST_F(ClientCaFileTest, AFileThatIsGoneLeavesTheCaInForce) {
    write("ca.crt", ca_pem());
    auto file = make();
    file.load();
    fs::remove(path() / "ca.crt");
    file.load();
    clock_.turn(seconds{5});
    file.load();
    EXPECT_NE(file.cas().load(), nullptr);
    EXPECT_THAT(problem(file), HasSubstr("No such file"));
    EXPECT_EQ(reloads("rejected"), "0");
}

}  // namespace
}  // namespace smw::tls
