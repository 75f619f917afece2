// Recorded reviews, damaged: whatever comes in, the answer is a Request or a BadRequest.

#include "reviews.hpp"

#include <random>

namespace smw::admission {
namespace {

using test::Json;

constexpr int kMutationsPerReview = 150;

std::string damaged(std::string text, std::mt19937& random) {
    const auto any = [&](std::size_t below) {
        return random() % below;
    };
    switch (any(4)) {
        case 0:
            text.resize(any(text.size()));
            break;
        case 1:
            text[any(text.size())] ^= static_cast<char>(1U << any(8));
            break;
        case 2:
            text.insert(any(text.size()), 1, R"({}[]",:0ntf\)"[any(12)]);
            break;
        default:
            text.erase(any(text.size()), 1 + any(3));
            break;
    }
    return text;
}

TEST(DamagedReviews, AreDecodedOrRefused) {
    std::mt19937 random{20261121};
    int decoded = 0;
    int refused = 0;
    for (const auto& [name, text] : test::recorded_reviews()) {
        for (int i = 0; i < kMutationsPerReview; ++i) {
            const auto document = json::Document::parse(damaged(text, random));
            if (!document) {
                continue;
            }
            const auto request = decode_review(document->root());
            if (!request) {
                ++refused;
                EXPECT_EQ(request.error().code, Code::BadRequest);
                EXPECT_FALSE(request.error().message.empty());
                continue;
            }
            ++decoded;
            const auto answer = Json::parse(encode_review(*request, Response{}));
            EXPECT_EQ(answer["response"]["uid"], request->uid) << name;
        }
    }
    EXPECT_GT(decoded, 100);
    EXPECT_GT(refused, 5);
}

/// Any value of the review replaced by one of another type, deep inside too.
TEST(DamagedReviews, TakeAnyTypeAnywhere) {
    const Json values[] = {nullptr, true, -1, 1e300, "", Json::array(), Json::object(), "x"};
    int decoded = 0;
    int refused = 0;
    const auto whole = test::review();
    const auto leaves = whole.flatten();
    for (const auto& item : leaves.items()) {
        for (Json::json_pointer at{item.key()}; !at.empty(); at.pop_back()) {
            for (const auto& value : values) {
                auto changed = whole;
                changed[at] = value;
                const auto document = json::Document::parse(changed.dump());
                ASSERT_TRUE(document);
                decode_review(document->root()) ? ++decoded : ++refused;
            }
        }
    }
    EXPECT_GT(decoded, 40);
    EXPECT_GT(refused, 50);
}

}  // namespace
}  // namespace smw::admission
