#include "smw/json/pointer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace smw::json {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string found(const Document& document, const std::string& pointer) {
    const auto parsed = Pointer::parse(pointer);
    EXPECT_TRUE(parsed) << pointer;
    const auto value = parsed->resolve(document.root());
    return value ? value->text() : "nothing";
}

TEST(Pointer, ResolvesTheExamplesOfRfc6901Section5) {
    const auto document = Document::parse(R"({"foo":["bar","baz"],"":0,"a/b":1,"c%d":2,"e^f":3,)"
                                          R"("g|h":4,"i\\j":5,"k\"l":6," ":7,"m~n":8})");
    ASSERT_TRUE(document);
    EXPECT_EQ(found(*document, ""), document->root().text());
    const struct {
        const char* pointer;
        const char* value;
    } cases[] = {
        {"/foo", R"(["bar","baz"])"},
        {"/foo/0", R"("bar")"},
        {"/", "0"},
        {"/a~1b", "1"},
        {"/c%d", "2"},
        {"/e^f", "3"},
        {"/g|h", "4"},
        {"/i\\j", "5"},
        {"/k\"l", "6"},
        {"/ ", "7"},
        {"/m~0n", "8"},
    };
    for (const auto& c : cases) {
        EXPECT_EQ(found(*document, c.pointer), c.value) << c.pointer;
    }
}

TEST(Pointer, FindsNothingWhereAStepIsMissing) {
    const auto document = Document::parse(R"({"list":[1,[2]],"text":"abc","null":null,"0":5})");
    ASSERT_TRUE(document);
    for (const char* pointer : {"/absent", "/list/2", "/list/-", "/list/00", "/list/01", "/list/+1",
                                "/list/ 1", "/list/1/1", "/list/x", "/list/", "/text/0", "/null/a",
                                "/list/0/0", "/list/18446744073709551616", "/list/-1", "/Text"}) {
        EXPECT_EQ(found(*document, pointer), "nothing") << pointer;
    }
    EXPECT_EQ(found(*document, "/0"), "5");
    EXPECT_EQ(found(*document, "/list/1/0"), "2");
}

TEST(Pointer, FindsNullAndTheFirstOfDuplicates) {
    const auto document = Document::parse(R"({"a":null,"b":1,"b":2})");
    ASSERT_TRUE(document);
    EXPECT_EQ(found(*document, "/a"), "null");
    EXPECT_EQ(found(*document, "/b"), "1");
}

TEST(Pointer, UnescapesOnceFromLeftToRight) {
    const auto pointer = Pointer::parse("/~01/~10/a~1b~0c//");
    ASSERT_TRUE(pointer);
    EXPECT_THAT(pointer->tokens(), ElementsAre("~1", "/0", "a/b~c", "", ""));
    EXPECT_EQ(pointer->text(), "/~01/~10/a~1b~0c//");
}

TEST(Pointer, RefusesWhatIsNone) {
    const struct {
        const char* text;
        const char* reason;
    } cases[] = {
        {"a", "begin with /"}, {"a/b", "begin with /"}, {"#/a", "begin with /"}, {"/~", "~"},
        {"/~2", "~"},          {"/a~/b", "~"},          {"/a/b~", "~"},          {"/~~0", "~"},
    };
    for (const auto& c : cases) {
        const auto pointer = Pointer::parse(c.text);
        ASSERT_FALSE(pointer) << c.text;
        EXPECT_EQ(pointer.error().code, Code::BadRequest);
        EXPECT_THAT(pointer.error().message, HasSubstr(c.reason)) << c.text;
    }
}

TEST(Pointer, StepsDownEscapingWhatItMust) {
    const Pointer pointer = Pointer{} / "metadata" / "annotations" / "example.com/a~b" / 0 / "";
    EXPECT_EQ(pointer.text(), "/metadata/annotations/example.com~1a~0b/0/");
    EXPECT_EQ(Pointer::parse(pointer.text()), pointer);
}

TEST(Pointer, SteppingLeavesTheOriginalAlone) {
    const Pointer spec = Pointer{} / "spec";
    const Pointer deeper = spec / "containers";
    EXPECT_EQ(spec.text(), "/spec");
    EXPECT_EQ(deeper.text(), "/spec/containers");
    EXPECT_NE(spec, deeper);
}

TEST(Pointer, TheEmptyOneIsTheWholeDocument) {
    EXPECT_EQ(Pointer{}.text(), "");
    EXPECT_EQ(Pointer::parse(""), Pointer{});
    const auto document = Document::parse("null");
    EXPECT_TRUE(Pointer{}.resolve(document->root())->is_null());
}

}  // namespace
}  // namespace smw::json
