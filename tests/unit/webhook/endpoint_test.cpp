// One request after the other through an Endpoint, without a socket.

#include "smw/webhook/endpoint.hpp"

#include "support/recording_output.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <array>
#include <functional>
#include <stdexcept>

namespace smw::webhook {
namespace {

using nlohmann::json;
using testing::HasSubstr;

constexpr std::string_view kReview =
    R"({"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":{"uid":"u-1",)"
    R"("kind":{"group":"","version":"v1","kind":"Pod"},"operation":"CREATE","object":{}}})";

class FakeExchange final : public http::Exchange {
public:
    http::RequestHead head_;
    Expected<std::string> body_ = std::string{kReview};
    bool body_read_ = false;
    Deadline asked_ = Deadline::never();

    [[nodiscard]] const http::RequestHead& head() const override { return head_; }
    Task<Expected<std::string>> read_body(Deadline deadline) override {
        body_read_ = true;
        asked_ = deadline;
        co_return body_;
    }
    void recycle(std::string) override {}
};

class FakeHandler final : public admission::Handler {
public:
    static constexpr std::array<std::string_view, 2> kReasons{"done", "unsure"};
    std::function<Expected<admission::Response>(const admission::Request&)> decide_ =
        [](const admission::Request&) {
            return admission::Response{};
        };

    [[nodiscard]] std::string_view name() const override { return "fake"; }
    [[nodiscard]] std::span<const std::string_view> reasons() const override { return kReasons; }
    Task<Expected<admission::Response>> handle(const admission::Request& request,
                                               Deadline) override {
        co_return decide_(request);
    }
};

class EndpointTest : public testing::Test {
protected:
    EndpointTest() {
        exchange_.head_.method = "POST";
        exchange_.head_.path = "/mutate-v1-pod";
        exchange_.head_.content_type = "application/json";
        exchange_.head_.received = std::chrono::steady_clock::now();
    }

    http::Response serve(EndpointSettings settings = {}) {
        Endpoint endpoint{handler_, settings, in_flight_, output_.logger(), metrics_};
        boost::asio::io_context context;
        auto answer =
            boost::asio::co_spawn(context, endpoint.serve(exchange_), boost::asio::use_future);
        context.run();
        return answer.get();
    }

    /// What was counted so far, "operation/outcome" of the one request.
    std::string counted() {
        const auto family = metrics_.counter(
            {"smw_admission_requests_total", "", {"webhook", "operation", "outcome"}});
        std::string all;
        for (const auto operation : {"CREATE", "UPDATE", "DELETE", "CONNECT", "unknown"}) {
            for (const auto outcome :
                 {"allowed", "mutated", "denied", "error", "shed", "timeout", "bad_request"}) {
                for (double n = family.with({"fake", operation, outcome}).value(); n > 0; --n) {
                    all += (all.empty() ? "" : " ") + std::string{operation} + "/" + outcome;
                }
            }
        }
        return all;
    }

    void expect_status(const http::Response& response, unsigned code, const char* reason) {
        EXPECT_EQ(response.status, code);
        EXPECT_EQ(response.content_type, "application/json");
        const json status = json::parse(response.body);
        EXPECT_EQ(status["kind"], "Status");
        EXPECT_EQ(status["status"], "Failure");
        EXPECT_EQ(status["code"], code);
        EXPECT_EQ(status["reason"], reason);
        EXPECT_FALSE(status["message"].get<std::string>().empty());
    }

    static std::string header(const http::Response& response, std::string_view name) {
        for (const auto& [key, value] : response.headers) {
            if (key == name) {
                return value;
            }
        }
        return "";
    }

