// Who is verified, who is refused, and what is counted and written about it.

#include "unit/tls/callers_world.hpp"
#include "unit/tls/extensions.hpp"

#include <gmock/gmock.h>

#include <array>
#include <utility>

namespace smw::tls::calls {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using Certificate = Caller::Certificate;

TEST_F(CallersTest, KnowsWhoHasAGoodCertificate) {
    trust({ca_});
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
        const auto caller = caller_of(leaf_of(ca_), version);
        EXPECT_EQ(caller.certificate, Certificate::Verified) << caller.problem;
        EXPECT_EQ(caller.problem, "");
        EXPECT_EQ(caller.subject, "CN=kube-apiserver");
        EXPECT_EQ(caller.issuer, "CN=client-ca");
        EXPECT_THAT(caller.names, ElementsAre("kube-apiserver", "api.example.com", "10.0.0.1",
                                              "fd00::1", "spiffe://cluster/api", "a@b.c"));
    }
}

TEST_F(CallersTest, TakesAnyCaOfTheFileAndChainsThatTheCallerSends) {
    const auto intermediate = make_ca("intermediate", &ca_);
    trust({make_ca("another"), ca_});
    auto shown = leaf_of(intermediate);
    EXPECT_EQ(caller_of(shown).certificate, Certificate::Unverified) << "its issuer is missing";
    shown.chain.push_back(intermediate.certificate);
    EXPECT_EQ(caller_of(shown).certificate, Certificate::Verified);
    trust({intermediate});
    EXPECT_EQ(caller_of(leaf_of(intermediate)).certificate, Certificate::Verified)
        << "an intermediate is trusted without its root";
    const auto pinned = leaf_of(make_ca("unknown"));
    trust({{pinned.chain.front(), pinned.key}});
    EXPECT_EQ(caller_of(pinned).certificate, Certificate::Verified)
        << "the very certificate is in the file";
}

TEST_F(CallersTest, TellsCasOfOneNameApart) {
    const auto next = make_ca("client-ca");
    const auto stranger = make_ca("client-ca");
    const auto intermediate = make_ca("intermediate", &next);
    auto shown = leaf_of(intermediate);
    shown.chain.push_back(intermediate.certificate);
    for (const auto& order : {std::vector{ca_, next}, std::vector{next, ca_}}) {
        trust(order);
        EXPECT_EQ(caller_of(leaf_of(ca_)).certificate, Certificate::Verified);
        EXPECT_EQ(caller_of(leaf_of(next)).certificate, Certificate::Verified);
        EXPECT_EQ(caller_of(shown).certificate, Certificate::Verified);
        const auto refused = caller_of(leaf_of(stranger));
        EXPECT_EQ(refused.certificate, Certificate::Unverified);
        EXPECT_THAT(refused.problem, HasSubstr("another key has signed it"));
    }
}

TEST_F(CallersTest, SaysWhyACertificateIsNotTrusted) {
    trust({ca_, make_ca("expired-ca", nullptr, {.not_after = kNow - hours{1}})});
    const auto changed = [](auto change) {
        auto spec = client_spec();
        change(spec);
        return spec;
    };
    const auto no_ca = leaf_of(ca_);
    struct Case {
        Shown shown;
        const char* problem;
    };
    const std::array cases{
        Case{leaf_of(make_ca("stranger")), "no certificate of the client CA has signed it"},
        Case{leaf_of(ca_, changed([](auto& s) { s.not_after = kNow - hours{1}; })),
             "it expired at 20"},
        Case{leaf_of(ca_, changed([](auto& s) { s.not_before = kNow + hours{1}; })),
             "it is not valid before 20"},
        Case{leaf_of(ca_, changed([](auto& s) { s.extended_key_usage = "serverAuth"; })),
             "clientAuth is not among its extended key usages"},
        Case{{{test::issue(client_spec(), no_ca.key)}, no_ca.key},
             "no certificate of the client CA has signed it"},
        Case{leaf_of(ca_, client_spec(), test::KeyKind::Rsa1024), "key too weak"},
    };
    for (const auto& [shown, problem] : cases) {
        for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
            const auto caller = caller_of(shown, version);
            EXPECT_EQ(caller.certificate, Certificate::Unverified) << problem;
            EXPECT_THAT(caller.problem, HasSubstr(problem));
            EXPECT_EQ(caller.subject, "CN=kube-apiserver");
        }
    }
}

TEST_F(CallersTest, BlamesTheOneAboveThatIsBad) {
    const auto expired = make_ca("expired", &ca_, {.not_after = kNow - hours{1}});
    const auto later = make_ca("later", &ca_, {.not_before = kNow + hours{1}});
    auto spec = client_spec();
    spec.common_name = "no-ca";
    const auto leaf = leaf_of(ca_, spec);
    const Issuer no_ca{leaf.chain.front(), leaf.key};
    trust({ca_});
    struct Case {
        const Issuer& above;
        const char* problem;
    };
    for (const auto& [above, problem] : {Case{expired, "a CA certificate above it has expired"},
                                         Case{later, "a CA certificate above it is not valid yet"},
                                         Case{no_ca, "a certificate above it is no CA"}}) {
        auto shown = leaf_of(above);
        shown.chain.push_back(above.certificate);
        EXPECT_EQ(caller_of(shown).problem, problem);
    }
}

