#include "smw/json/yaml.hpp"

#include "smw/json/document.hpp"
#include "yaml_text.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace smw::json {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

TEST(ParseYaml, ResolvesPlainScalarsAsKubectlDoes) {
    const struct {
        const char* plain;
        const char* json;
    } cases[] = {
        {"", "null"},
        {"~", "null"},
        {"null", "null"},
        {"Null", "null"},
        {"NULL", "null"},
        {"nUll", R"("nUll")"},
        {"true", "true"},
        {"True", "true"},
        {"TRUE", "true"},
        {"tRUE", R"("tRUE")"},
        {"yes", "true"},
        {"Yes", "true"},
        {"YES", "true"},
        {"y", "true"},
        {"on", "true"},
        {"On", "true"},
        {"ON", "true"},
        {"false", "false"},
        {"no", "false"},
        {"No", "false"},
        {"NO", "false"},
        {"n", "false"},
        {"off", "false"},
        {"Off", "false"},
        {"OFF", "false"},
        {"oFF", R"("oFF")"},
        {"0", "0"},
        {"-0", "0"},
        {"+7", "7"},
        {"-7", "-7"},
        {"9223372036854775807", "9223372036854775807"},
        {"-9223372036854775808", "-9223372036854775808"},
        {"18446744073709551615", "18446744073709551615"},
        {"18446744073709551616", "1.8446744073709552e+19"},
        {"-9223372036854775809", "-9.223372036854776e+18"},
        {"0x1F", "31"},
        {"0XfF", "255"},
        {"-0x10", "-16"},
        {"0o17", "15"},
        {"017", "15"},
        {"-017", "-15"},
        {"08", "8"},
        {"0b101", "5"},
        {"-0b11", "-3"},
        {"1_000", "1000"},
        {"0x_FF", "255"},
        {"_1", R"("_1")"},
        {"1.5", "1.5"},
        {"1.0", "1"},
        {"1.", "1"},
        {".5", "0.5"},
        {"-.5", "-0.5"},
        {"+1.5e3", "1500"},
        {"1e3", "1000"},
        {"1E-3", "0.001"},
        {"1_0.5", "10.5"},
        {"1e17", "100000000000000000"},
        {"1e18", "1e+18"},
        {"1e-7", "1e-07"},
        {"1e400", R"("1e400")"},
        {"1e-400", "0"},
        {"0x", R"("0x")"},
        {"0b2", R"("0b2")"},
        {"0o8", R"("0o8")"},
        {"1e", R"("1e")"},
        {"1.2.3", R"("1.2.3")"},
        {"10.0.0.1", R"("10.0.0.1")"},
        {"1Gi", R"("1Gi")"},
        {"100m", R"("100m")"},
        {"-", "[null]"},
        {"+", R"("+")"},
        {".", R"(".")"},
        {"2026-11-21", R"("2026-11-21")"},
        {"2026-11-21T10:31:57Z", R"("2026-11-21T10:31:57Z")"},
        {"12:30:45", R"("12:30:45")"},
        {"nginx:1.19", R"("nginx:1.19")"},
        {"two words", R"("two words")"},
        {"é", R"("é")"},
    };
    for (const auto& c : cases) {
        const std::string json = json_of(std::string("a:\n  ") + c.plain + "\n");
        EXPECT_EQ(json, std::string(R"({"a":)") + c.json + "}") << c.plain;
        EXPECT_TRUE(Document::parse(json)) << json;
    }
}

TEST(ParseYaml, LeavesQuotedScalarsStrings) {
    for (const char* text : {"null", "true", "yes", "1", "1.5", ".inf", "0x10", "~", "", "<<"}) {
        const std::string json = std::string(R"({"a":")") + text + "\"}";
        EXPECT_EQ(json_of(std::string("a: '") + text + "'"), json);
        EXPECT_EQ(json_of(std::string("a: \"") + text + "\""), json);
    }
}

