#include "cli/input_documents.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace smw::cli {
namespace {

using testing::HasSubstr;

/// "line: json", or "line! reason" of a broken one.
std::vector<std::string> read(std::string_view text) {
    std::vector<std::string> lines;
    for (const auto& document : read_documents("in.yaml", text)) {
        EXPECT_EQ(document.place.file, "in.yaml");
        const auto line = std::to_string(document.place.line);
        lines.push_back(document.json ? line + ": " + document.json->json
                                      : line + "! " + document.json.error().message);
    }
    return lines;
}

using testing::ElementsAre;
using testing::IsEmpty;

TEST(ReadDocuments, ReadsSeveralDocuments) {
    EXPECT_THAT(read("a: 1\n---\n# nothing\n---\nb: 2\n"),
                ElementsAre(R"(1: {"a":1})", R"(5: {"b":2})"));
    EXPECT_THAT(read(R"({"a": 1})"), ElementsAre(R"(1: {"a":1})"));
    EXPECT_THAT(read(""), IsEmpty());
}

TEST(ReadDocuments, TakesAListApart) {
    EXPECT_THAT(read("kind: List\napiVersion: v1\nitems: [{a: 1}, {b: 2}]\n---\nc: 3\n"),
                ElementsAre(R"(1: {"a":1})", R"(1: {"b":2})", R"(5: {"c":3})"));
    EXPECT_THAT(read("kind: List\nitems: []\n"), IsEmpty());
}

TEST(ReadDocuments, SaysWhereADocumentBeginsForAPerson) {
    EXPECT_THAT(read("\n# first\na: 1\n--- # second\n\n# x\nb: 2\n--- {c: 3}\n...\n"),
                ElementsAre(R"(3: {"a":1})", R"(7: {"b":2})", R"(8: {"c":3})"));
    EXPECT_THAT(read("\n\n{\"a\": 1}\n"), ElementsAre(R"(3: {"a":1})"));
}

TEST(ReadDocuments, LeavesWhatOnlyLooksLikeAList) {
    EXPECT_THAT(read("kind: List\nitems: 1\n"), ElementsAre(R"(1: {"kind":"List","items":1})"));
    EXPECT_THAT(read("items: [1]\n"), ElementsAre(R"(1: {"items":[1]})"));
}

TEST(ReadDocuments, ReadsTheOthersBesideABrokenOne) {
    const auto lines = read("a: 1\n---\nb: [1\n---\nc: 3\n--- # last\nd: {\n");
    ASSERT_EQ(lines.size(), 4U);
    EXPECT_EQ(lines[0], R"(1: {"a":1})");
    EXPECT_THAT(lines[1], testing::MatchesRegex("[345]! .+"));
    EXPECT_EQ(lines[2], R"(5: {"c":3})");
    EXPECT_THAT(lines[3], testing::MatchesRegex("[678]! .+"));
}

TEST(ReadDocuments, DoesNotTakeDashesInATextForAMarker) {
    const auto lines = read("a: |\n  --- x\n  y\nb: ---x\n---x: 1\n---\nbroken: [\n");
    ASSERT_EQ(lines.size(), 2U);
    EXPECT_EQ(lines[0], R"(1: {"a":"--- x\ny\n","b":"---x","---x":1})");
    EXPECT_THAT(lines[1], HasSubstr("! "));
}

TEST(ReadDocuments, SaysWhyAFileIsNoText) {
    EXPECT_THAT(read("a: \xff\n"), ElementsAre("1! is not valid UTF-8"));
}

}  // namespace
}  // namespace smw::cli
