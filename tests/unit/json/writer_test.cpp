#include "smw/json/writer.hpp"

#include "smw/json/document.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <limits>
#include <string>

namespace smw::json {
namespace {

std::string as_json(std::string_view text) {
    std::string out;
    append_string(out, text);
    return out;
}

TEST(AppendString, EscapesWhatJsonDemands) {
    const struct {
        std::string text;
        const char* quoted;
    } cases[] = {
        {"", R"("")"},
        {"plain", R"("plain")"},
        {"say \"hi\"", R"("say \"hi\"")"},
        {"a\\b", R"("a\\b")"},
        {"a/b", R"("a/b")"},
        {"\b\f\n\r\t", R"("\b\f\n\r\t")"},
        {std::string("\0\x1f", 2), R"("\u0000\u001f")"},
        {"\x7f", R"("\u007f")"},
        {"é€😀", "\"é€😀\""},
        {"<&>'", R"("<&>'")"},
    };
    for (const auto& c : cases) {
        EXPECT_EQ(as_json(c.text), c.quoted);
    }
}

TEST(AppendString, ReplacesEachInvalidByte) {
    const struct {
        const char* what;
        std::string text;
        std::size_t replaced;
    } cases[] = {
        {"continuation alone", "a\x80z", 1},
        {"never used bytes", "a\xFE\xFFz", 2},
        {"overlong slash", "a\xC0\xAFz", 2},
        {"overlong in three", "a\xE0\x80\xAFz", 3},
        {"overlong in four", "a\xF0\x80\x80\xAFz", 4},
        {"a surrogate", "a\xED\xA0\x80z", 3},
        {"beyond U+10FFFF", "a\xF4\x90\x80\x80z", 4},
        {"cut after one", "a\xE2z", 1},
        {"cut after two", "a\xE2\x82z", 2},
        {"cut after three", "a\xF0\x9F\x98z", 3},
    };
    for (const auto& c : cases) {
        std::string expected = "\"a";
        for (std::size_t count = 0; count < c.replaced; ++count) {
            expected += "\xEF\xBF\xBD";
        }
        expected += "z\"";
        EXPECT_EQ(as_json(c.text), expected) << c.what;
    }
}

TEST(AppendString, ReplacesACharacterCutAtTheEnd) {
    EXPECT_EQ(as_json("a\xE2\x82"), "\"a\xEF\xBF\xBD\xEF\xBF\xBD\"");
    EXPECT_EQ(as_json("\xF0"), "\"\xEF\xBF\xBD\"");
}

TEST(AppendString, KeepsTheFirstAndLastCodePointOfEachLength) {
    for (const char* text : {"\xC2\xA0", "\xDF\xBF", "\xE0\xA0\x80", "\xED\x9F\xBF", "\xEE\x80\x80",
                             "\xEF\xBF\xBF", "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF"}) {
        EXPECT_EQ(as_json(text), "\"" + std::string{text} + "\"");
    }
}

TEST(AppendString, AnyTwoBytesComeOutAsOneLineOfJson) {
    for (unsigned first = 0; first < 256; ++first) {
        for (unsigned second = 0; second < 256; ++second) {
            const std::string out =
                as_json(std::string{static_cast<char>(first), static_cast<char>(second)});
            ASSERT_TRUE(nlohmann::json::accept(out)) << first << " " << second;
            ASSERT_EQ(out.find('\n'), std::string::npos);
        }
    }
}

TEST(Writer, PlacesCommasAndColons) {
    std::string out;
    Writer writer(out);
    writer.begin_object()
        .member("a", std::int64_t{1})
        .member("b", "text")
        .key("c")
        .begin_array()
        .value(std::int64_t{-2})
        .value(true)
        .null()
        .begin_object()
        .end_object()
        .begin_array()
        .end_array()
        .value("x")
        .end_array()
        .key("d")
        .begin_object()
        .member("e", false)
        .end_object()
        .key("f")
        .null()
        .end_object();
    EXPECT_EQ(out, R"({"a":1,"b":"text","c":[-2,true,null,{},[],"x"],"d":{"e":false},"f":null})");
}

TEST(Writer, EscapesKeysAndTexts) {
    std::string out;
    Writer(out).begin_object().member("a\"b", "c\nd").end_object();
    EXPECT_EQ(out, R"({"a\"b":"c\nd"})");
}

TEST(Writer, WritesTheWholeRangeOfIntegers) {
    std::string out;
    Writer(out)
        .begin_array()
        .value(std::numeric_limits<std::int64_t>::min())
        .value(std::numeric_limits<std::int64_t>::max())
        .end_array();
    EXPECT_EQ(out, "[-9223372036854775808,9223372036854775807]");
}

TEST(Writer, NeverEscapesWhatIsSerialised) {
    std::string out;
    Writer(out)
        .begin_array()
        .value(Text{R"({"a":"b"})"})
        .value(Text{"null"})
        .value(R"({"a":"b"})")
        .end_array();
    EXPECT_EQ(out, R"([{"a":"b"},null,"{\"a\":\"b\"}"])");
}

TEST(Writer, WritesAValueAlone) {
    std::string out;
    Writer(out).value("x");
    EXPECT_EQ(out, R"("x")");
}

TEST(Writer, AppendsToWhatIsThere) {
    std::string out = "data: ";
    Writer(out).begin_array().end_array();
    EXPECT_EQ(out, "data: []");
}

}  // namespace
}  // namespace smw::json
