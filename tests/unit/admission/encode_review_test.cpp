// Every rule that the API server has for an answer (v1; v1beta1 has the same shape).

#include "reviews.hpp"

#include <gmock/gmock.h>
#include <openssl/evp.h>

namespace smw::admission {
namespace {

using test::decode;
using test::Json;
using test::review;

const json::Text kPatch{R"([{"op":"replace","path":"/spec/containers/0/image","value":"a:1"}])"};

Json answer(const Response& response, const Json& asked = review()) {
    const auto decoded = decode(asked.dump());
    return Json::parse(encode_review(decoded.request, response));
}

Response patching() {
    Response response;
    response.patch = kPatch;
    return response;
}

Response denial(int code = 403) {
    Response response;
    response.allowed = false;
    response.status = kube::Status{.code = code, .reason = "Forbidden", .message = "not here"};
    return response;
}

std::string decoded_base64(const std::string& text) {
    std::string out(text.size(), '\0');
    const auto length = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                                        reinterpret_cast<const unsigned char*>(text.data()),
                                        static_cast<int>(text.size()));
    const auto padding = std::count(text.begin(), text.end(), '=');
    out.resize(static_cast<std::size_t>(length - padding));
    return out;
}

TEST(EncodeReview, AnAllowanceIsUidAndAllowed) {
    EXPECT_EQ(answer(Response{}), Json::parse(R"({
        "kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1",
        "response": {"uid": "u-1", "allowed": true}})"));
}

TEST(EncodeReview, AnswersInTheVersionAsked) {
    auto asked = review();
    asked["apiVersion"] = "admission.k8s.io/v1beta1";
    auto beta = answer(patching(), asked);
    EXPECT_EQ(beta["apiVersion"], "admission.k8s.io/v1beta1");
    beta["apiVersion"] = "admission.k8s.io/v1";
    EXPECT_EQ(beta, answer(patching()));
}

TEST(EncodeReview, RepeatsTheUidWhateverItHolds) {
    auto asked = review();
    const std::string uid = "quote\" slash\\ new\nline \u00e9 \u0001 </script>";
    asked["request"]["uid"] = uid;
    EXPECT_EQ(answer(Response{}, asked)["response"]["uid"], uid);
}

TEST(EncodeReview, PatchAndItsTypeComeTogether) {
    const auto response = answer(patching())["response"];
    EXPECT_EQ(response["patchType"], "JSONPatch");
    EXPECT_TRUE(response["patch"].is_string());
    const auto without = answer(Response{})["response"];
    EXPECT_FALSE(without.contains("patchType"));
    EXPECT_FALSE(without.contains("patch"));
}

TEST(EncodeReview, ThePatchIsPaddedBase64OfTheArray) {
    for (const std::string value : {"a", "ab", "abc"}) {
        Response response;
        response.patch = json::Text{R"([{"op":"add","path":"/x","value":")" + value + R"("}])"};
        const auto encoded = answer(response)["response"]["patch"].get<std::string>();
        EXPECT_EQ(encoded.size() % 4, 0U);
        EXPECT_EQ(decoded_base64(encoded), response.patch->json);
        EXPECT_TRUE(Json::parse(decoded_base64(encoded)).is_array());
    }
}

TEST(EncodeReview, AnEmptyPatchIsNone) {
    for (const std::string text : {"[]", ""}) {
        Response response;
        response.patch = json::Text{text};
        EXPECT_EQ(answer(response), answer(Response{}));
    }
}

TEST(EncodeReview, NoPatchWhereThereIsNoObject) {
    auto asked = review();
    asked["request"]["object"] = nullptr;
    EXPECT_EQ(answer(patching(), asked), answer(Response{}));
    asked["request"].erase("object");
    EXPECT_EQ(answer(patching(), asked), answer(Response{}));
}

TEST(EncodeReview, ADenialIsAStatus) {
    const auto response = answer(denial())["response"];
    EXPECT_EQ(response["allowed"], false);
    EXPECT_EQ(response["status"]["status"], "Failure");
    EXPECT_EQ(response["status"]["message"], "not here");
    EXPECT_EQ(response["status"]["reason"], "Forbidden");
    EXPECT_EQ(response["status"]["code"], 403);
}

TEST(EncodeReview, ADenialHasAtLeastCode400) {
    for (const int code : {-1, 0, 200, 399, 400}) {
        EXPECT_EQ(answer(denial(code))["response"]["status"]["code"], 400) << code;
    }
    EXPECT_EQ(answer(denial(422))["response"]["status"]["code"], 422);
}

TEST(EncodeReview, ADenialCarriesDetails) {
    auto response = denial(429);
    response.status->retry_after_seconds = 5;
    response.status->causes = {{.reason = "FieldValueInvalid", .message = "m", .field = "spec"}};
    EXPECT_EQ(answer(response)["response"]["status"]["details"], Json::parse(R"({
        "retryAfterSeconds": 5,
        "causes": [{"reason": "FieldValueInvalid", "message": "m", "field": "spec"}]})"));
}

TEST(EncodeReview, ADenialNeverPatches) {
    auto response = denial();
    response.patch = kPatch;
    EXPECT_EQ(answer(response), answer(denial()));
}

TEST(EncodeReview, ADenialWithoutStatusHasNone) {
    Response response;
    response.allowed = false;
    EXPECT_EQ(answer(response)["response"], Json::parse(R"({"uid": "u-1", "allowed": false})"));
}

TEST(EncodeReview, AnAllowanceHasNoStatus) {
    auto response = denial();
    response.allowed = true;
    EXPECT_EQ(answer(response), answer(Response{}));
}

TEST(EncodeReview, WarningsAreThoseThatTheApiServerPassesOn) {
    for (const bool allowed : {true, false}) {
        Response response;
        response.allowed = allowed;
        response.warnings = {"mend\nthis", "", "mendthis", std::string(300, 'x'), "a \"b\""};
        EXPECT_EQ(answer(response)["response"]["warnings"],
                  Json::array({"mendthis", std::string(120, 'x'), "a \"b\""}));
    }
}

TEST(EncodeReview, WithoutWarningsThereIsNoList) {
    Response response;
    response.warnings = {"", "\n"};
    EXPECT_EQ(answer(response), answer(Response{}));
}

TEST(EncodeReview, AuditAnnotationsAreStringsUnderTheirKeys) {
    Response response;
    response.audit_annotations = {{"reason", "restored"}, {"checkpoint-backup", "ns/\"b\"\n"}};
    EXPECT_EQ(answer(response)["response"]["auditAnnotations"],
              Json::parse(R"({"reason": "restored", "checkpoint-backup": "ns/\"b\"\n"})"));
    EXPECT_FALSE(answer(Response{})["response"].contains("auditAnnotations"));
}

TEST(EncodeReview, WhatIsForUsIsNotSent) {
    Response response;
    response.reason = 7;
    response.undecided = Undecided::Timeout;
    EXPECT_EQ(answer(response), answer(Response{}));
}

TEST(EncodeReview, EverythingTogetherIsOneReview) {
    auto response = patching();
    response.warnings = {"w"};
    response.audit_annotations = {{"reason", "restored"}};
    const auto whole = answer(response);
    ASSERT_EQ(whole.size(), 3U);
    EXPECT_EQ(whole["kind"], "AdmissionReview");
    std::vector<std::string> keys;
    for (const auto& item : whole["response"].items()) {
        keys.push_back(item.key());
    }
    EXPECT_THAT(keys, ::testing::UnorderedElementsAre("uid", "allowed", "patchType", "patch",
                                                      "auditAnnotations", "warnings"));
}

}  // namespace
}  // namespace smw::admission