TEST(ParseYaml, ObeysExplicitTags) {
    const struct {
        const char* text;
        const char* json;
    } cases[] = {
        {"!!str 1", R"("1")"},
        {"!!str true", R"("true")"},
        {"!!str", R"("")"},
        {"! 1", R"("1")"},
        {"!!int '3'", "3"},
        {"!!float 3", "3"},
        {"!!bool 'yes'", "true"},
        {"!!null ''", "null"},
        {"!own x", R"("x")"},
        {"!!timestamp 2026-11-21", R"("2026-11-21")"},
        {"!<tag:yaml.org,2002:str> 5", R"("5")"},
    };
    for (const auto& c : cases) {
        EXPECT_EQ(json_of(std::string("a: ") + c.text), std::string(R"({"a":)") + c.json + "}")
            << c.text;
    }
}

TEST(ParseYaml, RefusesWhatJsonHasNoWordFor) {
    for (const char* text : {".inf", "-.inf", "+.INF", ".Inf", ".nan", ".NaN", ".NAN"}) {
        EXPECT_EQ(json_of(std::string("\na: ") + text),
                  "line 2: infinity and not-a-number have no place in JSON");
    }
    EXPECT_EQ(json_of("a: 0xFFFFFFFFFFFFFFFFF"), "line 1: number is out of range");
}

