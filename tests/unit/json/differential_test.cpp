// The seam against nlohmann, an independent parser: same texts taken, same values read.

#include "smw/json/document.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace smw::json {
namespace {

using Tree = nlohmann::ordered_json;

std::string read(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

std::vector<std::filesystem::path> corpus() {
    std::vector<std::filesystem::path> found;
    for (const auto& folder : std::filesystem::directory_iterator(SMW_TEST_DATA)) {
        if (folder.path().filename().string().rfind("reviews-", 0) != 0) {
            continue;
        }
        for (const auto& file : std::filesystem::directory_iterator(folder)) {
            if (file.path().extension() == ".json") {
                found.push_back(file.path());
            }
        }
    }
    return found;
}

void expect_same(Value ours, const Tree& theirs, const std::string& where);

void expect_same_members(Value ours, const Tree& theirs, const std::string& where) {
    ASSERT_TRUE(theirs.is_object()) << where;
    ASSERT_EQ(ours.size(), theirs.size()) << where;
    auto expected = theirs.begin();
    for (const auto& [key, value] : ours.members()) {
        ASSERT_EQ(key, expected.key()) << where;
        ASSERT_TRUE(ours.find_raw(key)) << where;
        EXPECT_EQ(ours.find_raw(key)->cursor(), value.cursor()) << where;
        expect_same(value, expected.value(), where + "/" + std::string{key});
        ++expected;
    }
}

void expect_same(Value ours, const Tree& theirs, const std::string& where) {
    switch (ours.kind()) {
        case Kind::Null:
            EXPECT_TRUE(theirs.is_null()) << where;
            return;
        case Kind::Boolean:
            ASSERT_TRUE(theirs.is_boolean()) << where;
            EXPECT_EQ(ours.boolean(), theirs.get<bool>()) << where;
            return;
        case Kind::Number:
            ASSERT_TRUE(theirs.is_number()) << where;
            EXPECT_EQ(Tree::parse(ours.text()), theirs) << where;
            return;
        case Kind::String:
            ASSERT_TRUE(theirs.is_string()) << where;
            EXPECT_EQ(ours.string(), theirs.get_ref<const std::string&>()) << where;
            return;
        case Kind::Array: {
            ASSERT_TRUE(theirs.is_array()) << where;
            ASSERT_EQ(ours.size(), theirs.size()) << where;
            std::size_t index = 0;
            for (const Value item : ours.items()) {
                expect_same(item, theirs[index], where + "/" + std::to_string(index));
                ++index;
            }
            return;
        }
        case Kind::Object:
            expect_same_members(ours, theirs, where);
            return;
    }
}

TEST(Differential, EveryReviewReadsTheSame) {
    const auto files = corpus();
    ASSERT_GT(files.size(), 20U);
    for (const auto& file : files) {
        const std::string text = read(file);
        const auto document = Document::parse(text);
        ASSERT_TRUE(document) << file << ": " << document.error().message;
        expect_same(document->root(), Tree::parse(text), file.filename().string());
    }
}

TEST(Differential, EveryReviewIsWrittenTheSame) {
    for (const auto& file : corpus()) {
        const std::string text = read(file);
        EXPECT_EQ(Document::parse(text)->root().text(), Tree::parse(text).dump()) << file;
    }
}

TEST(Differential, ATextCutAtAnyByteIsRefused) {
    const std::string text = read(corpus().front());
    const std::size_t end = text.find_last_not_of(" \n");
    for (std::size_t length = 0; length <= end; ++length) {
        const auto document = Document::parse(text.substr(0, length));
        ASSERT_FALSE(document) << length;
        EXPECT_EQ(document.error().code, Code::BadRequest);
    }
    EXPECT_TRUE(Document::parse(text.substr(0, end + 1)));
}

TEST(Differential, ATextWithAnyByteReplacedIsTakenByBothOrNone) {
    const std::string text =
        R"({"a":[1,-2.5e3,true,false,null,"é\u20ac\n"],"b":{"c":{}},"d":[[],{}],"e":0})";
    for (std::size_t at = 0; at < text.size(); ++at) {
        for (unsigned byte = 0; byte < 256; ++byte) {
            std::string changed = text;
            changed[at] = static_cast<char>(byte);
            const auto document = Document::parse(changed);
            const Tree theirs = Tree::parse(changed, nullptr, false);
            ASSERT_EQ(document.has_value(), !theirs.is_discarded())
                << "byte " << byte << " at " << at << ": " << changed;
            if (document && document->root().is_object() &&
                document->root().size() == theirs.size()) {
                EXPECT_EQ(Tree::parse(document->root().text()), theirs) << changed;
            }
        }
    }
}

TEST(Differential, KnownDifferencesStayAsTheyAre) {
    // RFC 8259 leaves these to the reader; ours are what the server documents.
    const auto duplicates = Document::parse(R"({"a":1,"a":2})");
    ASSERT_TRUE(duplicates);
    EXPECT_EQ(duplicates->root().find("a")->int64(), 1);
    EXPECT_EQ(nlohmann::json::parse(R"({"a":1,"a":2})")["a"], 2);

    EXPECT_FALSE(Document::parse("18446744073709551616"));
    EXPECT_FALSE(nlohmann::json::parse("18446744073709551616", nullptr, false).is_discarded());

    EXPECT_FALSE(Document::parse("\xEF\xBB\xBF{}"));
    EXPECT_FALSE(nlohmann::json::parse("\xEF\xBB\xBF{}", nullptr, false).is_discarded());
}

}  // namespace
}  // namespace smw::json
