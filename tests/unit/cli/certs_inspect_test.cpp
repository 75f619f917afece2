#include "cli/certs_report.hpp"
#include "unit/cli/certs_inspect_world.hpp"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

namespace smw::cli {
namespace {

using CertsInspect = test::CertsInspect;
using nlohmann::json;
using std::chrono::hours;
using test::kFqdn;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

TEST_F(CertsInspect, SaysThatAFolderIsGood) {
    EXPECT_EQ(inspect({path("d"), "--service-namespace", "ns"}), 0);
    EXPECT_THAT(out_, StartsWith("folder " + path("d") + ": good\n  trusted       by ca.crt\n\n"));
    EXPECT_THAT(out_, HasSubstr("\n  Certificate (tls.crt)\n"
                                "    subject     CN=stateful-migration-webhook-service\n"
                                "    issuer      CN=stateful-migration-webhook-ca-"));
    EXPECT_THAT(out_, HasSubstr("    SANs        stateful-migration-webhook-service.ns.svc\n"
                                "                stateful-migration-webhook-service.ns\n"));
    EXPECT_THAT(out_, HasSubstr("    key         EC P-256, signed with ecdsa-with-SHA256\n"
                                "    usage       serverAuth\n"));
    EXPECT_THAT(out_, HasSubstr(", 7 days left\n"));
    EXPECT_THAT(out_, HasSubstr("\n  CA (ca.crt)\n"));
    EXPECT_THAT(out_, HasSubstr("    issuer      itself\n"));
    EXPECT_THAT(err_, IsEmpty());
}

TEST_F(CertsInspect, HasTheSameInJson) {
    const auto report = inspect_json({path("d"), "--service-namespace", "ns"});
    EXPECT_EQ(status_, 0);
    EXPECT_EQ(report["place"], "folder " + path("d"));
    EXPECT_EQ(report["verdict"], "good");
    EXPECT_EQ(report["askedName"], kFqdn);
    EXPECT_TRUE(report["findings"].empty());
    EXPECT_EQ(report["trust"],
              json::parse(R"([{"by": "ca.crt", "name": "", "trusted": true, "why": ""}])"));
    const auto& leaf = report["certificates"][0]["chain"][0];
    EXPECT_EQ(leaf["subject"], "CN=stateful-migration-webhook-service");
    EXPECT_EQ(leaf["names"].size(), 4U);
    EXPECT_EQ(leaf["extendedKeyUsages"], json::array({"serverAuth"}));
    EXPECT_EQ(leaf["isCA"], false);
    EXPECT_EQ(leaf["secondsLeft"], 7 * 24 * 3600);
    EXPECT_EQ(report["certificates"][1]["chain"][0]["isCA"], true);
}

TEST_F(CertsInspect, SaysAllThatIsWrongTheWorstFirst) {
    std::filesystem::remove(path("d/tls.key"));
    now_ += hours{24 * 100};
    EXPECT_EQ(inspect({path("d"), "--service-namespace", "other"}), 1);
    EXPECT_THAT(out_, HasSubstr(": not good\n  refused       tls.key is not there\n"
                                "  refused       the certificate expired at "));
    EXPECT_THAT(out_, HasSubstr("\n  suspicious    it has no SAN stateful-migration-webhook-service"
                                ".other.svc, which the API server asks for\n"));
    EXPECT_THAT(out_, HasSubstr("\n  not trusted   by ca.crt: CN=stateful-migration-webhook-service"
                                " expired at "));
    EXPECT_THAT(out_, HasSubstr(", expired 93 days ago\n"));
    const auto report = inspect_json({path("d"), "--service-namespace", "other"});
    EXPECT_EQ(report["verdict"], "refused");
    EXPECT_EQ(report["findings"][0]["rule"], "missing");
    EXPECT_EQ(report["findings"][1]["rule"], "expired");
    EXPECT_EQ(report["findings"][1]["severity"], "refused");
}

TEST_F(CertsInspect, TakesWhatIsOnlySuspicious) {
    EXPECT_EQ(inspect({path("d"), "--service-namespace", "other"}), 0);
    EXPECT_THAT(out_, HasSubstr(": good enough, but look at it\n  suspicious "));
    now_ -= hours{2};
    EXPECT_EQ(inspect({path("d"), "--service-namespace", "ns"}), 1);
    EXPECT_THAT(out_, HasSubstr(", begins in 1 hour\n"));
}

TEST_F(CertsInspect, SaysThatItDoesNotKnowWhatCallersAskFor) {
    EXPECT_EQ(inspect({path("d")}), 0);
    EXPECT_THAT(out_, HasSubstr("not judged    its SANs: say what callers ask for with "
                                "--service-namespace\n"));
    environment_["POD_NAMESPACE"] = "ns";
    EXPECT_EQ(inspect({path("d")}), 0);
    EXPECT_THAT(out_, Not(HasSubstr("not judged")));
    environment_["POD_NAMESPACE"] = "elsewhere";
    EXPECT_EQ(inspect({path("d")}), 0);
    EXPECT_THAT(out_, HasSubstr("has no SAN stateful-migration-webhook-service.elsewhere.svc"));
}

TEST_F(CertsInspect, LooksAtTheFolderThatServeWouldTake) {
    environment_["SMW_CERT_DIR"] = path("d");
    EXPECT_EQ(inspect({}), 0);
    EXPECT_THAT(out_, StartsWith("folder " + path("d") + ": good"));
    std::filesystem::rename(path("d/tls.crt"), path("d/a.pem"));
    std::filesystem::rename(path("d/tls.key"), path("d/b.pem"));
    EXPECT_EQ(inspect({"--cert-name=a.pem", "--key-name=b.pem"}), 0);
    EXPECT_THAT(out_, HasSubstr("Certificate (a.pem)"));
    EXPECT_EQ(inspect({}), 1);
    EXPECT_THAT(out_, HasSubstr("tls.crt is not there"));
    EXPECT_EQ(inspect({path("d")}), 0) << "a CA and its key are a place of their own";
    std::filesystem::remove(path("d/ca.key"));
    EXPECT_EQ(inspect({path("d")}), 1);
    EXPECT_THAT(out_, HasSubstr("tls.crt is not there"));
    environment_["SMW_CERT_DIR"] = path("nowhere");
    EXPECT_EQ(inspect({}), 1);
    EXPECT_EQ(out_, "folder " + path("nowhere") +
                        ": not good\n  refused       there is no such folder\n");
}

TEST_F(CertsInspect, PutsFilesTogether) {
    const auto chain = path("d/tls.crt");
    const auto key = path("d/tls.key");
    EXPECT_EQ(inspect({chain}), 0);
    EXPECT_THAT(out_, StartsWith("file " + chain + ": good\n"));
    for (const auto& files : std::vector<std::vector<std::string>>{{chain, key}, {key, chain}}) {
        EXPECT_EQ(inspect(files), 0) << out_;
        EXPECT_THAT(out_, StartsWith("file " + chain + " and " + key + ": good\n"));
    }
    EXPECT_EQ(inspect({chain, path("d/ca.key")}), 1);
    EXPECT_THAT(out_, HasSubstr("the private key does not belong"));
    EXPECT_EQ(inspect({key}), 1);
    EXPECT_THAT(out_, HasSubstr("refused       its certificate is not there\n"));
    EXPECT_EQ(inspect({path("d/ca.crt")}), 0);
    EXPECT_THAT(out_, HasSubstr("CA (" + path("d/ca.crt") + ")"));
    EXPECT_EQ(inspect({path("d/ca.crt"), path("d/ca.key")}), 0);
    EXPECT_EQ(inspect({path("d/ca.crt"), key}), 1);
    EXPECT_THAT(out_, HasSubstr("does not belong to the CA"));
    EXPECT_EQ(inspect({path("d/ca.crt"), chain, path("nowhere"), key}), 1);
    EXPECT_THAT(out_, HasSubstr("file " + path("nowhere") + ": not good\n  refused       " +
                                path("nowhere") + ": No such file or directory\n"));
    EXPECT_EQ(inspect({write("both", read("d/tls.key") + read("d/tls.crt"))}), 0);
    EXPECT_EQ(inspect({write("words", "words")}), 1);
    EXPECT_THAT(out_, HasSubstr("there is no PEM certificate in the chain"));
}

TEST_F(CertsInspect, ReadsStandardInput) {
    EXPECT_EQ(inspect({"-"}, read("d/tls.crt")), 0);
    EXPECT_THAT(out_, StartsWith("standard input: good\n"));
}

TEST_F(CertsInspect, JudgesEachPlace) {
    EXPECT_EQ(inspect({path("d"), path("d/tls.crt"), path("nowhere")}), 1);
    EXPECT_THAT(out_, AllOf(HasSubstr("folder "), HasSubstr("\n\nfile " + path("d/tls.crt")),
                            HasSubstr("\n\nfile " + path("nowhere"))));
}

TEST_F(CertsInspect, SaysWhatCannotBeRead) {
    std::filesystem::remove(path("d/tls.key"));
    write("d/tls.key/x", "");
    write("d/tls.crt", std::string((1U << 20U) + 1, 'x'));
    EXPECT_EQ(inspect({path("d")}), 1);
    EXPECT_THAT(out_, HasSubstr("  refused       tls.crt: is larger than 1 MiB\n"
                                "  refused       tls.key: is a folder\n"));
    EXPECT_THAT(out_, Not(HasSubstr("is not there")));
}

TEST_F(CertsInspect, NeverActsOnWhatIsInACertificate) {
    const auto ca = tls::issue_ca({"\x1b[31m\r\nrefused", now_, hours{1}});
    ASSERT_TRUE(ca);
    EXPECT_EQ(inspect({write("ca.pem", ca->certificate_pem)}), 0);
    EXPECT_THAT(out_, Not(HasSubstr("\x1b")));
    EXPECT_THAT(out_, Not(HasSubstr("\r")));
}

TEST_F(CertsInspect, HasColoursOnATerminalOnly) {
    EXPECT_EQ(inspect({path("d")}), 0);
    const auto plain = out_;
    EXPECT_THAT(plain, Not(HasSubstr("\x1b")));
    terminal_ = true;
    EXPECT_EQ(inspect({path("d")}), 0);
    std::string stripped;
    for (std::size_t at = 0; at < out_.size(); ++at) {
        if (out_[at] == '\x1b') {
            at = out_.find('m', at);
        } else {
            stripped += out_[at];
        }
    }
    EXPECT_NE(out_, plain);
    EXPECT_EQ(stripped, plain);
    EXPECT_EQ(inspect({path("d"), "--color=never"}), 0);
    EXPECT_EQ(out_, plain);
}

TEST_F(CertsInspect, SaysThatNobodyListens) {
    EXPECT_EQ(inspect({"--connect", "127.0.0.1:1"}), 1);
    EXPECT_EQ(out_,
              "listener 127.0.0.1:1: not good\n"
              "  refused       connecting to 127.0.0.1:1: Connection refused\n");
}

TEST_F(CertsInspect, RefusesAWrongCommandLine) {
    struct Case {
        std::vector<std::string> words;
        const char* says;
    };
    for (const auto& [words, says] : std::vector<Case>{
             {{"--secret=a"}, "there is no cluster to ask: give --kubeconfig FILE"},
             {{"--webhook-configuration=a"}, "there is no cluster to ask"},
             {{"--secret=a/b/c"}, "must be NAME or NAMESPACE/NAME"},
             {{"--secret=/b"}, "must be NAME or NAMESPACE/NAME"},
             {{"--secret=a/"}, "must be NAME or NAMESPACE/NAME"},
             {{"--connect=host"}, "must be HOST:PORT such as 127.0.0.1:9443 or [::1]:9443"},
             {{"--connect=:1"}, "must be HOST:PORT"},
             {{"--connect=host:0"}, "must be HOST:PORT"},
             {{"--connect=host:65536"}, "must be HOST:PORT"},
             {{"--connect=host:1x"}, "must be HOST:PORT"},
             {{"--connect=::1:9443"}, "must be HOST:PORT"},
             {{"--server-name=x"}, "--server-name is what --connect asks for: give both"},
             {{"--output=yaml"}, "must be text or json"},
         }) {
        EXPECT_EQ(inspect(words), 2) << says;
        EXPECT_THAT(err_, HasSubstr(says));
        EXPECT_THAT(out_, IsEmpty());
    }
    found_ = fail(Code::BadRequest, "/etc/k.conf: no such context");
    EXPECT_EQ(inspect({"--secret=a"}), 2);
    EXPECT_THAT(err_, HasSubstr("finding the cluster: /etc/k.conf: no such context"));
}

TEST(SpanInWords, HasTheTwoLargestUnits) {
    using std::chrono::seconds;
    EXPECT_EQ(span_in_words(seconds{0}), "0 seconds");
    EXPECT_EQ(span_in_words(seconds{1}), "1 second");
    EXPECT_EQ(span_in_words(seconds{61}), "1 minute 1 second");
    EXPECT_EQ(span_in_words(seconds{3600}), "1 hour");
    EXPECT_EQ(span_in_words(seconds{3601}), "1 hour");
    EXPECT_EQ(span_in_words(hours{24 * 7 + 3}), "7 days 3 hours");
    EXPECT_EQ(span_in_words(hours{24 * 365 * 2 + 25}), "2 years 1 day");
    EXPECT_EQ(span_in_words(seconds{-5}), "0 seconds");
}

}  // namespace
}  // namespace smw::cli