TEST(ParseYaml, ReadsBlocksAndFlows) {
    const struct {
        const char* text;
        const char* json;
    } cases[] = {
        {"a: |\n  x\n   y\n\n", R"({"a":"x\n y\n"})"},
        {"a: |-\n  x\n  y\n", R"({"a":"x\ny"})"},
        {"a: >\n  x\n  y\n", R"({"a":"x y\n"})"},
        {"a: x\n  y\n", R"({"a":"x y"})"},
        {"a: \"x\\n\\u00e9\\x41\\/\"", R"({"a":"x\néA/"})"},
        {"a: 'it''s'", R"({"a":"it's"})"},
        {"a:\n- 1\n- b: 2\n  c: 3\n- - 4\n", R"({"a":[1,{"b":2,"c":3},[4]]})"},
        {"a: [1, [2, 3], {b: c}, ]", R"({"a":[1,[2,3],{"b":"c"}]})"},
        {"a: {}\nb: []\nc: ''", R"({"a":{},"b":[],"c":""})"},
        {"? a\n: 1", R"({"a":1})"},
        {"a: 1 # comment\n# b: 2\n", R"({"a":1})"},
        {"a: b#c", R"({"a":"b#c"})"},
        {"a: 1\r\nb: 2\r\n", R"({"a":1,"b":2})"},
        {"\xEF\xBB\xBF"
         "a: 1",
         R"({"a":1})"},
        {"plain", R"("plain")"},
        {"a:\t1", R"({"a":1})"},
    };
    for (const auto& c : cases) {
        EXPECT_EQ(json_of(c.text), c.json) << c.text;
    }
}

TEST(ParseYaml, TakesJsonAsItIs) {
    for (const char* json :
         {R"({"a":"\\/","b":[1.0,true,null]})", R"([{"a":{}}])", R"({"yes":"no","1":1})"}) {
        EXPECT_EQ(json_of(json), json);
    }
    EXPECT_EQ(json_of(" {\n\t\"a\" : \"\\ud83d\\ude00\\/\"\n}\n"), R"({"a":"😀/"})");
}

TEST(ParseYaml, KeysBecomeTheirText) {
    EXPECT_EQ(json_of("1: a\n1.5: b\nyes: c\n0x10: d\n'2': e\n2026-01-01: f\n"),
              R"({"1":"a","1.5":"b","true":"c","16":"d","2":"e","2026-01-01":"f"})");
}

TEST(ParseYaml, RefusesKeysThatAreNoText) {
    for (const char* text :
         {"~: a", "null: a", "? [a]\n: b", "? {a: b}\n: c", "{[a]: b}", "- &x [1]\n- *x : 2"}) {
        EXPECT_THAT(json_of(text), HasSubstr("a mapping key must be text")) << text;
    }
}

TEST(ParseYaml, NamesADuplicateKeyAndItsLine) {
    EXPECT_EQ(json_of("image: a\nname: b\nimage: c\n"), "line 3: key \"image\" is given twice");
    EXPECT_EQ(json_of("x:\n- {a: 1,\n   b: 2, a: 3}\n"), "line 3: key \"a\" is given twice");
    EXPECT_EQ(json_of("1: a\n'1': b\n"), "line 2: key \"1\" is given twice");
    EXPECT_EQ(json_of("{\"a\":1,\n\"a\":2}"), "line 2: key \"a\" is given twice");
    EXPECT_EQ(json_of("[{\"b\":{\"a\":1,\"a\":2}}]"), "line 1: key \"a\" is given twice");
    EXPECT_EQ(json_of("- &k a\n- {a: 1,\n *k : 2}"), "line 3: key \"a\" is given twice");
    EXPECT_EQ(json_of("\"a\\nb\": 1\n\"a\\nb\": 2\n"), "line 2: key \"a\\nb\" is given twice");
}

TEST(ParseYaml, TheSameKeyInTwoMappingsIsNoDuplicate) {
    EXPECT_EQ(json_of("a: {b: 1}\nc: {b: 2}\nd: [{b: 1}, {b: 1}]\n"),
              R"({"a":{"b":1},"c":{"b":2},"d":[{"b":1},{"b":1}]})");
}

TEST(ParseYaml, ErrorsSayTheLine) {
    const struct {
        const char* text;
        const char* start;
    } cases[] = {
        {"a: 1\nb: [1, 2\nc: 3\n", "line "},
        {"a: 1\nb: c: d\n", "line 2: "},
        {"a: 1\n\n\nb: *x\n", "line 4: "},
        {"a:\n\tb: 1\n", "line 2: tabs cannot indent"},
        {"a: 'x\n", "line "},
        {"a: \"\\q\"\n", "line 1: "},
        {"a: 1\n- b\n", "line 2: "},
        {"- a\nb: 1\n", "line 2: "},
        {"a: }\n", "line 1: "},
        {"a: @b\n", "line 1: "},
        {"a: !!int x\n", "line 1: is tagged !!int and is none"},
        {"a: !!bool 1\n", "line 1: is tagged !!bool and is none"},
        {"a: !!binary YQ==\n", "line 1: !!binary is not supported"},
        {"{\"a\": 1} {\"b\": 2}", "line 1: text behind the end of the document"},
        {"{a: 1}\n{b: 2}\n", "line 2: text behind the end of the document"},
        {"a: 1\n# x\n---\nb: [\n---\nc: 1\n", "line "},
        {"[[1, 2], [3", "line 1: end of sequence flow not found"},
    };
    for (const auto& c : cases) {
        EXPECT_THAT(json_of(c.text), StartsWith(c.start)) << c.text;
    }
}

TEST(ParseYaml, RefusesAQuotedScalarWithoutItsEnd) {
    for (const char* text : {"a: 'x", "a: 'x\n", "a: 'x\n\n", "a: \"x", "a: \"x\n", "a: \"x\n  y\n",
                             "'a\n", "- [\"a\n", "a: 'x\n# y\n"}) {
        EXPECT_THAT(json_of(text), StartsWith("line ")) << text;
    }
}

TEST(ParseYaml, AnErrorRepeatsNoPieceOfACharacter) {
    EXPECT_EQ(json_of("a: \"\\\u00e9\"\n"), "line 1: unknown escape character");
    EXPECT_EQ(json_of("a: 1\nb: \"x\\"), "line 2: unknown escape character");
}

TEST(ParseYaml, TheLineOfAnErrorIsOneOfTheText) {
    EXPECT_EQ(json_of("a: 1\nb: 'x\n"), "line 2: the text ends inside a quoted string");
    EXPECT_EQ(json_of("a: 1\nb: [x,\n"), "line 2: end of sequence flow not found");
}

TEST(ParseYaml, KeepsTheEndOfALiteralBlockAsItStands) {
    EXPECT_EQ(json_of("a: |\n  x"), R"({"a":"x"})");
    EXPECT_EQ(json_of("a: |\n  x\n"), R"({"a":"x\n"})");
    EXPECT_EQ(json_of("a: |+\n  x\n\n"), R"({"a":"x\n\n"})");
}

TEST(ParseYaml, RefusesBytesThatAreNoText) {
    EXPECT_EQ(json_of("a: 1\nb: \xFF\n"), "line 2: is not valid UTF-8");
    EXPECT_EQ(json_of("a: \xED\xA0\x80\n"), "line 1: is not valid UTF-8");
    EXPECT_EQ(json_of(std::string("\xFF\xFE"
                                  "a\0:\0",
                                  6)),
              "line 1: is not valid UTF-8");
    EXPECT_EQ(json_of(std::string("a: 1\nb: x\0y\n", 12)), "line 2: has a control character");
    EXPECT_EQ(json_of("a: \x1b[31m\n"), "line 1: has a control character");
    EXPECT_EQ(json_of("a: 1\n\x7f"), "line 2: has a control character");
    // yaml-cpp reads 0x04 as the end: what follows must not vanish.
    EXPECT_EQ(json_of("a: 1\n\x04\nb: 2\n"), "line 2: has a control character");
}

TEST(ParseYaml, EndsWhereYamlCppWouldStandStill) {
    for (const char* text :
         {", a", "a\n...\n, b\n", "...\n,", "---\n, a\n", "a\n...\n# c\n,YAML\n%--\n"}) {
        EXPECT_THAT(json_of(text), HasSubstr("text behind the end of the document")) << text;
    }
}

TEST(ParseYaml, SplitsDocumentsAndKnowsTheirLines) {
    const auto documents = parse_yaml(
        "# first\na: 1\n---\nb: 2\n...\n---\n# nothing\n---\n---\nnull\n...\n# c\nc: 3\n--- d\n");
    ASSERT_TRUE(documents) << documents.error().message;
    std::vector<std::string> found;
    for (const YamlDocument& document : *documents) {
        found.push_back(std::to_string(document.line) + " " + document.json.json);
    }
    EXPECT_THAT(found, ElementsAre(R"(2 {"a":1})", R"(3 {"b":2})", R"(13 {"c":3})", R"(14 "d")"));
}

TEST(ParseYaml, FindsNoDocumentInAnEmptyText) {
    for (const char* text : {"", "\n", "  \n\n", "# only\n# comments\n", "---\n", "---\n---\n",
                             "~\n", "---\n...\n", "\xEF\xBB\xBF"}) {
        const auto documents = parse_yaml(text);
        ASSERT_TRUE(documents) << text << documents.error().message;
        EXPECT_THAT(*documents, IsEmpty()) << text;
    }
}

TEST(ParseYaml, JudgesAllDocumentsBeforeItReturnsOne) {
    const auto documents = parse_yaml("a: 1\n---\nb: 2\n---\nc: [\n");
    ASSERT_FALSE(documents);
    EXPECT_EQ(documents.error().code, Code::BadRequest);
}

TEST(ParseYaml, KnowsWhereAJsonDocumentStarts) {
    const auto documents = parse_yaml("\n\n  {\"a\": 1}\n");
    ASSERT_TRUE(documents);
    EXPECT_EQ(documents->front().line, 3);
}

TEST(ParseYaml, AnyPrefixAndAnyChangedByteIsTakenOrRefused) {
    const std::string text =
        "a: &x [1, 'two', \"th\\u0072ee\", {b: *y}]\n? c\n: |\n  d\n<<: *x\n--- !!str\n- - e # f\n";
    for (std::size_t length = 0; length <= text.size(); ++length) {
        const auto prefix = parse_yaml(std::string_view{text}.substr(0, length));
        EXPECT_TRUE(prefix || prefix.error().code == Code::BadRequest);
    }
    for (std::size_t at = 0; at < text.size(); ++at) {
        for (const char byte : std::string_view("\0\n\t -:[]{}'\"#&*!|>%@`?,.0\x80", 27)) {
            std::string changed = text;
            changed[at] = byte;
            const auto documents = parse_yaml(changed);
            if (!documents) {
                EXPECT_THAT(documents.error().message, StartsWith("line ")) << changed;
                continue;
            }
            for (const YamlDocument& document : *documents) {
                EXPECT_TRUE(Document::parse(document.json.json)) << changed;
            }
        }
    }
}

TEST(YamlName, SaysWhatSomethingIsInYamlsWords) {
    const struct {
        const char* json;
        const char* name;
    } cases[] = {{"null", "null"},  {"true", "a boolean"}, {"1.5", "a number"},
                 {R"("")", "text"}, {"[]", "a list"},      {"{}", "a mapping"}};
    for (const auto& each : cases) {
        EXPECT_EQ(yaml_name(Document::parse(each.json)->root().kind()), each.name) << each.json;
    }
}

}  // namespace
}  // namespace smw::json
