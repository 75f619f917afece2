#include "json/parser_pool.hpp"

#include "smw/json/document.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace smw::json {
namespace {

/// Runs on a thread of its own, whose pool is empty at the start.
template <class Check>
void on_a_fresh_thread(Check check) {
    std::thread(check).join();
}

std::string spaces(std::size_t count) {
    return "[" + std::string(count, ' ') + "]";
}

TEST(ParserPool, KeepsAParserForTheNextDocument) {
    on_a_fresh_thread([] {
        EXPECT_EQ(kept_parsers(), 0U);
        { const auto document = Document::parse("{}"); }
        EXPECT_EQ(kept_parsers(), 1U);
        {
            const auto document = Document::parse("{}");
            EXPECT_EQ(kept_parsers(), 0U);
        }
        EXPECT_EQ(kept_parsers(), 1U);
    });
}

TEST(ParserPool, KeepsAParserThatMetABadText) {
    on_a_fresh_thread([] {
        EXPECT_FALSE(Document::parse("{"));
        EXPECT_EQ(kept_parsers(), 1U);
        const auto document = Document::parse(R"({"a":1})");
        ASSERT_TRUE(document);
        EXPECT_EQ(document->root().find("a")->int64(), 1);
    });
}

TEST(ParserPool, KeepsOnlyAFew) {
    on_a_fresh_thread([] {
        {
            std::vector<Document> documents;
            for (std::size_t count = 0; count < 3 * kKeptParsers; ++count) {
                documents.push_back(*Document::parse("{}"));
            }
        }
        EXPECT_EQ(kept_parsers(), kKeptParsers);
    });
}

TEST(ParserPool, KeepsNoParserThatGrewBeyondOneMebibyte) {
    on_a_fresh_thread([] {
        { const auto document = Document::parse(spaces(1024 * 1024)); }
        EXPECT_EQ(kept_parsers(), 0U);
        { const auto document = Document::parse(spaces(1024 * 1024 - 16 * 1024)); }
        EXPECT_EQ(kept_parsers(), 1U);
    });
}

TEST(ParserPool, KeepsNoMoreThanOneMebibyteInAll) {
    on_a_fresh_thread([] {
        {
            const auto first = Document::parse(spaces(600'000));
            const auto second = Document::parse(spaces(600'000));
            const auto third = Document::parse(spaces(100'000));
        }
        EXPECT_EQ(kept_parsers(), 2U);
    });
}

TEST(ParserPool, TakesParsersFromOtherThreads) {
    on_a_fresh_thread([] {
        std::optional<Document> travelling;
        std::thread([&] { travelling = *Document::parse(R"(["elsewhere"])"); }).join();
        EXPECT_EQ(travelling->root().text(), R"(["elsewhere"])");
        EXPECT_EQ(kept_parsers(), 0U);
        travelling.reset();
        EXPECT_EQ(kept_parsers(), 1U);
    });
}

TEST(ParserPool, ADocumentMayOutliveThePoolOfItsThread) {
    // Destroyed after the main thread's pool: ASan would tell.
    static const Document kLast = *Document::parse(R"({"until":"the end"})");
    EXPECT_EQ(kLast.root().find("until")->string(), "the end");
}

}  // namespace
}  // namespace smw::json