    FakeExchange exchange_;
    FakeHandler handler_;
    InFlight in_flight_{1};
    test::RecordingOutput output_;
    metrics::Registry metrics_;
};

TEST_F(EndpointTest, AnswersAReviewWithAReview) {
    const auto response = serve();
    EXPECT_EQ(response.status, 200U);
    EXPECT_EQ(response.content_type, "application/json");
    const json review = json::parse(response.body);
    EXPECT_EQ(review["apiVersion"], "admission.k8s.io/v1");
    EXPECT_EQ(review["response"]["uid"], "u-1");
    EXPECT_EQ(review["response"]["allowed"], true);
    EXPECT_EQ(counted(), "CREATE/allowed");
}

TEST_F(EndpointTest, CountsAPatchAsMutatedAndADenialAsDenied) {
    handler_.decide_ = [](const admission::Request&) {
        admission::Response response;
        response.patch = smw::json::Text{R"([{"op":"add","path":"/a","value":1}])"};
        return response;
    };
    EXPECT_EQ(serve().status, 200U);
    EXPECT_EQ(counted(), "CREATE/mutated");
    handler_.decide_ = [](const admission::Request&) {
        admission::Response response;
        response.allowed = false;
        return response;
    };
    EXPECT_EQ(serve().status, 200U);
    EXPECT_EQ(counted(), "CREATE/mutated CREATE/denied");
}

TEST_F(EndpointTest, CountsDecisionsByReason) {
    handler_.decide_ = [](const admission::Request&) {
        admission::Response response;
        response.reason = 1;
        return response;
    };
    serve();
    const auto family =
        metrics_.counter({"smw_admission_decisions_total", "", {"webhook", "reason"}});
    EXPECT_EQ(family.with({"fake", "unsure"}).value(), 1);
    EXPECT_EQ(family.with({"fake", "done"}).value(), 0);
}

TEST_F(EndpointTest, TellsACallerThatMayNotAskSoBeforeAllElse) {
    exchange_.head_.caller_refused = "no \"certificate\" was presented";
    for (const auto& [method, type] :
         {std::pair{"POST", "application/json"}, {"GET", "text/plain"}}) {
        exchange_.head_.method = method;
        exchange_.head_.content_type = type;
        const auto response = serve();
        expect_status(response, 403, "Forbidden");
        EXPECT_EQ(json::parse(response.body)["message"], exchange_.head_.caller_refused);
    }
    EXPECT_FALSE(exchange_.body_read_);
    EXPECT_EQ(counted(), "unknown/bad_request unknown/bad_request");
}

TEST_F(EndpointTest, RefusesOtherMethodsAndSaysWhichItTakes) {
    for (const auto* method : {"GET", "PUT", "DELETE", "HEAD", "post", "OPTIONS"}) {
        exchange_.head_.method = method;
        const auto response = serve();
        expect_status(response, 405, "MethodNotAllowed");
        EXPECT_EQ(header(response, "Allow"), "POST");
    }
    EXPECT_FALSE(exchange_.body_read_);
}

TEST_F(EndpointTest, TakesJsonWithParametersAndNoContentTypeAtAll) {
    for (const auto* type : {"application/json", "application/json; charset=utf-8",
                             "Application/JSON", "application/json ;x=y", ""}) {
        exchange_.head_.content_type = type;
        EXPECT_EQ(serve().status, 200U) << type;
    }
}

TEST_F(EndpointTest, RefusesOtherContentTypesBeforeTheBody) {
    for (const auto* type : {"text/plain", "application/yaml", "application/jsonx", "json",
                             "application/vnd.kubernetes.protobuf", ";"}) {
        exchange_.head_.content_type = type;
        expect_status(serve(), 415, "UnsupportedMediaType");
    }
    EXPECT_FALSE(exchange_.body_read_);
}

TEST_F(EndpointTest, RefusesContentEncodingsOtherThanIdentity) {
    exchange_.head_.content_encoding = "gzip";
    expect_status(serve(), 415, "UnsupportedMediaType");
    EXPECT_EQ(counted(), "unknown/bad_request");
    exchange_.head_.content_encoding = "Identity";
    EXPECT_EQ(serve().status, 200U);
}

TEST_F(EndpointTest, RefusesWhatIsNoReviewAndEchoesNothing) {
    for (const auto* body :
         {"", " ", "<xml>", "{", "[]", "\"x\"", "{}", R"({"kind":"SECRETKIND"})",
          R"({"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v9","request":{"uid":"u"}})",
          R"({"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1"})",
          R"({"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":{"uid":""}})",
          R"({"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":7})"}) {
        exchange_.body_ = std::string{body};
        const auto response = serve();
        expect_status(response, 400, "BadRequest");
        EXPECT_THAT(response.body, testing::Not(HasSubstr("SECRETKIND")));
    }
    EXPECT_EQ(in_flight_.count(), 0U);
}

TEST_F(EndpointTest, CountsBadInputOnceAsBadRequest) {
    exchange_.body_ = std::string{"{"};
    serve();
    EXPECT_EQ(counted(), "unknown/bad_request");
}

TEST_F(EndpointTest, SaysWhatBecameOfABodyThatDidNotCome) {
    exchange_.body_ = fail(Code::DeadlineExceeded, "too slow");
    expect_status(serve(), 408, "Timeout");
    exchange_.body_ = fail(Code::TooLarge, "too large");
    expect_status(serve(), 413, "RequestEntityTooLarge");
    exchange_.body_ = fail(Code::BadRequest, "bad chunk");
    expect_status(serve(), 400, "BadRequest");
    EXPECT_EQ(counted(), "unknown/bad_request unknown/bad_request unknown/bad_request");
}

TEST_F(EndpointTest, ShedsWithRetryAfterWhenBytesAreInFlight) {
    exchange_.body_ = fail(Code::Unavailable, "bytes in flight");
    const auto response = serve();
    expect_status(response, 503, "ServiceUnavailable");
    EXPECT_EQ(header(response, "Retry-After"), "1");
    EXPECT_EQ(json::parse(response.body)["details"]["retryAfterSeconds"], 1);
    EXPECT_EQ(counted(), "unknown/shed");
}

TEST_F(EndpointTest, ShedsWhenTooManyReviewsAreInFlight) {
    {
        const InFlight::Place place{in_flight_};
        ASSERT_TRUE(place);
        const auto response = serve();
        expect_status(response, 503, "ServiceUnavailable");
        EXPECT_EQ(header(response, "Retry-After"), "1");
        EXPECT_TRUE(exchange_.body_read_);
        EXPECT_EQ(counted(), "unknown/shed");
    }
    EXPECT_EQ(serve().status, 200U);
    EXPECT_EQ(in_flight_.count(), 0U);
}

TEST_F(EndpointTest, OneKindOfSheddingDoesNotSilenceTheOther) {
    Endpoint endpoint{handler_, {}, in_flight_, output_.logger(), metrics_};
    const InFlight::Place place{in_flight_};
    for (const bool bytes : {true, false}) {
        if (bytes) {
            exchange_.body_ = fail(Code::Unavailable, "bytes in flight");
        } else {
            exchange_.body_ = std::string{kReview};
        }
        boost::asio::io_context context;
        auto answer =
            boost::asio::co_spawn(context, endpoint.serve(exchange_), boost::asio::use_future);
        context.run();
        EXPECT_EQ(answer.get().status, 503U);
    }
    EXPECT_EQ(output_.count("Reviews are shed"), 2U) << output_.text();
    EXPECT_EQ(output_.count("--max-in-flight"), 1U);
}

TEST_F(EndpointTest, WarnsOfSheddingAtMostOnceASecond) {
    exchange_.body_ = fail(Code::Unavailable, "bytes in flight");
    Endpoint endpoint{handler_, {}, in_flight_, output_.logger(), metrics_};
    const auto begun = std::chrono::steady_clock::now();
    for (int request = 0; request < 100; ++request) {
        boost::asio::io_context context;
        auto answer =
            boost::asio::co_spawn(context, endpoint.serve(exchange_), boost::asio::use_future);
        context.run();
        EXPECT_EQ(answer.get().status, 503U);
    }
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begun;
    EXPECT_GE(output_.count(log::Level::Warn), 1U);
    EXPECT_LE(output_.count(log::Level::Warn), static_cast<std::size_t>(took.count()) + 2);
}

TEST_F(EndpointTest, ADefectIs500CountedAndLoggedWithTheUid) {
    handler_.decide_ = [](const admission::Request&) -> Expected<admission::Response> {
        throw std::runtime_error{"boom"};
    };
    expect_status(serve(), 500, "InternalError");
    EXPECT_EQ(counted(), "CREATE/error");
    EXPECT_EQ(output_.count("boom"), 1U);
    EXPECT_EQ(output_.count("u-1"), 1U);
    EXPECT_EQ(in_flight_.count(), 0U);
}

TEST_F(EndpointTest, ADefectThatIsNoExceptionIsOneToo) {
    handler_.decide_ = [](const admission::Request&) -> Expected<admission::Response> {
        throw 7;
    };
    expect_status(serve(), 500, "InternalError");
    EXPECT_EQ(counted(), "CREATE/error");
    EXPECT_EQ(output_.count("u-1"), 1U);
    EXPECT_EQ(in_flight_.count(), 0U) << "a place that is not given back is lost for ever";
}

TEST_F(EndpointTest, WhatTheHandlerCannotReadIs400OfThatOperation) {
    handler_.decide_ = [](const admission::Request&) -> Expected<admission::Response> {
        return fail(Code::BadRequest, "request.object.spec: expected object, found string");
    };
    const auto response = serve();
    expect_status(response, 400, "BadRequest");
    EXPECT_THAT(response.body, HasSubstr("request.object.spec"));
    EXPECT_EQ(counted(), "CREATE/bad_request");
}

Expected<admission::Response> undecided(admission::Undecided why) {
    admission::Response response;
    response.reason = 1;
    response.undecided = why;
    response.warnings.emplace_back("could not decide");
    return response;
}

TEST_F(EndpointTest, AllowsTheUndecidedWithAWarningAndStillCountsIt) {
    handler_.decide_ = [](const auto&) {
        return undecided(admission::Undecided::Timeout);
    };
    const auto response = serve();
    EXPECT_EQ(response.status, 200U);
    const json answer = json::parse(response.body)["response"];
    EXPECT_EQ(answer["allowed"], true);
    EXPECT_EQ(answer["warnings"][0], "could not decide");
    EXPECT_EQ(counted(), "CREATE/timeout");
}

TEST_F(EndpointTest, FailsTheUndecidedWithoutRetryAfterWhenToldTo) {
    handler_.decide_ = [](const auto&) {
        return undecided(admission::Undecided::Error);
    };
    const auto response = serve({.fail_undecided = true});
    expect_status(response, 503, "ServiceUnavailable");
    EXPECT_EQ(header(response, "Retry-After"), "");
    EXPECT_THAT(response.body, HasSubstr("unsure"));
    EXPECT_EQ(counted(), "CREATE/error");
}

TEST_F(EndpointTest, GivesTheBodyTheSameDeadlineAsTheReview) {
    exchange_.head_.query = "timeout=2s";
    serve();
    EXPECT_EQ(exchange_.asked_, deadline_of(exchange_.head_));
}

TEST_F(EndpointTest, AnswersInTheVersionThatAsked) {
    std::string review{kReview};
    review.replace(review.find("k8s.io/v1"), 9, "k8s.io/v1beta1");
    exchange_.body_ = review;
    EXPECT_EQ(json::parse(serve().body)["apiVersion"], "admission.k8s.io/v1beta1");
}

}  // namespace
}  // namespace smw::webhook
