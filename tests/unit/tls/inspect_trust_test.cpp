#include "smw/tls/inspect.hpp"
#include "smw/tls/issue.hpp"
#include "support/certificates.hpp"

#include <gmock/gmock.h>
#include <openssl/err.h>

#include <string>

namespace smw::tls {
namespace {

using std::chrono::hours;
using test::CertificateSpec;
using test::Issuer;
using testing::HasSubstr;

const WallTime kNow = std::chrono::system_clock::now();
const std::string kName = "svc.ns.svc";

Issuer make_ca(const std::string& name, const Issuer* parent = nullptr,
               CertificateSpec spec = {.is_ca = true}) {
    spec.common_name = name;
    spec.san = "";
    spec.extended_key_usage = "";
    const auto key = test::make_key();
    return {test::issue(spec, key, parent), key};
}

std::string pem(const Issuer& issuer) {
    return test::to_pem(issuer.certificate);
}

std::string leaf_of(const Issuer& issuer, CertificateSpec spec = {.san = "DNS:svc.ns.svc"}) {
    return test::to_pem(test::issue(spec, test::make_key(), &issuer));
}

/// Empty when it is believed.
std::string why_not(const std::string& bundle, const std::string& chain,
                    const std::string& name = kName) {
    const auto verdict = believes({bundle, name, kNow}, chain);
    EXPECT_EQ(ERR_peek_error(), 0U);
    return verdict ? "" : verdict.error().message;
}

TEST(Believes, AChainToWhatItTrusts) {
    const auto root = make_ca("root");
    const auto middle = make_ca("middle", &root);
    const auto leaf = leaf_of(middle);
    EXPECT_EQ(why_not(pem(root), leaf + pem(middle)), "");
    EXPECT_EQ(why_not(pem(root), leaf + pem(middle) + pem(root)), "");
    EXPECT_EQ(why_not(pem(root), leaf + pem(root) + pem(middle)), "") << "in any order";
    EXPECT_EQ(why_not(pem(middle), leaf), "") << "an intermediate without its root";
    EXPECT_EQ(why_not(pem(make_ca("other")) + pem(root), leaf + pem(middle)), "");
    EXPECT_EQ(why_not("words\n" + pem(root) + "-----BEGIN CERTIFICATE-----\n", leaf + pem(middle)),
              "")
        << "crypto/x509 passes over what it cannot read";
    EXPECT_EQ(why_not(pem(root), leaf + pem(middle), ""), "") << "whatever its name";
}

TEST(Believes, ALeafThatItTrustsItself) {
    const auto pair = test::make_pair({.san = "DNS:svc.ns.svc"});
    EXPECT_EQ(why_not(pair.chain_pem, pair.chain_pem), "");
}

TEST(Believes, TellsCasOfOneNameApart) {
    const auto old = make_ca("root");
    const auto next = make_ca("root");
    const auto middle = make_ca("middle", &next);
    for (const auto& bundle : {pem(old) + pem(next), pem(next) + pem(old)}) {
        EXPECT_EQ(why_not(bundle, leaf_of(old)), "");
        EXPECT_EQ(why_not(bundle, leaf_of(next)), "");
        EXPECT_EQ(why_not(bundle, leaf_of(middle) + pem(middle)), "");
        EXPECT_EQ(why_not(bundle, leaf_of(make_ca("root"))),
                  "CN=webhook was signed by another CA of the same name, CN=root");
        EXPECT_EQ(why_not(bundle, leaf_of(next, {.san = "DNS:svc.ns.svc", .sha1 = true})),
                  "CN=webhook is signed with SHA-1 or MD5")
            << "the path that was found is judged";
        EXPECT_THAT(why_not(bundle, leaf_of(next), "other"), HasSubstr("has no SAN other"));
    }
}

TEST(Believes, NamesAndAddresses) {
    const auto root = make_ca("root");
    EXPECT_EQ(why_not(pem(root), leaf_of(root, {.san = "DNS:*.ns.svc"})), "");
    EXPECT_EQ(why_not(pem(root), leaf_of(root, {.san = "IP:10.0.0.1"}), "10.0.0.1"), "");
    EXPECT_EQ(why_not(pem(root), leaf_of(root, {.san = "DNS:10.0.0.1"}), "10.0.0.1"),
              "CN=webhook has no SAN 10.0.0.1");
    EXPECT_EQ(why_not(pem(root), leaf_of(root, {.common_name = kName, .san = "DNS:x"})),
              "CN=svc.ns.svc has no SAN svc.ns.svc");
}

TEST(Believes, ExtendedKeyUsagesAsGoDoes) {
    struct Case {
        const char* of_ca;
        const char* of_leaf;
        const char* why_not;
    };
    for (const auto& [of_ca, of_leaf, why] : {
             Case{"", "anyExtendedKeyUsage", ""},
             Case{"", "clientAuth,anyExtendedKeyUsage", ""},
             Case{"anyExtendedKeyUsage", "serverAuth", ""},
             Case{"serverAuth,clientAuth", "serverAuth", ""},
             Case{"serverAuth", "", ""},
             Case{"", "codeSigning", "CN=webhook is not for servers"},
             Case{"", "1.2.3.4", "CN=webhook is not for servers"},
             Case{"clientAuth", "serverAuth", "CN=root is not for servers"},
             Case{"clientAuth", "anyExtendedKeyUsage", "CN=root is not for servers"},
         }) {
        const auto key = test::make_key();
        const Issuer root{
            test::issue({.common_name = "root", .extended_key_usage = of_ca, .is_ca = true}, key),
            key};
        const auto leaf = leaf_of(root, {.san = "DNS:svc.ns.svc", .extended_key_usage = of_leaf});
        EXPECT_EQ(why_not(pem(root), leaf), why) << of_ca << " / " << of_leaf;
    }
}

TEST(Believes, AnAsteriskForTheWholeFirstLabelOnly) {
    struct Case {
        const char* san;
        const char* name;
        bool good;
    };
    const auto root = make_ca("root");
    for (const auto& [san, name, good] : {
             Case{"*.ns.svc", "web.ns.svc", true},
             Case{"*.NS.svc", "WEB.ns.SVC", true},
             Case{"*.ns.svc", "web.ns.svc.", true},
             Case{"*.ns", "web.ns", true},
             Case{"web.ns", "web.ns.", true},
             Case{"web*.ns.svc", "web.ns.svc", false},
             Case{"web*.ns.svc", "web-1.ns.svc", false},
             Case{"*web.ns.svc", "my-web.ns.svc", false},
             Case{"w*b.ns.svc", "web.ns.svc", false},
             Case{"*.ns.svc", "a.web.ns.svc", false},
             Case{"*.ns.svc", "ns.svc", false},
             Case{"*.ns.svc", ".ns.svc", false},
             Case{"*.*.svc", "web.ns.svc", false},
             Case{"web.*.svc", "web.ns.svc", false},
             Case{"*", "web", false},
             Case{".ns.svc", "web.ns.svc", false},
         }) {
        const auto leaf = leaf_of(root, {.san = std::string{"DNS:"} + san});
        EXPECT_EQ(why_not(pem(root), leaf, name).empty(), good) << san << " for " << name;
    }
}

TEST(Believes, SaysWhyNot) {
    const auto root = make_ca("root");
    const auto middle = make_ca("middle", &root);
    EXPECT_EQ(why_not(pem(make_ca("other")), leaf_of(root)),
              "the issuer of CN=webhook, CN=root, is not in it");
    EXPECT_EQ(why_not(pem(root), leaf_of(middle)),
              "the issuer of CN=webhook, CN=middle, is not in it")
        << "the intermediate is missing";
    const auto own = test::make_pair({.san = "DNS:svc.ns.svc"});
    EXPECT_EQ(why_not(pem(root), own.chain_pem), "CN=webhook signed itself and is not in it");
    EXPECT_EQ(why_not(pem(make_ca("root")), leaf_of(root)),
              "CN=webhook was signed by another CA of the same name, CN=root");
    EXPECT_THAT(why_not(pem(root), leaf_of(root, {.not_after = kNow - hours{1}})),
                HasSubstr("CN=webhook expired at 20"));
    EXPECT_THAT(why_not(pem(root), leaf_of(root, {.not_before = kNow + hours{1}})),
                HasSubstr("CN=webhook is not valid before 20"));
    const auto old = make_ca("old", nullptr, {.not_after = kNow - hours{1}, .is_ca = true});
    EXPECT_THAT(why_not(pem(old), leaf_of(old)), HasSubstr("CN=old expired at 20"));
    EXPECT_EQ(why_not(pem(root), leaf_of(root, {.extended_key_usage = "clientAuth"})),
              "CN=webhook is not for servers");
    const auto no_ca = make_ca("no-ca", nullptr, {.is_ca = false});
    EXPECT_EQ(why_not(pem(no_ca), leaf_of(no_ca)),
              "CN=no-ca is no CA (its basicConstraints lack CA:TRUE)");
    EXPECT_EQ(why_not(pem(root), leaf_of(root, {.san = "DNS:svc.ns.svc", .sha1 = true})),
              "CN=webhook is signed with SHA-1 or MD5");
}

TEST(Believes, SaysWhenThereIsNothingToBelieveOrTrust) {
    const auto root = make_ca("root");
    EXPECT_EQ(why_not("", leaf_of(root)),
              "there is no PEM certificate in the CA bundle: it is empty");
    EXPECT_EQ(why_not(pem(root), ""), "there is no PEM certificate in the chain: it is empty");
}

TEST(Believes, WhatWeIssue) {
    const auto ca = issue_ca({make_ca_name(), kNow, hours{24}});
    ASSERT_TRUE(ca);
    const auto leaf = issue_leaf({"svc", dns_names({"svc", "ns"}), kNow, hours{24}}, *ca);
    ASSERT_TRUE(leaf);
    for (const auto* name : {"svc", "svc.ns", "svc.ns.svc", "svc.ns.svc.cluster.local"}) {
        EXPECT_EQ(why_not(ca->certificate_pem, leaf->certificate_pem, name), "");
    }
}

}  // namespace
}  // namespace smw::tls
