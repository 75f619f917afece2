// The lines of a watch, however they come and however they end.

#include "api_client_world.hpp"

#include <gmock/gmock.h>

namespace smw::client {
namespace {

using test::Close;
using test::Cut;
using test::Hold;
using test::Send;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

const std::string kEvent = R"({"type":"ADDED","object":{"kind":"CheckpointBackup"}})";

using ApiWatch = ApiClientTest;

TEST_F(ApiWatch, SaysThatItWatches) {
    answer_steps({Close{}});
    EXPECT_THAT(lines(), ElementsAre("closed"));
    const auto call = server_.calls()[0];
    EXPECT_EQ(call.parameter("watch"), "1");
    EXPECT_EQ(call.query.count("watch"), 1U);
    EXPECT_EQ(call.path, "/apis/migration.dcnlab.com/v1/namespaces/a/checkpointbackups");
}

TEST_F(ApiWatch, GivesLinesAsTheyComeAndThenTheEnd) {
    answer_steps({Send{kEvent + "\n"}, Send{"two\r\n\n\nthree\n"}, Close{}});
    EXPECT_THAT(lines(), ElementsAre(kEvent, "two", "three", "closed"));
}

TEST_F(ApiWatch, GivesALineBeforeTheNextHasCome) {
    answer_steps({Send{kEvent + "\n"}, Hold{}});
    const auto stream = watch();
    ASSERT_TRUE(stream);
    EXPECT_EQ(*line(**stream), kEvent);
    const auto silence = line(**stream, std::chrono::milliseconds{50});
    ASSERT_FALSE(silence);
    EXPECT_EQ(silence.error().error.code, Code::DeadlineExceeded);
    EXPECT_EQ(silence.error().status.code, 0);
    EXPECT_EQ(*line(**stream), std::nullopt) << "an error ends the stream";
}

TEST_F(ApiWatch, PutsSplitLinesTogether) {
    std::vector<test::Step> bytes;
    for (const char c : kEvent + "\n") {
        bytes.emplace_back(Send{std::string{c}});
    }
    answer_steps(bytes);
    EXPECT_THAT(lines(), ElementsAre(kEvent, "closed"));
    for (std::size_t at = 0; at <= kEvent.size() + 1; ++at) {
        const auto text = kEvent + "\n";
        answer_steps({Send{text.substr(0, at)}, Send{text.substr(at)}, Close{}});
        EXPECT_THAT(lines(), ElementsAre(kEvent, "closed")) << at;
    }
}

TEST_F(ApiWatch, IsUnavailableWhenCutAtAnyByte) {
    const auto text = "first\n" + kEvent + "\n";
    for (std::size_t size = 0; size <= text.size(); ++size) {
        answer_steps({Send{text.substr(0, size)}, Cut{}});
        const auto all = lines();
        std::vector<std::string> wanted;
        if (size >= 6) {
            wanted.emplace_back("first");
        }
        if (size == text.size()) {
            wanted.push_back(kEvent);
        }
        wanted.emplace_back("ServiceUnavailable");
        EXPECT_EQ(all, wanted) << size;
    }
}

TEST_F(ApiWatch, IsUnavailableWhenItClosesInsideALine) {
    answer_steps({Send{"first\n{\"type\""}, Close{}});
    EXPECT_THAT(lines(), ElementsAre("first", "ServiceUnavailable"));
    answer_steps({Send{"first\n \r\n "}, Close{}});
    EXPECT_THAT(lines(), ElementsAre("first", "closed"));
}

TEST_F(ApiWatch, TakesHugeLinesUpToItsBound) {
    const std::string huge(std::size_t{4} << 20, 'x');
    answer_steps({Send{huge + "\nnext\n"}, Close{}});
    const auto all = lines();
    ASSERT_EQ(all.size(), 3U);
    EXPECT_EQ(all[0].size(), huge.size());
    EXPECT_EQ(all[1], "next");
    answer_steps({Send{huge}, Send{"x"}, Hold{}});
    EXPECT_THAT(lines(), ElementsAre("RequestEntityTooLarge")) << "without waiting for its end";
}

TEST_F(ApiWatch, TakesManyLinesAtOnce) {
    std::string many;
    for (int count = 0; count < 10'000; ++count) {
        many += kEvent + "\n";
    }
    answer_steps({Send{many}, Close{}});
    EXPECT_EQ(lines().size(), 10'001U);
}

TEST_F(ApiWatch, TakesNothingButJson) {
    test::ApiReply reply;
    reply.content_type = "text/html";
    reply.body = "<html>";
    answer(reply);
    const auto stream = watch();
    ASSERT_FALSE(stream);
    EXPECT_EQ(stream.error().error.code, Code::Unavailable);
    EXPECT_THAT(stream.error().error.message, HasSubstr("the answer is text/html"));
}

TEST_F(ApiWatch, ReadsARefusalThatComesInPiecesAndBoundsIt) {
    const auto refusal = test::status_reply(410, "Expired", "too old");
    answer([&refusal](const test::ApiCall&) {
        test::ApiReply reply = refusal;
        reply.stream = test::steps({Send{refusal.body.substr(0, 9)}, Send{refusal.body.substr(9)}});
        return reply;
    });
    auto refused = watch();
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().status.reason, "Expired");
    answer([](const test::ApiCall&) {
        test::ApiReply reply;
        reply.status = 500;
        reply.stream = [] {
            return Send{std::string(1024, 'x')};
        };
        return reply;
    });
    refused = watch();
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().status.code, 500) << "an endless body is not read to its end";
    answer([](const test::ApiCall&) {
        test::ApiReply reply;
        reply.status = 500;
        reply.stream = test::steps({Send{"x"}, Cut{}});
        return reply;
    });
    EXPECT_EQ(watch().error().status.code, 500);
}

TEST_F(ApiWatch, IsUnavailableWhenTheServerGoes) {
    answer_steps({Send{"first\n"}, Hold{}});
    const auto stream = watch();
    ASSERT_TRUE(stream);
    EXPECT_EQ(*line(**stream), "first");
    server_.stop();
    const auto cut = line(**stream);
    ASSERT_FALSE(cut);
    EXPECT_EQ(cut.error().error.code, Code::Unavailable);
    EXPECT_FALSE(watch());
    server_.start();
    EXPECT_TRUE(watch());
}

}  // namespace
}  // namespace smw::client
