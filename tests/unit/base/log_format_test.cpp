#include "smw/base/log.hpp"
#include "smw/base/quote.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <string>
#include <vector>

namespace smw::log {
namespace {

using std::chrono::milliseconds;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

constexpr Format kFormats[] = {Format::Text, Format::Json, Format::Logfmt};
/// 2026-11-21T10:31:57.123Z
const std::chrono::system_clock::time_point kTime{milliseconds(1795257117123)};

std::string formatted(Format format, std::string_view message, Fields fields) {
    return format_line({kTime, Level::Info, "pod-mutator", message, fields}, format);
}

bool is_one_line_of_utf8(std::string_view line) {
    while (!line.empty()) {
        const std::size_t length = utf8_sequence_length(line);
        const auto first = static_cast<unsigned char>(line[0]);
        if (length == 0 || (first < 0x20 && first != '\t') || first == 0x7F) {
            return false;
        }
        line.remove_prefix(length);
    }
    return true;
}

TEST(FormatText, IsWhatPeopleGrep) {
    EXPECT_EQ(formatted(Format::Text, "Processing pod mutation",
                        {{"pod", "train-"}, {"namespace", "default"}, {"uid", "705ab4f5"}}),
              "2026-11-21T10:31:57.123Z\tINFO\tpod-mutator\tProcessing pod mutation\t"
              R"({"pod": "train-", "namespace": "default", "uid": "705ab4f5"})");
}

TEST(FormatText, HasNoObjectWithoutFields) {
    EXPECT_EQ(formatted(Format::Text, "Started", {}),
              "2026-11-21T10:31:57.123Z\tINFO\tpod-mutator\tStarted");
}

TEST(FormatText, WritesNumbersAndBooleansAsJson) {
    EXPECT_THAT(
        formatted(
            Format::Text, "m",
            {{"port", std::int64_t{9443}}, {"least", INT64_MIN}, {"on", true}, {"off", false}}),
        EndsWith(R"({"port": 9443, "least": -9223372036854775808, "on": true, "off": false})"));
}

TEST(FormatText, CarriesJsonTextAsAString) {
    EXPECT_THAT(
        formatted(Format::Text, "Applying image patches", {{"patches", R"([{"op":"replace"}])"}}),
        EndsWith("\t{\"patches\": \"[{\\\"op\\\":\\\"replace\\\"}]\"}"));
}

TEST(FormatText, AMessageKeepsItsQuotesAndCannotForgeColumns) {
    EXPECT_EQ(format_line({kTime, Level::Error, "a\tb", "say \"hi\"\\\t{\"x\": 1}\nnext", {}},
                          Format::Text),
              "2026-11-21T10:31:57.123Z\tERROR\ta\\tb\tsay \"hi\"\\\\t{\"x\": 1}\\nnext");
}

TEST(FormatJson, IsOneCompactObject) {
    EXPECT_EQ(formatted(Format::Json, "Patched",
                        {{"pod", "a"}, {"count", std::int64_t{2}}, {"dry", true}}),
              R"({"time":"2026-11-21T10:31:57.123Z","level":"info","logger":"pod-mutator",)"
              R"("message":"Patched","pod":"a","count":2,"dry":true})");
}

TEST(FormatLogfmt, QuotesOnlyWhatNeedsIt) {
    const struct {
        const char* value;
        const char* written;
    } cases[] = {
        {"plain", "v=plain"},    {"a/b:c,d", "v=a/b:c,d"},
        {"", R"(v="")"},         {"two words", R"(v="two words")"},
        {"a=b", R"(v="a=b")"},   {"say \"x\"", R"(v="say \"x\"")"},
        {"a\\b", R"(v="a\\b")"}, {"a\nb", R"(v="a\nb")"},
        {"é", R"(v="é")"},       {"\xFF", "v=\"\xEF\xBF\xBD\""},
    };
    for (const auto& c : cases) {
        EXPECT_EQ(formatted(Format::Logfmt, "Pod is from Job", {{"v", c.value}}),
                  std::string("time=2026-11-21T10:31:57.123Z level=info logger=pod-mutator "
                              "message=\"Pod is from Job\" ") +
                      c.written);
    }
}

TEST(FormatLogfmt, WritesNumbersBooleansAndCleanKeys) {
    EXPECT_THAT(formatted(Format::Logfmt, "m",
                          {{"n", std::int64_t{-1}}, {"b", false}, {"a b=\"c\n", "x"}, {"", "y"}}),
                EndsWith("message=m n=-1 b=false a_b__c_=x _=y"));
}

TEST(FormatLine, NamesEachLevel) {
    const struct {
        Level level;
        const char* upper;
        const char* lower;
    } cases[] = {{Level::Debug, "\tDEBUG\t", "debug"},
                 {Level::Info, "\tINFO\t", "info"},
                 {Level::Warn, "\tWARN\t", "warn"},
                 {Level::Error, "\tERROR\t", "error"}};
    for (const auto& c : cases) {
        const Line line{kTime, c.level, "l", "m", {}};
        EXPECT_THAT(format_line(line, Format::Text), HasSubstr(c.upper));
        EXPECT_EQ(nlohmann::json::parse(format_line(line, Format::Json))["level"], c.lower);
        EXPECT_THAT(format_line(line, Format::Logfmt),
                    HasSubstr(std::string(" level=") + c.lower + " "));
        EXPECT_EQ(parse_level(c.lower), c.level);
    }
}

TEST(FormatLine, TimesHaveThreeDigitsOfASecond) {
    const struct {
        std::chrono::system_clock::time_point time;
        const char* text;
    } cases[] = {
        {std::chrono::system_clock::time_point{}, "1970-01-01T00:00:00.000Z"},
        {std::chrono::system_clock::time_point{milliseconds(7)}, "1970-01-01T00:00:00.007Z"},
        {kTime + std::chrono::microseconds(999), "2026-11-21T10:31:57.123Z"},
        {std::chrono::system_clock::time_point{milliseconds(-1)}, "1969-12-31T23:59:59.999Z"},
    };
    for (const auto& c : cases) {
        EXPECT_THAT(format_line({c.time, Level::Info, "l", "m", {}}, Format::Text),
                    testing::StartsWith(c.text));
    }
}

TEST(FormatLine, NoValueCanForgeALine) {
    const std::string evil = std::string("a\r\n2026 INFO x\0", 15) +
                             "\x1b[2J\xC2\x85\xE2\x80\xA8\xFF\xC0\xAF\xED\xA0\x80\"}";
    for (const Format format : kFormats) {
        const std::string line =
            format_line({kTime, Level::Info, evil, evil, {{evil, evil}, {"k", evil}}}, format);
        EXPECT_TRUE(is_one_line_of_utf8(line)) << line;
        EXPECT_EQ(line.find("\xE2\x80\xA8"), std::string::npos);
        EXPECT_EQ(line.find("\xC2\x85"), std::string::npos);
    }
}

TEST(FormatJson, AnyBytesStayJson) {
    for (unsigned byte = 0; byte < 256; ++byte) {
        const std::string text{'a', static_cast<char>(byte), 'b'};
        const std::string line =
            format_line({kTime, Level::Info, text, text, {{text, text}}}, Format::Json);
        EXPECT_TRUE(nlohmann::json::accept(line)) << line;
    }
}

TEST(FormatJson, KeysNeverStandTwice) {
    const std::string line = formatted(Format::Json, "m",
                                       {{"level", "a"},
                                        {"message", "b"},
                                        {"time", "c"},
                                        {"logger", "d"},
                                        {"pod", "e"},
                                        {"pod", "f"},
                                        {"pod_", "g"},
                                        {"level_", "h"}});
    std::vector<std::string> keys;
    const auto collect = [&](int, nlohmann::json::parse_event_t event, nlohmann::json& parsed) {
        if (event == nlohmann::json::parse_event_t::key) {
            keys.push_back(parsed.get<std::string>());
        }
        return true;
    };
    const auto json = nlohmann::json::parse(line, collect);
    EXPECT_THAT(keys,
                testing::ElementsAre("time", "level", "logger", "message", "level_", "message_",
                                     "time_", "logger_", "pod", "pod_", "pod__", "level__"));
    EXPECT_EQ(json["level"], "info");
    EXPECT_EQ(json["message"], "m");
    EXPECT_EQ(json["level_"], "a");
}

TEST(FormatText, KeysNeverStandTwiceAndMayBeCalledLevel) {
    EXPECT_THAT(formatted(Format::Text, "m", {{"level", "a"}, {"pod", "b"}, {"pod", "c"}}),
                EndsWith(R"({"level": "a", "pod": "b", "pod_": "c"})"));
}

TEST(FormatLogfmt, KeysNeverStandTwice) {
    EXPECT_THAT(formatted(Format::Logfmt, "m", {{"level", "a"}, {"a b", "b"}, {"a_b", "c"}}),
                EndsWith(" level_=a a_b=b a_b_=c"));
}

TEST(FormatLine, CutsLongValuesOnACharacterWithAMark) {
    const struct {
        std::string unit;
        std::size_t shift;
    } cases[] = {{"x", 0}, {"é", 0}, {"é", 1}, {"€", 0}, {"€", 1},
                 {"€", 2}, {"😀", 0}, {"😀", 1}, {"😀", 2}, {"😀", 3}};
    for (const auto& c : cases) {
        std::string value(c.shift, 'a');
        while (value.size() <= kMaxFieldBytes) {
            value += c.unit;
        }
        const auto json = nlohmann::json::parse(formatted(Format::Json, "m", {{"v", value}}));
        const std::string cut = json["v"];
        EXPECT_LE(cut.size(), kMaxFieldBytes);
        EXPECT_GT(cut.size(), kMaxFieldBytes - 4);
        EXPECT_THAT(cut, EndsWith(c.unit + "…"));
        EXPECT_THAT(cut, Not(HasSubstr("\xEF\xBF\xBD")));
        EXPECT_EQ(value.compare(0, cut.size() - 3, cut, 0, cut.size() - 3), 0);
    }
}

TEST(FormatLine, LeavesAValueThatJustFits) {
    const std::string value(kMaxFieldBytes, 'x');
    for (const Format format : kFormats) {
        EXPECT_THAT(formatted(format, "m", {{"v", value}}), HasSubstr(value));
        EXPECT_THAT(formatted(format, "m", {{"v", value}}), Not(HasSubstr("…")));
    }
}

TEST(FormatLine, CutsMessagesToo) {
    const std::string message(2 * kMaxFieldBytes, 'x');
    for (const Format format : kFormats) {
        const std::string line = formatted(format, message, {});
        EXPECT_LT(line.size(), kMaxFieldBytes + 200);
        EXPECT_THAT(line, HasSubstr("x…"));
    }
}

TEST(FormatLine, CutsBytesThatAreNoTextWithoutRunningAway) {
    const std::string value(kMaxFieldBytes + 1, '\x80');
    for (const Format format : kFormats) {
        EXPECT_TRUE(is_one_line_of_utf8(formatted(format, "m", {{"v", value}})));
    }
}

TEST(ParseLevel, TakesOnlyTheNames) {
    EXPECT_EQ(parse_level("debug"), Level::Debug);
    EXPECT_EQ(parse_level("error"), Level::Error);
    for (const char* text : {"", "INFO", "warning", "trace", "info "}) {
        EXPECT_FALSE(parse_level(text)) << text;
    }
}

TEST(ParseFormat, TakesOnlyTheNames) {
    EXPECT_EQ(parse_format("text"), Format::Text);
    EXPECT_EQ(parse_format("json"), Format::Json);
    EXPECT_EQ(parse_format("logfmt"), Format::Logfmt);
    for (const char* text : {"", "JSON", "console", "text "}) {
        EXPECT_FALSE(parse_format(text)) << text;
    }
}

}  // namespace
}  // namespace smw::log