TEST_F(CallersTest, BelievesNoCaThatDoesNotSayThatItIsOne) {
    auto bare = make_ca("bare");
    bare.certificate = test::without_extension(bare.certificate, NID_basic_constraints, bare.key);
    trust({{test::with_key_usage(bare.certificate, "keyCertSign", bare.key), bare.key}});
    const auto caller = caller_of(leaf_of(bare));
    EXPECT_EQ(caller.certificate, Certificate::Unverified);
    EXPECT_EQ(caller.problem, "a certificate above it is no CA");
}

TEST_F(CallersTest, BlamesWhatIsNotForClients) {
    const auto key = test::make_key();
    const Issuer for_servers{
        test::issue({.extended_key_usage = "serverAuth", .is_ca = true}, key, &ca_), key};
    trust({ca_});
    auto spec = client_spec();
    const auto not_for_clients =
        "it is not for clients: clientAuth is not among its extended key "
        "usages";
    spec.extended_key_usage = "serverAuth";
    EXPECT_EQ(caller_of(leaf_of(ca_, spec)).problem, not_for_clients);
    auto shown = leaf_of(for_servers);
    shown.chain.push_back(for_servers.certificate);
    EXPECT_EQ(caller_of(shown).problem, std::string{"a CA certificate above "} + not_for_clients);
    for (const auto* usage : {"keyEncipherment", "keyCertSign"}) {
        shown = leaf_of(ca_);
        shown.chain = {test::with_key_usage(shown.chain.front(), usage, ca_.key)};
        EXPECT_EQ(caller_of(shown).problem,
                  "its key may not be used in handshakes: its keyUsage has neither "
                  "digitalSignature nor keyAgreement");
    }
}

TEST_F(CallersTest, BlamesTheOneThatAnotherKeyHasSigned) {
    const auto stranger = make_ca("client-ca");
    const auto intermediate = make_ca("intermediate", &stranger);
    trust({ca_});
    const std::string problem =
        "it names the client CA as its issuer, but another key has signed it";
    EXPECT_EQ(caller_of(leaf_of(stranger)).problem, problem);
    auto shown = leaf_of(intermediate);
    shown.chain.push_back(intermediate.certificate);
    EXPECT_EQ(caller_of(shown).problem, "a CA certificate above " + problem);
}

TEST_F(CallersTest, ExtendedKeyUsagesAreReadAsGoDoes) {
    trust({ca_});
    auto spec = client_spec();
    for (const auto* usages : {"", "anyExtendedKeyUsage", "serverAuth,anyExtendedKeyUsage",
                               "serverAuth,clientAuth", "1.2.3.4,clientAuth"}) {
        spec.extended_key_usage = usages;
        EXPECT_EQ(caller_of(leaf_of(ca_, spec)).certificate, Certificate::Verified) << usages;
    }
    for (const auto* usages : {"serverAuth", "codeSigning", "1.2.3.4"}) {
        spec.extended_key_usage = usages;
        EXPECT_EQ(caller_of(leaf_of(ca_, spec)).certificate, Certificate::Unverified) << usages;
    }
}

TEST_F(CallersTest, AKeyThatMayNotShakeHandsShowsNobody) {
    trust({ca_});
    for (const auto& [usage, expected] :
         {std::pair{"digitalSignature", Certificate::Verified},
          std::pair{"keyAgreement", Certificate::Verified},
          std::pair{"digitalSignature,keyEncipherment", Certificate::Verified},
          std::pair{"keyEncipherment", Certificate::Unverified},
          std::pair{"keyCertSign", Certificate::Unverified}}) {
        auto shown = leaf_of(ca_);
        shown.chain = {test::with_key_usage(shown.chain.front(), usage, ca_.key)};
        EXPECT_EQ(caller_of(shown).certificate, expected) << usage;
    }
}

TEST_F(CallersTest, ShakesHandsWithWhoShowsNothing) {
    trust({ca_});
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
        EXPECT_EQ(caller_of({}, version).certificate, Certificate::None);
    }
}

TEST_F(CallersTest, AsksNobodyWithoutAClientCa) {
    const auto asking = callers();
    const auto session = connect(&asking, leaf_of(ca_));
    ASSERT_TRUE(session);
    EXPECT_EQ(SSL_get0_peer_certificate(session.get()), nullptr);
    EXPECT_EQ(read_caller(session.get()).certificate, Certificate::NotAsked);
    EXPECT_THAT(asking.hear(session.get(), clock_.now()).refused, HasSubstr("no client CA"));
    EXPECT_EQ(counted("no_client_ca"), 1);
}

TEST_F(CallersTest, AServerContextAsksNobodyByItself) {
    const auto session = connect(nullptr, leaf_of(ca_));
    ASSERT_TRUE(session);
    EXPECT_EQ(SSL_get0_peer_certificate(session.get()), nullptr);
}

