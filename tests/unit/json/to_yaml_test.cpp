#include "smw/json/document.hpp"
#include "smw/json/yaml.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>

namespace smw::json {
namespace {

using testing::HasSubstr;

std::string yaml_of(const std::string& json) {
    const auto yaml = to_yaml(Text{json});
    return yaml ? *yaml : yaml.error().message;
}

/// JSON that went through YAML and back.
std::string there_and_back(const std::string& json) {
    const std::string yaml = yaml_of(json);
    const auto documents = parse_yaml(yaml);
    if (!documents) {
        return documents.error().message + "\n" + yaml;
    }
    return documents->size() == 1 ? documents->front().json.json
                                  : std::to_string(documents->size()) + " documents\n" + yaml;
}

TEST(ToYaml, ReadsLikeKubectl) {
    EXPECT_EQ(
        yaml_of(R"({"apiVersion":"v1","kind":"Pod","metadata":{"labels":{"app":"web","v":"1"},)"
                R"("annotations":{}},"spec":{"containers":[{"name":"a","args":["-c","x y"],)"
                R"("image":"nginx:1.19"},{"name":"b","ports":[]}],"hostNetwork":true,)"
                R"("nothing":null,"priority":-5}})"),
        "apiVersion: v1\n"
        "kind: Pod\n"
        "metadata:\n"
        "  labels:\n"
        "    app: web\n"
        "    v: \"1\"\n"
        "  annotations: {}\n"
        "spec:\n"
        "  containers:\n"
        "  - name: a\n"
        "    args:\n"
        "    - \"-c\"\n"
        "    - x y\n"
        "    image: nginx:1.19\n"
        "  - name: b\n"
        "    ports: []\n"
        "  hostNetwork: true\n"
        "  nothing: null\n"
        "  priority: -5\n");
}

TEST(ToYaml, WritesValuesThatStandAlone) {
    const struct {
        const char* json;
        const char* yaml;
    } cases[] = {
        {"null", "null\n"},
        {"true", "true\n"},
        {"1.5", "1.5\n"},
        {R"("a")", "a\n"},
        {"[]", "[]\n"},
        {"{}", "{}\n"},
        {"[[1],[[]]]", "- - 1\n- - []\n"},
        {R"([{"a":[{"b":1}]}])", "- a:\n  - b: 1\n"},
    };
    for (const auto& c : cases) {
        EXPECT_EQ(yaml_of(c.json), c.yaml);
    }
}

TEST(ToYaml, WritesLinesAsALiteralBlock) {
    EXPECT_EQ(yaml_of(R"({"a":"x\ny\n","b":["p\n\nq"],"c":"\"q\"\n\\"})"),
              "a: |\n  x\n  y\nb:\n- |-\n  p\n\n  q\nc: |-\n  \"q\"\n  \\\n");
}

TEST(ToYaml, QuotesWhatWouldReadAsSomethingElse) {
    for (const char* text : {"",
                             "null",
                             "~",
                             "true",
                             "yes",
                             "off",
                             "y",
                             "1",
                             "0x10",
                             "1e3",
                             "1_000",
                             ".5",
                             ".inf",
                             "-1",
                             "+1",
                             "017",
                             "- a",
                             "-",
                             "a: b",
                             "a:",
                             "a #b",
                             "# a",
                             " a",
                             "a ",
                             "&a",
                             "*a",
                             "!a",
                             "|",
                             ">",
                             "@a",
                             "`a",
                             "%a",
                             "[a]",
                             "{a}",
                             "a\tb",
                             "'a'",
                             "\"a\"",
                             "? a",
                             "<<",
                             "=",
                             "...",
                             "---",
                             "2026-11-21",
                             "12:30:45",
                             "1:20",
                             "\xEF\xBB\xBF"
                             "a",
                             ",",
                             "2026-11-21T10:31:57Z"}) {
        std::string json;
        append_string(json, text);
        EXPECT_EQ(there_and_back(json), json) << text;
        EXPECT_NE(yaml_of(json), std::string{text} + "\n") << text;
    }
}

TEST(ToYaml, LeavesPlainWhatReadsAsItself) {
    for (const char* text : {"a", "two words", "nginx:1.19", "10.0.0.1", "a/b", "/a", "a#b", "a-b",
                             "1Gi", "1.20-checkpoint", "é", "it's", "a[0]", "a,b", "v1beta1",
                             "registry.example.com:5000/a/b@sha256:0123abc", "_x", "(a)"}) {
        std::string json;
        append_string(json, text);
        EXPECT_EQ(yaml_of(json), std::string{text} + "\n");
        EXPECT_EQ(there_and_back(json), json);
    }
}

TEST(ToYaml, PrefersSingleQuotesToEscapes) {
    EXPECT_EQ(yaml_of(R"("{\"a\":1}")"), "'{\"a\":1}'\n");
    EXPECT_EQ(yaml_of(R"("\"it's\"")"), "'\"it''s\"'\n");
    EXPECT_EQ(yaml_of(R"("\"\u0001\"")"), "\"\\\"\\u0001\\\"\"\n");
}

TEST(ToYaml, KeepsTheFirstOfDuplicateKeys) {
    EXPECT_EQ(yaml_of(R"({"a":1,"b":2,"a":3})"), "a: 1\nb: 2\n");
}

TEST(ToYaml, WritesKeysOfAnyKind) {
    for (const char* json :
         {R"({"":1,"a b":2,"a: b":3,"true":4,"1":5,"- x":6,"a\nb":7,"<<":8,"#":9,"\"":10})",
          R"([{"? ":{"\t":[]}}])"}) {
        EXPECT_EQ(there_and_back(json), json);
    }
    for (const std::size_t length : {999U, 1001U, 1023U, 1024U, 1025U, 5000U}) {
        const std::string key(length, 'k');
        for (const char* value : {"1", "[1,{\"a\":2}]", "{\"a\":[1]}", "\"x\\ny\"", "[]"}) {
            const std::string json =
                "{\"a\":0,\"" + key + "\":" + value + ",\"z\":[{\"" + key + "\":" + value + "}]}";
            EXPECT_EQ(there_and_back(json), json) << length << value;
        }
    }
}

TEST(ToYaml, RefusesWhatIsNoJson) {
    const auto yaml = to_yaml(Text{"{"});
    ASSERT_FALSE(yaml);
    EXPECT_EQ(yaml.error().code, Code::BadRequest);
    EXPECT_THAT(yaml.error().message, HasSubstr("not well-formed"));
}

TEST(ToYaml, EveryReviewComesBackTheSame) {
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(SMW_TEST_DATA)) {
        if (entry.path().parent_path().filename().string().rfind("reviews-", 0) != 0 ||
            entry.path().extension() != ".json") {
            continue;
        }
        std::ifstream file(entry.path(), std::ios::binary);
        const std::string text{std::istreambuf_iterator<char>(file),
                               std::istreambuf_iterator<char>()};
        const std::string json = Document::parse(text)->root().text();
        EXPECT_EQ(there_and_back(json), json) << entry.path();
        ++count;
    }
    EXPECT_GT(count, 20U);
}

/// JSON made of the pieces that YAML finds difficult.
class RandomJson {
public:
    explicit RandomJson(unsigned seed) : engine_(seed) {}

    std::string value(int depth) {
        switch (pick(depth > 4 ? 2 : 4)) {
            case 0:
                return string();
            case 1:
                return scalar();
            case 2:
                return list(depth);
            default:
                return object(depth);
        }
    }

private:
    std::size_t pick(std::size_t count) {
        return std::uniform_int_distribution<std::size_t>(0, count - 1)(engine_);
    }

    std::string scalar() {
        static constexpr const char* kScalars[] = {"null", "true", "false", "0", "-17", "1.5"};
        return kScalars[pick(std::size(kScalars))];
    }

    std::string string() {
        static constexpr const char* kPieces[] = {
            "a", "b c", " ", "\n", "\t", ":",  "#",  "-",   "'",   "\"",   "\\",   "[",       "]",
            "{", "}",   ",", "&",  "*",  "!",  "|",  ">",   "%",   "@",    "`",    "?",       "=",
            "é", "😀",   "1", ".",  "~",  "\r", "\b", "---", "...", "null", "\x7f", "\xC2\x85"};
        std::string text;
        for (std::size_t left = pick(6); left > 0; --left) {
            text += kPieces[pick(std::size(kPieces))];
        }
        std::string json;
        append_string(json, text);
        return json;
    }

    std::string list(int depth) {
        std::string json = "[";
        for (std::size_t left = pick(4); left > 0; --left) {
            json += value(depth + 1) + (left > 1 ? "," : "");
        }
        return json + "]";
    }

    std::string object(int depth) {
        std::string json = "{";
        for (std::size_t left = pick(4); left > 0; --left) {
            // The number keeps keys apart.
            std::string key = string();
            key.insert(key.size() - 1, std::to_string(left));
            json += key + ":" + value(depth + 1) + (left > 1 ? "," : "");
        }
        return json + "}";
    }

    std::mt19937 engine_;
};

TEST(ToYaml, RandomJsonComesBackTheSame) {
    for (unsigned seed = 0; seed < 3000; ++seed) {
        const std::string json = RandomJson(seed).value(0);
        if (json == "null") {
            continue;  // an empty document
        }
        ASSERT_EQ(there_and_back(json), json) << "seed " << seed << "\n" << yaml_of(json);
    }
}

}  // namespace
}  // namespace smw::json
