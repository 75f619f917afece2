#include "smw/json/edit.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace smw::json {
namespace {

using testing::HasSubstr;

std::string patched(const std::string& object, const std::string& patch) {
    const auto result = apply_patch(Text{object}, Text{patch});
    return result ? result->json : result.error().message;
}

TEST(ApplyPatch, AppliesTheExamplesOfRfc6902AppendixA) {
    const struct {
        const char* object;
        const char* patch;
        const char* result;
    } cases[] = {
        {R"({"foo":"bar"})", R"([{"op":"add","path":"/baz","value":"qux"}])",
         R"({"foo":"bar","baz":"qux"})"},
        {R"({"foo":["bar","baz"]})", R"([{"op":"add","path":"/foo/1","value":"qux"}])",
         R"({"foo":["bar","qux","baz"]})"},
        {R"({"baz":"qux","foo":"bar"})", R"([{"op":"remove","path":"/baz"}])", R"({"foo":"bar"})"},
        {R"({"foo":["bar","qux","baz"]})", R"([{"op":"remove","path":"/foo/1"}])",
         R"({"foo":["bar","baz"]})"},
        {R"({"baz":"qux","foo":"bar"})", R"([{"op":"replace","path":"/baz","value":"boo"}])",
         R"({"baz":"boo","foo":"bar"})"},
        {R"({"foo":{"bar":"baz","waldo":"fred"},"qux":{"corge":"grault"}})",
         R"([{"op":"move","from":"/foo/waldo","path":"/qux/thud"}])",
         R"({"foo":{"bar":"baz"},"qux":{"corge":"grault","thud":"fred"}})"},
        {R"({"foo":["all","grass","cows","eat"]})",
         R"([{"op":"move","from":"/foo/1","path":"/foo/3"}])",
         R"({"foo":["all","cows","eat","grass"]})"},
        {R"({"baz":"qux","foo":["a",2,"c"]})",
         R"([{"op":"test","path":"/baz","value":"qux"},{"op":"test","path":"/foo/1","value":2}])",
         R"({"baz":"qux","foo":["a",2,"c"]})"},
        {R"({"foo":"bar"})", R"([{"op":"add","path":"/child","value":{"grandchild":{}}}])",
         R"({"foo":"bar","child":{"grandchild":{}}})"},
        {R"({"foo":["bar"]})", R"([{"op":"add","path":"/foo/-","value":["abc","def"]}])",
         R"({"foo":["bar",["abc","def"]]})"},
        {R"({"foo":null})", R"([{"op":"add","path":"/foo","value":1}])", R"({"foo":1})"},
        {R"({"/":9,"~1":10})", R"([{"op":"test","path":"/~01","value":10}])", R"({"/":9,"~1":10})"},
        {R"({"a":{"b":1}})", R"([{"op":"copy","from":"/a","path":"/c"}])",
         R"({"a":{"b":1},"c":{"b":1}})"},
        {R"({"a":1})", R"([{"op":"replace","path":"","value":[2]}])", "[2]"},
        {R"({"a":1})", R"([{"op":"add","path":"","value":[2]}])", "[2]"},
        {R"({"a":1})", "[]", R"({"a":1})"},
    };
    for (const auto& c : cases) {
        EXPECT_EQ(patched(c.object, c.patch), c.result) << c.patch;
    }
}

TEST(ApplyPatch, SaysWhatDoesNotApply) {
    const std::string object = R"({"text":"x","null":null,"list":[1],"object":{}})";
    const struct {
        const char* patch;
        const char* reason;
    } cases[] = {
        {R"([{"op":"replace","path":"/absent","value":1}])", "operation 0"},
        {R"([{"op":"remove","path":"/absent"}])", "does not exist"},
        {R"([{"op":"remove","path":"/text/a"}])", "does not exist"},
        {R"([{"op":"remove","path":"/list/1"}])", "does not exist"},
        {R"([{"op":"add","path":"/absent/a","value":1}])", "parent of its path does not exist"},
        {R"([{"op":"add","path":"/text/a","value":1}])", "neither object nor list"},
        {R"([{"op":"add","path":"/null/a","value":1}])", "neither object nor list"},
        {R"([{"op":"copy","from":"/text","path":"/null/a"}])", "neither object nor list"},
        {R"([{"op":"move","from":"/object","path":"/object/a"}])", "operation 0"},
        {R"([{"op":"add","path":"/list/3","value":1}])", "operation 0"},
        {R"([{"op":"add","path":"/list/01","value":1}])", "operation 0"},
        {R"([{"op":"add","path":"no-slash","value":1}])", "operation 0"},
        {R"([{"op":"add","path":"/a"}])", "operation 0"},
        {R"([{"op":"copy","path":"/a"}])", "operation 0"},
        {R"([{"op":"copy","from":"/absent","path":"/a"}])", "operation 0"},
        {R"([{"op":"test","path":"/text","value":"y"}])", "its test does not hold"},
        {R"([{"op":"test","path":"/text","value":"x"},{"op":"test","path":"/text","value":1}])",
         "operation 1: its test does not hold"},
        {R"([{"op":"grow","path":"/a"}])", "operation 0"},
        {R"([{"path":"/a"}])", "needs op and path"},
        {R"([{"op":"add"}])", "needs op and path"},
        {R"([{"op":1,"path":"/a"}])", "needs op and path"},
        {R"([1])", "needs op and path"},
        {R"({"op":"add"})", "no list of operations"},
        {"[", "reading the patch"},
    };
    for (const auto& c : cases) {
        const auto result = apply_patch(Text{object}, Text{c.patch});
        ASSERT_FALSE(result) << c.patch << result->json;
        EXPECT_EQ(result.error().code, Code::BadRequest);
        EXPECT_THAT(result.error().message, HasSubstr(c.reason)) << c.patch;
    }
    EXPECT_THAT(patched("{", "[]"), HasSubstr("reading the object"));
}

TEST(ApplyPatch, ReadsDuplicateKeysAsTheServerDoes) {
    EXPECT_EQ(patched(R"({"a":1,"a":2})", "[]"), R"({"a":1})");
    EXPECT_EQ(patched("{}", R"([{"op":"add","path":"/a","path":"/b","value":1}])"), R"({"a":1})");
}

TEST(ApplyPatch, KeepsMemberOrderAndNumbers) {
    const std::string object =
        R"({"z":1,"a":[18446744073709551615,-9223372036854775808,1.0,0.1],"m":{"y":"é","b":""}})";
    EXPECT_EQ(patched(object, "[]"), object);
}

TEST(ApplyPatch, RefusesToGrowWithoutEnd) {
    std::string patch = R"([{"op":"add","path":"/a","value":[1]})";
    for (int count = 0; count < 60; ++count) {
        patch += R"(,{"op":"copy","from":"/a","path":"/a/-"})";
    }
    EXPECT_THAT(patched("{}", patch + "]"), HasSubstr("makes the object too large"));

    std::string deep = R"([{"op":"add","path":"","value":[]})";
    for (int count = 0; count < 3000; ++count) {
        deep += R"(,{"op":"add","path":"/0","value":[]},{"op":"move","from":"/0","path":""})";
    }
    EXPECT_EQ(patched("{}", deep + "]"), "[]");
}

TEST(Pretty, IndentsByTwoBlanks) {
    const auto text = pretty(Text{R"({"a":[1,{"b":null}],"c":{},"d":[]})"});
    ASSERT_TRUE(text);
    EXPECT_EQ(text->json,
              "{\n  \"a\": [\n    1,\n    {\n      \"b\": null\n    }\n  ],\n"
              "  \"c\": {},\n  \"d\": []\n}");
}

TEST(Pretty, RefusesWhatIsNoJson) {
    const auto text = pretty(Text{"[1,]"});
    ASSERT_FALSE(text);
    EXPECT_EQ(text.error().code, Code::BadRequest);
}

}  // namespace
}  // namespace smw::json
