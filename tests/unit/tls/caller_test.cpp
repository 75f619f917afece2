#include "smw/tls/caller.hpp"

#include <gmock/gmock.h>

#include <string>

namespace smw::tls {
namespace {

using testing::HasSubstr;
using Certificate = Caller::Certificate;

Caller verified(std::vector<std::string> names) {
    Caller caller;
    caller.certificate = Certificate::Verified;
    caller.subject = "CN=kube-apiserver";
    caller.issuer = "CN=client-ca";
    caller.names = std::move(names);
    return caller;
}

Caller unverified(std::string problem) {
    auto caller = verified({"kube-apiserver"});
    caller.certificate = Certificate::Unverified;
    caller.problem = std::move(problem);
    return caller;
}

Caller without(Certificate certificate) {
    Caller caller;
    caller.certificate = certificate;
    return caller;
}

TEST(ParseClientAuth, TakesTheThreeWords) {
    EXPECT_EQ(parse_client_auth("off"), ClientAuth::Off);
    EXPECT_EQ(parse_client_auth("report"), ClientAuth::Report);
    EXPECT_EQ(parse_client_auth("require"), ClientAuth::Require);
    for (const char* text : {"", "Off", "required", "true", "require "}) {
        const auto parsed = parse_client_auth(text);
        ASSERT_FALSE(parsed) << text;
        EXPECT_EQ(parsed.error().message, "must be off, report or require");
    }
}

struct Case {
    const char* what;
    Caller caller;
    std::vector<std::string> allowed;
    CallerResult result;
    const char* why;  ///< part of the sentence; empty: there is none
};

std::vector<Case> cases() {
    const auto kube = verified({"kube-apiserver", "10.0.0.1", "spiffe://cluster/api", "a@b.c"});
    return {
        {"any name", kube, {}, CallerResult::Allowed, ""},
        {"no name at all", verified({}), {}, CallerResult::Allowed, ""},
        {"the CN", kube, {"other", "kube-apiserver"}, CallerResult::Allowed, ""},
        {"an address", kube, {"10.0.0.1"}, CallerResult::Allowed, ""},
        {"a URI", kube, {"spiffe://cluster/api"}, CallerResult::Allowed, ""},
        {"an e-mail address", kube, {"a@b.c"}, CallerResult::Allowed, ""},
        {"another", kube, {"other"}, CallerResult::NotAllowed, "--client-allowed-names"},
        {"another case", kube, {"Kube-APIserver"}, CallerResult::NotAllowed, "CN=kube-apiserver"},
        {"a part", kube, {"kube"}, CallerResult::NotAllowed, "allowed"},
        {"more", kube, {"kube-apiserver-2"}, CallerResult::NotAllowed, "allowed"},
        {"no wildcard",
         verified({"*.example.com"}),
         {"a.example.com"},
         CallerResult::NotAllowed,
         "allowed"},
        {"a name with NUL",
         verified({std::string{"good\0evil", 9}}),
         {"good"},
         CallerResult::NotAllowed,
         "allowed"},
        {"no name but one wanted", verified({}), {"a"}, CallerResult::NotAllowed, "allowed"},
        {"not verified",
         unverified("it expired at noon"),
         {},
         CallerResult::Unverified,
         "it expired at noon"},
        {"not verified, of an allowed name",
         unverified("no"),
         {"kube-apiserver"},
         CallerResult::Unverified,
         "issued by \"CN=client-ca\""},
        {"nothing shown",
         without(Certificate::None),
         {},
         CallerResult::NoCertificate,
         "no client certificate was presented"},
        {"nothing to verify with",
         without(Certificate::NotAsked),
         {},
         CallerResult::NoClientCa,
         "--client-ca-file"},
    };
}

TEST(Judge, RefusesAllButGoodOnesWhenTheyAreRequired) {
    for (const auto& [what, caller, allowed, result, why] : cases()) {
        const auto verdict = judge(caller, {ClientAuth::Require, allowed});
        EXPECT_EQ(verdict.result, result) << what;
        EXPECT_EQ(verdict.refused, result != CallerResult::Allowed) << what;
        EXPECT_THAT(verdict.why, HasSubstr(why)) << what;
        EXPECT_EQ(verdict.why.empty(), result == CallerResult::Allowed) << what;
    }
}

TEST(Judge, SaysTheSameButRefusesNobodyWhenItReports) {
    for (const auto& [what, caller, allowed, result, why] : cases()) {
        const auto verdict = judge(caller, {ClientAuth::Report, allowed});
        EXPECT_EQ(verdict.result, result) << what;
        EXPECT_FALSE(verdict.refused) << what;
        EXPECT_THAT(verdict.why, HasSubstr(why)) << what;
    }
}

TEST(Judge, AllowsEverybodyWhenItIsOff) {
    for (const auto& [what, caller, allowed, result, why] : cases()) {
        EXPECT_EQ(judge(caller, {ClientAuth::Off, allowed}), CallerVerdict{}) << what;
    }
}

TEST(Judge, QuotesAndCutsWhatTheCallerSays) {
    auto caller = unverified("no");
    caller.subject = "CN=\"\n\x1b[31m\xff" + std::string(100'000, 'x');
    const auto why = judge(caller, {ClientAuth::Require, {}}).why;
    EXPECT_LT(why.size(), 1000U);
    EXPECT_THAT(why, HasSubstr("\"CN=\\\"\\n\\u001b[31m\xef\xbf\xbdxxx"));
}

TEST(CallerResult, HasALabelForEach) {
    EXPECT_EQ(to_string(CallerResult::Allowed), "allowed");
    EXPECT_EQ(to_string(CallerResult::NotAllowed), "not_allowed");
    EXPECT_EQ(to_string(CallerResult::Unverified), "unverified");
    EXPECT_EQ(to_string(CallerResult::NoCertificate), "no_certificate");
    EXPECT_EQ(to_string(CallerResult::NoClientCa), "no_client_ca");
}

}  // namespace
}  // namespace smw::tls
