#include "cli/certs_folder.hpp"
#include "unit/cli/certs_issue_world.hpp"

#include <gmock/gmock.h>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

namespace smw::cli {
namespace {

using CertsIssue = test::CertsIssue;
using std::chrono::hours;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

TEST_F(CertsIssue, MakesAFolderThatServesAndIsTrusted) {
    ASSERT_EQ(issue(), 0) << err_;
    EXPECT_THAT(judged().findings, IsEmpty());
    EXPECT_THAT(
        details("d/tls.crt").names,
        ElementsAre("stateful-migration-webhook-service.ns.svc",
                    "stateful-migration-webhook-service.ns", "stateful-migration-webhook-service",
                    "stateful-migration-webhook-service.ns.svc.cluster.local"));
    EXPECT_EQ(details("d/tls.crt").subject, "CN=stateful-migration-webhook-service");
    EXPECT_EQ(details("d/tls.crt").not_after, now_ + hours{168});
    EXPECT_EQ(details("d/ca.crt").not_after, now_ + hours{8760});
    EXPECT_TRUE(tls::believes({read("d/ca.crt"), "stateful-migration-webhook-service.ns.svc", now_},
                              read("d/tls.crt")));
    EXPECT_EQ(mode("d/ca.crt"), 0644U);
    EXPECT_EQ(mode("d/tls.crt"), 0644U);
    EXPECT_EQ(mode("d/ca.key"), 0600U);
    EXPECT_EQ(mode("d/tls.key"), 0600U);
    EXPECT_EQ(all_in("d").size(), 4U) << "nothing is left lying about";
    EXPECT_THAT(out_, HasSubstr("made  " + path("d/ca.crt") + " and ca.key: CN="));
    EXPECT_THAT(out_, HasSubstr("made  " + path("d/tls.crt") + " and tls.key: good for "));
    EXPECT_THAT(out_, HasSubstr("caBundle is: base64 -w0 " + path("d") + "/ca.crt\n"));
    EXPECT_THAT(out_, Not(HasSubstr("PRIVATE")));
}

TEST_F(CertsIssue, TakesServiceDomainAndLifetimes) {
    ASSERT_EQ(issue({"--service-name", "hook", "--cluster-domain", "example.org",
                     "--leaf-lifetime=48h", "--ca-lifetime=87600h"}),
              0)
        << err_;
    EXPECT_THAT(details("d/tls.crt").names,
                ElementsAre("hook.ns.svc", "hook.ns", "hook", "hook.ns.svc.example.org"));
    EXPECT_EQ(details("d/tls.crt").not_after, now_ + hours{48});
    EXPECT_EQ(details("d/ca.crt").not_after, now_ + hours{87600});
}

TEST_F(CertsIssue, TakesFurtherNames) {
    ASSERT_EQ(issue(), 0);
    ASSERT_EQ(issue({"--extra-names", "hook.example.com, 127.0.0.1"}), 0) << err_;
    EXPECT_THAT(out_, HasSubstr("has no SAN hook.example.com"));
    EXPECT_THAT(details("d/tls.crt").names,
                testing::IsSupersetOf({"hook.example.com", "127.0.0.1",
                                       "stateful-migration-webhook-service.ns.svc"}));
    EXPECT_EQ(issue({"--extra-names", "not a name"}), 1);
    EXPECT_THAT(refusal(), HasSubstr("\"not a name\" is neither a DNS name nor an IP address"));
}

TEST_F(CertsIssue, TakesTheNamespaceOfThePod) {
    environment_["POD_NAMESPACE"] = "apps";
    ASSERT_EQ(run({"issue", "--out", path("d")}), 0);
    EXPECT_THAT(details("d/tls.crt").names.front(), HasSubstr(".apps.svc"));
}

TEST_F(CertsIssue, KeepsWhatIsGoodByteForByte) {
    ASSERT_EQ(issue(), 0);
    const auto before = all_in("d");
    for (const bool force : {false, true}) {
        EXPECT_EQ(issue(force ? std::vector<std::string>{"--force"} : std::vector<std::string>{}),
                  0);
        EXPECT_EQ(all_in("d"), before);
        EXPECT_THAT(out_, HasSubstr("kept  " + path("d/ca.crt")));
        EXPECT_THAT(out_, HasSubstr("kept  " + path("d/tls.crt")));
        EXPECT_THAT(out_, Not(HasSubstr("caBundle")));
    }
}

TEST_F(CertsIssue, RenewsWithAThirdOfLifeLeftUnderTheSameCa) {
    ASSERT_EQ(issue(), 0);
    const auto before = all_in("d");
    now_ += hours{168 - 57};  // of 169 hours in all
    ASSERT_EQ(issue(), 0);
    EXPECT_EQ(all_in("d"), before);
    now_ += hours{2};
    ASSERT_EQ(issue(), 0);
    EXPECT_EQ(read("d/ca.crt"), before.at("ca.crt"));
    EXPECT_EQ(read("d/ca.key"), before.at("ca.key"));
    EXPECT_NE(read("d/tls.crt"), before.at("tls.crt"));
    EXPECT_NE(read("d/tls.key"), before.at("tls.key"));
    EXPECT_THAT(judged().findings, IsEmpty());
    EXPECT_THAT(out_, HasSubstr("less than a third of its life is left"));
}

TEST_F(CertsIssue, SaysFromWhenOnItRenews) {
    ASSERT_EQ(issue(), 0);
    const auto leaf = details("d/tls.crt");
    EXPECT_THAT(
        out_,
        HasSubstr("From " + tls::to_text(leaf.not_after - (leaf.not_after - leaf.not_before) / 3) +
                  " on the same command renews the certificate.\n"));
}

TEST_F(CertsIssue, ReplacesAnOwnCertificateThatIsNotGood) {
    struct Case {
        const char* what;
        std::function<void()> spoil;
        const char* says;
    };
    const std::vector<Case> cases{
        {"expired", [&] { now_ += hours{200}; }, "expired at"},
        {"another's key", [&] { write("d/tls.key", read("d/ca.key")); }, "does not belong"},
        {"no key", [&] { std::filesystem::remove(path("d/tls.key")); }, "tls.key is missing"},
        {"an empty key", [&] { write("d/tls.key", ""); }, "it is empty"},
    };
    for (const auto& [what, spoil, says] : cases) {
        std::filesystem::remove_all(path("d"));
        ASSERT_EQ(issue(), 0) << what;
        const auto ca = read("d/ca.crt");
        spoil();
        ASSERT_EQ(issue(), 0) << what << ": " << err_;
        EXPECT_THAT(out_, HasSubstr(says)) << what;
        EXPECT_EQ(read("d/ca.crt"), ca) << what;
        EXPECT_THAT(judged().findings, IsEmpty()) << what;
    }
}

TEST_F(CertsIssue, ReplacesACertificateThatLacksAName) {
    ASSERT_EQ(issue(), 0);
    ASSERT_EQ(issue({"--service-name", "other"}), 0) << err_;
    EXPECT_THAT(out_, HasSubstr("has no SAN other.ns.svc"));
    EXPECT_EQ(details("d/tls.crt").names.front(), "other.ns.svc");
}

TEST_F(CertsIssue, ReplacesAnOwnCaOnlyWhenItHasExpired) {
    ASSERT_EQ(issue(), 0);
    const auto before = read("d/ca.crt");
    now_ += hours{24 * 300};
    ASSERT_EQ(issue(), 0);
    EXPECT_EQ(read("d/ca.crt"), before);
    EXPECT_THAT(out_, HasSubstr("note: the CA expires at"));
    now_ += hours{24 * 64};
    ASSERT_EQ(issue(), 0);
    EXPECT_EQ(details("d/tls.crt").not_after, details("d/ca.crt").not_after);
    EXPECT_THAT(out_, HasSubstr("note: tls.crt ends with its CA"));
    now_ += hours{48};
    ASSERT_EQ(issue(), 0);
    EXPECT_NE(read("d/ca.crt"), before);
    EXPECT_THAT(out_, HasSubstr("its CA is new"));
    EXPECT_THAT(judged().findings, IsEmpty());
}

TEST_F(CertsIssue, OverwritesWhatIsNotFromHereOnlyByForce) {
    ASSERT_EQ(issue({}, "theirs"), 0);
    struct Case {
        const char* what;
        std::map<std::string, std::string> there;  ///< name → file to copy
        std::string says;
    };
    ASSERT_EQ(issue({}, "ours"), 0);
    const std::vector<Case> cases{
        {"a certificate alone",
         {{"tls.crt", "theirs/tls.crt"}, {"tls.key", "theirs/tls.key"}},
         "tls.crt is there without a CA, so it is not from here; --force overwrites it\n"},
        {"a key alone", {{"tls.key", "theirs/tls.key"}}, "tls.key is there without a CA"},
        {"a CA without its key", {{"ca.crt", "theirs/ca.crt"}}, "has no ca.key beside it"},
        {"a key of a CA", {{"ca.key", "theirs/ca.key"}}, "has no ca.crt beside it"},
        {"two halves",
         {{"ca.crt", "theirs/ca.crt"}, {"ca.key", "ours/ca.key"}},
         "cannot sign: the private key does not belong to the CA"},
        {"another CA's certificate",
         {{"ca.crt", "ours/ca.crt"},
          {"ca.key", "ours/ca.key"},
          {"tls.crt", "theirs/tls.crt"},
          {"tls.key", "theirs/tls.key"}},
         "tls.crt was not signed by ca.crt, so it is not from here"},
        {"a key beside our CA",
         {{"ca.crt", "ours/ca.crt"}, {"ca.key", "ours/ca.key"}, {"tls.key", "theirs/tls.key"}},
         "tls.key has no tls.crt beside it"},
    };
    for (const auto& [what, there, says] : cases) {
        std::filesystem::remove_all(path("d"));
        for (const auto& [name, source] : there) {
            write("d/" + name, read(source));
        }
        const auto before = all_in("d");
        EXPECT_EQ(issue(), 1) << what;
        EXPECT_THAT(refusal(), HasSubstr(says)) << what;
        EXPECT_EQ(all_in("d"), before) << what;
        EXPECT_EQ(issue({"--force"}), 0) << what << ": " << err_;
        EXPECT_THAT(judged().findings, IsEmpty()) << what;
        EXPECT_TRUE(tls::believes({read("d/ca.crt"), {}, now_}, read("d/tls.crt"))) << what;
    }
}

TEST_F(CertsIssue, KeepsAGoodCertificateOfACaWhoseKeyIsElsewhere) {
    ASSERT_EQ(issue(), 0);
    std::filesystem::remove(path("d/ca.key"));
    const auto before = all_in("d");
    ASSERT_EQ(issue(), 0);
    EXPECT_EQ(all_in("d"), before);
    EXPECT_THAT(out_, HasSubstr("has no ca.key beside it: when tls.crt must be renewed"));
}

TEST_F(CertsIssue, SignsWithAnotherFoldersCa) {
    ASSERT_EQ(issue({}, "ca"), 0);
    ASSERT_EQ(issue({"--ca", path("ca")}), 0) << err_;
    EXPECT_EQ(read("d/ca.crt"), read("ca/ca.crt"));
    EXPECT_FALSE(std::filesystem::exists(path("d/ca.key"))) << "it stays where it is";
    EXPECT_THAT(judged().findings, IsEmpty());
    EXPECT_TRUE(tls::believes({read("ca/ca.crt"), {}, now_}, read("d/tls.crt")));
    const auto before = all_in("d");
    ASSERT_EQ(issue({"--ca", path("ca")}), 0);
    EXPECT_EQ(all_in("d"), before);
    now_ += hours{150};
    ASSERT_EQ(issue({"--ca", path("ca")}), 0);
    EXPECT_NE(all_in("d"), before);
    EXPECT_EQ(read("d/ca.crt"), before.at("ca.crt"));
    ASSERT_EQ(issue({"--ca", path("ca")}, "ca"), 0) << "also the folder itself";
    EXPECT_TRUE(std::filesystem::exists(path("ca/ca.key")));
}

TEST_F(CertsIssue, RefusesACaThatCannotSign) {
    EXPECT_EQ(issue({"--ca", path("nowhere")}), 1);
    EXPECT_THAT(refusal(), HasSubstr("--ca: " + path("nowhere") + "/ca.crt: No such file"));
    ASSERT_EQ(issue({}, "ca"), 0);
    write("ca/ca.crt", read("ca/tls.crt"));
    write("ca/ca.key", read("ca/tls.key"));
    EXPECT_EQ(issue({"--ca", path("ca")}), 1);
    EXPECT_THAT(refusal(),
                HasSubstr("--ca: the CA (CN=stateful-migration-webhook-service) is no CA"));
}

TEST_F(CertsIssue, CopiesNoPrivateKeyWithTheCa) {
    ASSERT_EQ(issue({}, "ca"), 0);
    const auto certificate = read("ca/ca.crt");
    const auto key = read("ca/ca.key");
    for (const auto& combined : {certificate + key, key + certificate}) {
        write("ca/ca.crt", combined);
        for (const bool force : {false, true}) {
            EXPECT_EQ(issue({"--ca", path("ca"), force ? "--force" : "--force=false"}), 1);
            EXPECT_THAT(refusal(), HasSubstr("--ca: its ca.crt has a private key in it"));
            EXPECT_FALSE(std::filesystem::exists(path("d/ca.crt")));
        }
    }
}

TEST_F(CertsIssue, DoesNotMixTwoCas) {
    ASSERT_EQ(issue({}, "ca"), 0);
    ASSERT_EQ(issue(), 0);
    const auto before = all_in("d");
    for (const auto& flags : std::vector<std::vector<std::string>>{
             {"--ca", path("ca")}, {"--ca", path("ca"), "--force"}}) {
        EXPECT_EQ(issue(flags), 1);
        EXPECT_THAT(refusal(), HasSubstr("has a CA of its own (ca.key)"));
        EXPECT_EQ(all_in("d"), before);
    }
    std::filesystem::remove(path("d/ca.key"));
    EXPECT_EQ(issue({"--ca", path("ca")}), 1);
    EXPECT_THAT(refusal(), HasSubstr("ca.crt is not of the CA of --ca; --force overwrites it"));
    EXPECT_EQ(issue({"--ca", path("ca"), "--force"}), 0) << err_;
    EXPECT_EQ(read("d/ca.crt"), read("ca/ca.crt"));
    EXPECT_THAT(judged().findings, IsEmpty());
}

TEST_F(CertsIssue, WritesAllOrNothing) {
    ASSERT_EQ(issue(), 0);
    const IssuedFiles there{read("d/ca.crt"), read("d/ca.key"), read("d/tls.crt"),
                            read("d/tls.key")};
    std::filesystem::remove(path("d/tls.key"));
    write("d/tls.key/in-the-way", "");
    const auto before = all_in("d");
    const auto folder = IssueFolder::open(path("d"));
    ASSERT_TRUE(folder);
    const auto written =
        folder->write({{"ca.crt", "1"}, {"new", "2"}, {"tls.crt", "3"}, {"tls.key", "4", true}});
    ASSERT_FALSE(written);
    EXPECT_EQ(written.error().message, "writing " + path("d/tls.key") + ": Is a directory");
    EXPECT_EQ(all_in("d"), before);
}

TEST_F(CertsIssue, SaysWhatItCannotReadOrMake) {
    write("d/tls.crt/x", "");
    EXPECT_EQ(issue(), 1);
    EXPECT_THAT(refusal(), HasSubstr(path("d/tls.crt") + ": is a folder"));
    write("file", "");
    EXPECT_EQ(issue({}, "file"), 1);
    EXPECT_THAT(refusal(), HasSubstr(path("file")));
    EXPECT_EQ(issue({}, "file/d"), 1);
    EXPECT_THAT(refusal(), HasSubstr("making the folder " + path("file/d")));
}

TEST_F(CertsIssue, LetsOneProcessAtATimeIntoAFolder) {
    ASSERT_EQ(issue(), 0);
    const int other = ::open(path("d").c_str(), O_RDONLY | O_DIRECTORY);
    ASSERT_EQ(::flock(other, LOCK_EX), 0);
    EXPECT_EQ(issue(), 1);
    EXPECT_THAT(refusal(), HasSubstr("another process is issuing certificates in"));
    ::close(other);
    EXPECT_EQ(issue(), 0);
}

TEST_F(CertsIssue, RefusesAWrongCommandLine) {
    struct Case {
        std::vector<std::string> words;
        const char* says;
    };
    for (const auto& [words, says] : std::vector<Case>{
             {{}, "certs issue needs --out FOLDER"},
             {{"--service-name=A"}, "must be lower-case letters, digits and dashes"},
             {{"--service-name=-a"}, "must be lower-case letters, digits and dashes"},
             {{"--service-name=a.b"}, "must be lower-case letters, digits and dashes"},
             {{"--service-namespace=" + std::string(64, 'a')}, "63 at most"},
             {{"--cluster-domain=a..b"}, "must be a DNS domain such as cluster.local"},
             {{"--leaf-lifetime=59m"}, "must be a duration from 1h to 87600h"},
             {{"--ca-lifetime=87601h"}, "must be a duration from 1h to 87600h"},
             {{"--ca-lifetime=soon"}, "must be a duration from 1h to 87600h"},
             {{"operand", "--out=x"}, "unexpected argument \"operand\""},
         }) {
        auto all = words;
        all.insert(all.begin(), "issue");
        EXPECT_EQ(run(all), 2) << says;
        EXPECT_THAT(refusal(), HasSubstr(says));
    }
}

}  // namespace
}  // namespace smw::cli