TEST_F(CallersTest, AConnectionKeepsTheCaThatItBeganWith) {
    trust({ca_});
    const auto asking = callers();
    const auto session = connect(&asking, leaf_of(ca_));
    trust({make_ca("next")});
    EXPECT_EQ(asking.hear(session.get(), clock_.now()).refused, "");
    EXPECT_THAT(refusal(asking, leaf_of(ca_)), HasSubstr("is not trusted"));
}

TEST_F(CallersTest, CountsAndLogsEachOnce) {
    trust({ca_});
    const auto require = callers({ClientAuth::Require, {"kube-apiserver"}});
    auto other = client_spec();
    other.common_name = "other";
    EXPECT_EQ(refusal(require, leaf_of(ca_)), "");
    EXPECT_THAT(refusal(require, leaf_of(ca_, other)), HasSubstr("--client-allowed-names"));
    clock_.turn(seconds{1});
    EXPECT_THAT(refusal(require, leaf_of(make_ca("stranger"))), HasSubstr("is not trusted"));
    clock_.turn(seconds{1});
    EXPECT_THAT(refusal(require, {}), HasSubstr("no client certificate was presented"));
    EXPECT_EQ(counted("allowed"), 1);
    EXPECT_EQ(counted("not_allowed"), 1);
    EXPECT_EQ(counted("unverified"), 1);
    EXPECT_EQ(counted("no_certificate"), 1);
    EXPECT_EQ(counted("no_client_ca"), 0);
    EXPECT_EQ(output_.count(R"(Caller verified	{"subject": "CN=kube-apiserver", )"
                            R"("issuer": "CN=client-ca"})"),
              1U)
        << output_.text();
    EXPECT_EQ(output_.count("Caller refused"), 3U);
    EXPECT_EQ(output_.count("\"issuer\": \"CN=stranger\""), 1U);
    EXPECT_EQ(output_.count(log::Level::Info), 4U);
}

TEST_F(CallersTest, WritesOneLineASecondAboutStrangers) {
    trust({ca_});
    const auto stranger = leaf_of(make_ca("stranger"));
    for (const auto mode : {ClientAuth::Require, ClientAuth::Report}) {
        const auto judging = callers({mode, {}});
        const auto call = [&](int times) {
            for (int round = 0; round < times; ++round) {
                const bool refused = !refusal(judging, stranger).empty();
                EXPECT_EQ(refused, mode == ClientAuth::Require);
            }
        };
        const std::string what =
            mode == ClientAuth::Require ? "Caller refused" : "Caller not verified";
        const auto counted_before = counted("unverified");
        call(4);
        clock_.turn(milliseconds{999});
        call(1);
        EXPECT_EQ(output_.count(what), 1U) << output_.text();
        clock_.turn(milliseconds{1});
        call(2);
        EXPECT_EQ(output_.count(what), 2U) << output_.text();
        clock_.turn(seconds{1});
        call(1);
        EXPECT_EQ(output_.count(what), 3U) << output_.text();
        const auto runs = mode == ClientAuth::Require ? 1U : 2U;
        for (const char* left_out : {"\"left_out\": 0", "\"left_out\": 4", "\"left_out\": 1"}) {
            EXPECT_EQ(output_.count(left_out), runs) << left_out << '\n' << output_.text();
        }
        EXPECT_EQ(counted("unverified") - counted_before, 8);
        EXPECT_EQ(refusal(judging, leaf_of(ca_)), "");
        EXPECT_EQ(output_.count("Caller verified"), runs) << "who may ask is always told";
    }
}

TEST_F(CallersTest, ReportRefusesNobody) {
    trust({ca_});
    const auto report = callers({ClientAuth::Report, {"kube-apiserver"}});
    for (const auto& shown : {leaf_of(ca_), leaf_of(make_ca("stranger")), Shown{}}) {
        EXPECT_EQ(refusal(report, shown), "");
    }
    EXPECT_EQ(counted("allowed"), 1);
    EXPECT_EQ(counted("unverified"), 1);
    EXPECT_EQ(counted("no_certificate"), 1);
    EXPECT_EQ(output_.count("Caller not verified"), 2U);
    EXPECT_EQ(output_.count(log::Level::Debug), 1U) << "who shows nothing is counted\n"
                                                    << output_.text();
}

TEST_F(CallersTest, UntrustedTextStaysOnOneLine) {
    trust({ca_});
    auto spec = client_spec();
    spec.common_name = "a\nERROR\tforged \xe2\x80\xae\xc3\xa4";
    const auto caller = caller_of(leaf_of(ca_, spec));
    EXPECT_EQ(caller.names.front(), spec.common_name);
    EXPECT_EQ(refusal(callers(), leaf_of(ca_, spec)), "");
    EXPECT_EQ(output_.count("\n"), 0U);
    EXPECT_EQ(output_.count("\tforged"), 0U);
}

}  // namespace
}  // namespace smw::tls::calls
