#include "smw/json/document.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <string>
#include <vector>

namespace smw::json {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

Document parsed(std::string text) {
    auto document = Document::parse(std::move(text));
    EXPECT_TRUE(document) << (document ? "" : document.error().message);
    return *std::move(document);
}

std::string nested(std::size_t levels) {
    return std::string(levels, '[') + std::string(levels, ']');
}

TEST(Document, TellsTheKindOfEveryValue) {
    const struct {
        const char* text;
        Kind kind;
    } cases[] = {
        {"null", Kind::Null},          {"true", Kind::Boolean},
        {"false", Kind::Boolean},      {"0", Kind::Number},
        {"-1", Kind::Number},          {"18446744073709551615", Kind::Number},
        {"1.5e3", Kind::Number},       {"\"\"", Kind::String},
        {"\"a\"", Kind::String},       {"[]", Kind::Array},
        {"[1]", Kind::Array},          {"{}", Kind::Object},
        {" {\"a\":1} ", Kind::Object},
    };
    for (const auto& c : cases) {
        const Document document = parsed(c.text);
        EXPECT_EQ(document.root().kind(), c.kind) << c.text;
    }
}

TEST(Document, NamesKindsAsPeopleDo) {
    EXPECT_EQ(to_string(Kind::Null), "null");
    EXPECT_EQ(to_string(Kind::Boolean), "boolean");
    EXPECT_EQ(to_string(Kind::Number), "number");
    EXPECT_EQ(to_string(Kind::String), "string");
    EXPECT_EQ(to_string(Kind::Array), "array");
    EXPECT_EQ(to_string(Kind::Object), "object");
}

TEST(Document, RefusesWhatIsNotJson) {
    const struct {
        const char* what;
        std::string text;
        const char* reason;
    } cases[] = {
        {"nothing", "", "is empty"},
        {"blanks", " \n\t", "is empty"},
        {"trailing text", "{} {}", "not well-formed"},
        {"trailing comma", "[1,]", "not well-formed"},
        {"single quotes", "{'a':1}", "not well-formed"},
        {"comment", "{} // x", "not well-formed"},
        {"missing colon", R"({"a" 1})", "not well-formed"},
        {"key that is no string", "{1:2}", "not well-formed"},
        {"open object", R"({"a":1)", "not well-formed"},
        {"open string", R"({"a)", "ends inside a string"},
        {"byte order mark", "\xEF\xBB\xBF{}", "not well-formed"},
        {"NUL behind", std::string("{}\0", 3), "not well-formed"},
        {"NUL in front", std::string("\0{}", 3), "not well-formed"},
        {"NUL in a string", std::string("\"a\0b\"", 5), "control character"},
        {"NUL behind a number", std::string("1\0", 2), "number"},
        {"newline in a string", "\"a\nb\"", "control character"},
        {"unknown escape", R"("\x41")", "invalid escape"},
        {"high surrogate alone", R"("\ud800")", "invalid escape"},
        {"high surrogate and a letter", R"("\ud800a")", "invalid escape"},
        {"two high surrogates", R"("\ud800\ud800")", "invalid escape"},
        {"low surrogate alone", R"("\udc00")", "invalid escape"},
        {"surrogates in the wrong order", R"("\udc00\ud800")", "invalid escape"},
        {"invalid UTF-8", "\"\xFF\"", "not valid UTF-8"},
        {"overlong UTF-8", "\"\xC0\xAF\"", "not valid UTF-8"},
        {"a surrogate in UTF-8", "\"\xED\xA0\x80\"", "not valid UTF-8"},
        {"a cut character", "\"\xE2\x82\"", "not valid UTF-8"},
        {"wrong true", "[tru]", "true, false or null"},
        {"wrong false", "[folse]", "true, false or null"},
        {"wrong null", "[nul]", "true, false or null"},
        {"leading zero", "[01]", "number"},
        {"leading plus", "[+1]", "not well-formed"},
        {"bare point", "[.5]", "not well-formed"},
        {"hexadecimal", "[0x10]", "number"},
        {"NaN", "[NaN]", "not well-formed"},
        {"Infinity", "[Infinity]", "not well-formed"},
        {"integer over 64 bits", "[18446744073709551616]", "number"},
        {"integer under 64 bits", "[-9223372036854775809]", "number"},
        {"1e400", "[1e400]", "number"},
        {"-1e400", "[-1e400]", "number"},
    };
    for (const auto& c : cases) {
        const auto document = Document::parse(c.text);
        ASSERT_FALSE(document) << c.what;
        EXPECT_EQ(document.error().code, Code::BadRequest) << c.what;
        EXPECT_THAT(document.error().message, HasSubstr(c.reason)) << c.what;
    }
}

TEST(Document, ErrorsEchoNothingOfTheText) {
    for (const char* text : {"{\"secret\":tru}", "secret", "\"secret", "{\"secret\":1e999}"}) {
        const auto document = Document::parse(text);
        ASSERT_FALSE(document) << text;
        EXPECT_THAT(document.error().message, Not(HasSubstr("secret")));
    }
}

TEST(Document, TakesATextThatEndsWithBlanksOrNewline) {
    EXPECT_TRUE(Document::parse("{}\n"));
    EXPECT_TRUE(Document::parse(" \r\n\t[1] \n\n"));
}

TEST(Document, TakesNestingUpTo1024Levels) {
    const auto deepest = Document::parse(nested(1024));
    ASSERT_TRUE(deepest) << deepest.error().message;
    EXPECT_EQ(deepest->root().text(), nested(1024));

    const auto deeper = Document::parse(nested(1025));
    ASSERT_FALSE(deeper);
    EXPECT_EQ(deeper.error().message, "is nested more than 1,024 levels deep");
}

TEST(Document, CountsAScalarAsALevel) {
    const auto around = [](std::size_t lists, const std::string& scalar) {
        return std::string(lists, '[') + scalar + std::string(lists, ']');
    };
    EXPECT_TRUE(Document::parse(around(1023, "1")));
    EXPECT_TRUE(Document::parse(around(1022, R"({"a":1})")));
    EXPECT_FALSE(Document::parse(around(1024, "1")));
    EXPECT_FALSE(Document::parse(around(1023, R"({"a":1})")));
}

TEST(Document, KeepsTheDepthLimitWhenAParserGrows) {
    const auto small = Document::parse("[]");
    ASSERT_TRUE(small);
    const std::string padding(300'000, ' ');
    EXPECT_TRUE(Document::parse(nested(1024) + padding));
    EXPECT_FALSE(Document::parse(nested(1025) + padding));
}

TEST(Document, ParsesTheSameWithAndWithoutRoomForPadding) {
    const std::string text = R"({"a":[1,2,{"b":"cdefghijklmnopqrstuvwxyz"}]})";
    std::string roomy;
    roomy.reserve(text.size() + Document::kPadding);
    roomy = text;
    std::string tight = text;
    tight.shrink_to_fit();
    EXPECT_EQ(parsed(std::move(roomy)).root().text(), text);
    EXPECT_EQ(parsed(std::move(tight)).root().text(), text);
}

TEST(Document, DoesNotCopyATextWithRoomForPadding) {
    std::string text;
    text.reserve(100 + Document::kPadding);
    text = "[" + std::string(98, ' ') + "]";
    text.reserve(100 + Document::kPadding);
    const char* before = text.data();
    Document document = parsed(std::move(text));
    EXPECT_EQ(std::move(document).release_text().data(), before);
}

TEST(Document, CursorsStayValidWhenItMoves) {
    Document first = parsed(R"({"a":{"b":"c"}})");
    const auto value = first.root().find("a");
    ASSERT_TRUE(value);
    Document second = std::move(first);
    Document third = parsed("[]");
    third = std::move(second);
    EXPECT_EQ(value->find("b")->string(), "c");
    EXPECT_EQ(third.root().text(), R"({"a":{"b":"c"}})");
}

TEST(Document, GivesItsTextBack) {
    Document document = parsed(R"({"a":1})");
    EXPECT_EQ(std::move(document).release_text(), R"({"a":1})");
}

TEST(Value, FindsTheFirstOfDuplicateKeys) {
    const Document document = parsed(R"({"a":1,"b":2,"a":3})");
    EXPECT_EQ(document.root().find("a")->int64(), 1);
    EXPECT_EQ(document.root().size(), 3U);
}

TEST(Value, ANullThatComesFirstHidesALaterDuplicate) {
    const Document document = parsed(R"({"a":null,"a":3})");
    EXPECT_FALSE(document.root().find("a"));
    EXPECT_TRUE(document.root().find_raw("a")->is_null());
}

TEST(Value, ComparesKeysUnescaped) {
    const Document document = parsed(R"({"\u0061\/b\n":1,"\"":2,"":3,"é":4,"\ud83d\ude00":5})");
    const Value root = document.root();
    EXPECT_EQ(root.find("a/b\n")->int64(), 1);
    EXPECT_EQ(root.find("\"")->int64(), 2);
    EXPECT_EQ(root.find("")->int64(), 3);
    EXPECT_EQ(root.find("é")->int64(), 4);
    EXPECT_EQ(root.find("😀")->int64(), 5);
    EXPECT_FALSE(root.find("\\u0061"));
    EXPECT_FALSE(root.find("A/b\n"));
}

TEST(Value, KeysMayHoldNul) {
    const Document document = parsed(R"({"a\u0000b":1,"a":2})");
    EXPECT_EQ(document.root().find(std::string_view("a\0b", 3))->int64(), 1);
    EXPECT_EQ(document.root().find("a")->int64(), 2);
}

TEST(Value, FindKnowsNoDifferenceBetweenNullAndAbsent) {
    const Document document = parsed(R"({"null":null,"false":false,"zero":0,"empty":""})");
    const Value root = document.root();
    EXPECT_FALSE(root.find("null"));
    EXPECT_FALSE(root.find("absent"));
    EXPECT_TRUE(root.find("false"));
    EXPECT_TRUE(root.find("zero"));
    EXPECT_TRUE(root.find("empty"));
    ASSERT_TRUE(root.find_raw("null"));
    EXPECT_TRUE(root.find_raw("null")->is_null());
    EXPECT_FALSE(root.find_raw("absent"));
}

TEST(Value, FindsNothingInWhatIsNoObject) {
    for (const char* text : {"null", "true", "1", "\"a\"", "[]", R"(["a"])", R"([{"a":1}])"}) {
        const Document document = parsed(text);
        EXPECT_FALSE(document.root().find("a")) << text;
        EXPECT_FALSE(document.root().find_raw("a")) << text;
        EXPECT_TRUE(document.root().members().empty()) << text;
    }
}

TEST(Value, GivesAValueOnlyAsItsOwnKind) {
    const Document document = parsed(R"(["1",1,true,null,[1],{"a":1},1.0])");
    std::vector<Value> values(document.root().items().begin(), document.root().items().end());
    ASSERT_EQ(values.size(), 7U);
    for (std::size_t at = 0; at < values.size(); ++at) {
        EXPECT_EQ(values[at].string().has_value(), at == 0) << at;
        EXPECT_EQ(values[at].int64().has_value(), at == 1) << at;
        EXPECT_EQ(values[at].boolean().has_value(), at == 2) << at;
        EXPECT_EQ(values[at].is_null(), at == 3) << at;
        EXPECT_EQ(values[at].is_array(), at == 4) << at;
        EXPECT_EQ(values[at].is_object(), at == 5) << at;
    }
}

TEST(Value, Int64HoldsTheWholeRangeAndNothingElse) {
    const struct {
        const char* text;
        std::optional<std::int64_t> number;
    } cases[] = {
        {"0", 0},
        {"-0", 0},
        {"9223372036854775807", INT64_MAX},
        {"-9223372036854775808", INT64_MIN},
        {"9223372036854775808", std::nullopt},
        {"18446744073709551615", std::nullopt},
        {"1.0", std::nullopt},
        {"1e2", std::nullopt},
    };
    for (const auto& c : cases) {
        const Document document = parsed(c.text);
        EXPECT_EQ(document.root().int64(), c.number) << c.text;
    }
}

TEST(Value, UnescapesStrings) {
    const Document document = parsed(R"("\"\\\/\b\f\n\r\t\u00e9\u20ac\ud83d\ude00\u0000")");
    EXPECT_EQ(document.root().string(), std::string_view("\"\\/\b\f\n\r\té€😀\0", 18));
}

TEST(Items, ComeInOrder) {
    const Document document = parsed(R"([1,[2,3],{"a":4},"5"])");
    std::vector<std::string> texts;
    for (const Value item : document.root().items()) {
        texts.push_back(item.text());
    }
    EXPECT_THAT(texts, ElementsAre("1", "[2,3]", R"({"a":4})", R"("5")"));
    EXPECT_EQ(document.root().size(), 4U);
}

TEST(Items, AreEmptyInWhatIsNoArray) {
    for (const char* text : {"null", "1", "\"a\"", "{}", R"({"a":[1]})", "[]"}) {
        const Document document = parsed(text);
        EXPECT_TRUE(document.root().items().empty()) << text;
    }
}

TEST(Members, ComeInOrderWithDuplicates) {
    const Document document = parsed(R"({"b":1,"a":{"c":2},"b":[3]})");
    std::vector<std::string> texts;
    for (const auto& [key, value] : document.root().members()) {
        texts.push_back(std::string{key} + "=" + value.text());
    }
    EXPECT_THAT(texts, ElementsAre("b=1", R"(a={"c":2})", "b=[3]"));
}

TEST(Members, OneBehindTheOtherDoesNotRunIntoTheNext) {
    const Document document = parsed(R"([{"a":1},{"b":2},[],{},[3]])");
    std::vector<std::size_t> sizes;
    for (const Value item : document.root().items()) {
        sizes.push_back(item.size());
        EXPECT_EQ(
            static_cast<std::size_t>(std::distance(item.items().begin(), item.items().end()) +
                                     std::distance(item.members().begin(), item.members().end())),
            item.size());
    }
    EXPECT_THAT(sizes, ElementsAre(1, 1, 0, 0, 1));
}

TEST(Value, SizeOfAScalarIsZero) {
    for (const char* text : {"null", "1", "\"abc\"", "true"}) {
        EXPECT_EQ(parsed(text).root().size(), 0U) << text;
    }
}

TEST(Value, SizeCountsBeyondWhatTheTapeCounts) {
    constexpr std::size_t kCount = (std::size_t{1} << 24U) + 3;
    std::string text = "[0";
    text.reserve(2 * kCount + Document::kPadding);
    for (std::size_t at = 1; at < kCount; ++at) {
        text += ",0";
    }
    text += ']';
    EXPECT_EQ(parsed(std::move(text)).root().size(), kCount);
}

TEST(Value, TextIsMinified) {
    const struct {
        const char* text;
        const char* minified;
    } cases[] = {
        {" { \"a\" : [ 1 , 2 ] , \"b\" : { } } ", R"({"a":[1,2],"b":{}})"},
        {"[true,false,null]", "[true,false,null]"},
        {"[ ]", "[]"},
        {"[1.0,-0.0,0.1,1e300,1.5e-7]", "[1.0,-0.0,0.1,1e+300,1.5e-07]"},
        {"[18446744073709551615,-9223372036854775808]",
         "[18446744073709551615,-9223372036854775808]"},
        {R"(["\u0041\/\n\u0001"])", R"(["A/\n\u0001"])"},
        {R"({"a":1,"a":2})", R"({"a":1,"a":2})"},
    };
    for (const auto& c : cases) {
        EXPECT_EQ(parsed(c.text).root().text(), c.minified);
    }
}

TEST(Value, TextOfAPartIsThatPart) {
    const Document document = parsed(R"({"a":{"b":[1,{"c":null}]},"d":2})");
    EXPECT_EQ(document.root().find("a")->text(), R"({"b":[1,{"c":null}]})");
}

}  // namespace
}  // namespace smw::json
