// Aliases, merge keys and the limits that keep them small.

#include "smw/json/yaml.hpp"
#include "yaml_text.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace smw::json {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

TEST(ParseYaml, ExpandsAliases) {
    EXPECT_EQ(json_of("a: &x {b: [1]}\nc: *x\nd: [*x, *x]\n"),
              R"({"a":{"b":[1]},"c":{"b":[1]},"d":[{"b":[1]},{"b":[1]}]})");
    EXPECT_EQ(json_of("- &x 1\n- &x 2\n- *x\n"), "[1,2,2]");
    EXPECT_EQ(json_of("- &k name\n- {*k : v}\n"), R"(["name",{"name":"v"}])");
    EXPECT_EQ(json_of("- &n\n- *n\n"), "[null,null]");
}

TEST(ParseYaml, AnchorsEndWithTheirDocument) {
    EXPECT_THAT(json_of("a: &x 1\n---\nb: *x\n"), StartsWith("line 3: "));
}

TEST(ParseYaml, RefusesAnAliasInsideWhatItNames) {
    EXPECT_EQ(json_of("a: &x\n- 1\n- *x\n"), "line 3: an alias stands inside what it refers to");
    EXPECT_EQ(json_of("&x a: *x\n"), R"({"a":"a"})");
}

TEST(ParseYaml, SpreadsMergeKeys) {
    const struct {
        const char* text;
        const char* json;
    } cases[] = {
        {"- &x {a: 1, b: 2}\n- {<<: *x, b: 3}\n", R"([{"a":1,"b":2},{"a":1,"b":3}])"},
        {"- &x {a: 1, b: 2}\n- {b: 3, <<: *x}\n", R"([{"a":1,"b":2},{"b":3,"a":1}])"},
        {"- &x {a: 1}\n- &y {a: 2, b: 3}\n- <<: [*x, *y]\n",
         R"([{"a":1},{"a":2,"b":3},{"a":1,"b":3}])"},
        {"- &x {a: 1}\n- &y {<<: *x, b: 2}\n- <<: *y\n",
         R"([{"a":1},{"a":1,"b":2},{"a":1,"b":2}])"},
        {"a: {<<: {b: 1}}\n", R"({"a":{"b":1}})"},
        {"a: {!!merge <<: {b: 1}}\n", R"({"a":{"b":1}})"},
        {"a: {'<<': {b: 1}}\n", R"({"a":{"<<":{"b":1}}})"},
        {"a: [<<]\n", R"({"a":["<<"]})"},
        {"a: {<<: []}\n", R"({"a":{}})"},
    };
    for (const auto& c : cases) {
        EXPECT_EQ(json_of(c.text), c.json) << c.text;
    }
}

TEST(ParseYaml, RefusesToMergeWhatIsNoMapping) {
    for (const char* text : {"a: {<<: 1}\n", "a: {<<: [1]}\n", "a: {<<: x}\n", "a:\n  <<:\n"}) {
        EXPECT_THAT(json_of(text), HasSubstr("<< needs a mapping or a list of mappings")) << text;
    }
}

TEST(ParseYaml, RefusesAliasesThatExpandTooFar) {
    std::string text = "a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]\n";
    for (int level = 1; level < 60; ++level) {
        const std::string below = "*a" + std::to_string(level - 1);
        text += "a" + std::to_string(level) + ": &a" + std::to_string(level) + " [" + below;
        for (int count = 1; count < 9; ++count) {
            text += ", " + below;
        }
        text += "]\n";
    }
    EXPECT_EQ(json_of(text), "line 8: aliases expand to more than 64 MiB");
}

TEST(ParseYaml, CountsTheExpansionOfAllDocuments) {
    const std::string word(1'000'000, 'x');
    std::string document = "---\n- &w " + word + "\n";
    for (int count = 0; count < 35; ++count) {
        document += "- *w\n";
    }
    EXPECT_TRUE(parse_yaml(document));
    EXPECT_THAT(json_of(document + document), HasSubstr("more than 64 MiB"));
}

TEST(ParseYaml, RefusesMergeKeysThatRepeatTheSameKeysWithoutEnd) {
    std::string text = "- &a {";
    for (int key = 0; key < 200; ++key) {
        text += "k" + std::to_string(key) + ": ,";
    }
    text += "}\n- {<<: [";
    for (int count = 0; count < 10'000; ++count) {
        text += "*a,";
    }
    text += "]}\n";
    EXPECT_THAT(json_of(text), HasSubstr("merge keys repeat too much"));
}

TEST(ParseYaml, RefusesNestingThatWouldEndTheStack) {
    for (const char* opening : {"[", "{a: ", "- ", "[{a: ", "? "}) {
        std::string text;
        for (int level = 0; level < 100'000; ++level) {
            text += opening;
        }
        EXPECT_THAT(json_of(text), StartsWith("line 1: ")) << opening;
    }
    EXPECT_THAT(json_of(std::string(100'000, '[') + std::string(100'000, ']')),
                StartsWith("line 1: "));
}

TEST(ParseYaml, RefusesAChainOfAliasesDeeperThanADocumentMayBe) {
    std::string text = "- &a0 [x]\n";
    for (int level = 1; level < 100'000; ++level) {
        text += "- &a" + std::to_string(level) + " [*a" + std::to_string(level - 1) + "]\n";
    }
    EXPECT_EQ(json_of(text), "line 1024: is nested more than 1,024 levels deep");
}

}  // namespace
}  // namespace smw::json
