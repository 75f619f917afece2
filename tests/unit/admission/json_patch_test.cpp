#include "smw/admission/json_patch.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <random>

namespace smw::admission {
namespace {

using Json = nlohmann::json;
using ::testing::HasSubstr;

PatchOp op(PatchOp::Kind kind, std::string_view path, const Json& value) {
    return {kind, json::Pointer::parse(path).value(), json::Text{value.dump()}};
}

PatchOp replace(std::string_view path, const Json& value) {
    return op(PatchOp::Kind::Replace, path, value);
}

PatchOp add(std::string_view path, const Json& value) {
    return op(PatchOp::Kind::Add, path, value);
}

/// The complaint about a patch, or "" when it is proven.
std::string complaint(const JsonPatch& patch, const Json& object) {
    const auto document = json::Document::parse(object.dump());
    const auto proof = prove(patch, document.value().root());
    return proof ? "" : proof.error().message;
}

Json pod() {
    return Json::parse(R"({
        "metadata": {"name": "p", "annotations": null},
        "spec": {"containers": [{"name": "a", "image": "x:1"}, {"name": "b", "image": null}, 7]},
        "a/b": {"m~n": "text"}, "": "empty", "n": 1})");
}

TEST(JsonPatch, IsCompactText) {
    const JsonPatch patch = {replace("/spec/containers/0/image", "x:\"2\""),
                             add("/metadata/annotations", Json{{"k", Json::array({1})}})};
    EXPECT_EQ(to_json(patch).json,
              R"([{"op":"replace","path":"/spec/containers/0/image","value":"x:\"2\""},)"
              R"({"op":"add","path":"/metadata/annotations","value":{"k":[1]}}])");
    EXPECT_EQ(to_json({}).json, "[]");
}

TEST(JsonPatch, EscapesItsPaths) {
    const auto path = json::Pointer{} / "a/b" / "m~n" / std::string_view{"q\""};
    const JsonPatch patch = {{PatchOp::Kind::Add, path, json::Text{"1"}}};
    EXPECT_EQ(Json::parse(to_json(patch).json)[0]["path"], "/a~1b/m~0n/q\"");
}

struct ProofCase {
    std::string name;
    JsonPatch patch;
};

TEST(Prove, TakesWhatApplies) {
    const ProofCase cases[] = {
        {"nothing", {}},
        {"a string replaced", {replace("/spec/containers/0/image", "y")}},
        {"escaped tokens", {replace("/a~1b/m~0n", "y")}},
        {"an empty member name", {replace("/", "y")}},
        {"a string replaced twice",
         {replace("/metadata/name", "y"), replace("/metadata/name", "z")}},
        {"an absent member", {add("/spec/containers/0/new", "y")}},
        {"a member that is null", {add("/spec/containers/1/image", "y")}},
        {"a member of the whole", {add("/new", 1)}},
        {"what was added",
         {add("/metadata/annotations", Json::object()), add("/metadata/annotations/k", "v"),
          replace("/metadata/annotations/k", "w")}},
        {"within what was added",
         {add("/x", Json{{"l", Json::array({"s"})}}), replace("/x/l/0", "t")}},
        {"null added, then more", {add("/x", nullptr), add("/x", Json::object()), add("/x/y", 1)}},
        {"a member called -", {add("/metadata/-", 1)}},
    };
    for (const auto& [name, patch] : cases) {
        EXPECT_EQ(complaint(patch, pod()), "") << name;
        EXPECT_NO_THROW(static_cast<void>(pod().patch(Json::parse(to_json(patch).json)))) << name;
    }
}

TEST(Prove, RefusesWhatDoesNotApply) {
    const ProofCase cases[] = {
        {"replace of nothing", {replace("/spec/none", "y")}},
        {"replace beyond the list", {replace("/spec/containers/3/image", "y")}},
        {"replace with a leading zero", {replace("/spec/containers/00/image", "y")}},
        {"replace behind the list", {replace("/spec/containers/-", "y")}},
        {"replace of null", {replace("/spec/containers/1/image", "y")}},
        {"replace of a number", {replace("/n", "y")}},
        {"replace of an object", {replace("/spec", "y")}},
        {"replace of an array", {replace("/spec/containers", "y")}},
        {"replace by a number", {replace("/metadata/name", 7)}},
        {"replace by null", {replace("/metadata/name", nullptr)}},
        {"replace within a string", {replace("/metadata/name/0", "y")}},
        {"replace of the whole", {replace("", "y")}},
        {"add of the whole", {add("", Json::object())}},
        {"add of what is there", {add("/metadata/name", "y")}},
        {"add without a parent", {add("/metadata/labels/k", "y")}},
        {"add to null", {add("/metadata/annotations/k", "y")}},
        {"add to a string", {add("/metadata/name/k", "y")}},
        {"add to a number", {add("/spec/containers/2/image", "y")}},
        {"add to a list", {add("/spec/containers/0", "y")}},
        {"add at the end of a list", {add("/spec/containers/-", "y")}},
        {"add twice", {add("/x", 1), add("/x", 2)}},
        {"add below an added string", {add("/x", "s"), add("/x/y", 1)}},
        {"replace of an added number", {add("/x", 1), replace("/x", "y")}},
        {"add before its parent", {add("/x/y", 1), add("/x", Json::object())}},
        {"the last of several", {replace("/metadata/name", "y"), replace("/spec/none", "y")}},
    };
    for (const auto& [name, patch] : cases) {
        EXPECT_NE(complaint(patch, pod()), "") << name;
    }
}

TEST(Prove, RefusesAValueThatIsNoJson) {
    for (const std::string text : {"", "y", "\"", "{", "1 2", "[1,]"}) {
        const JsonPatch patch = {
            {PatchOp::Kind::Add, json::Pointer::parse("/new").value(), json::Text{text}}};
        EXPECT_THAT(complaint(patch, pod()), HasSubstr("no JSON")) << text;
    }
}

TEST(Prove, RefusesAnObjectThatIsNone) {
    for (const auto& object : {Json("text"), Json(7), Json(nullptr), Json::array({"x"})}) {
        EXPECT_NE(complaint({add("/new", 1)}, object), "") << object;
        EXPECT_NE(complaint({replace("", "y")}, object), "") << object;
    }
    EXPECT_EQ(complaint({replace("/0", "y")}, Json::array({"x"})), "");
}

TEST(Prove, NamesTheOp) {
    EXPECT_EQ(complaint({replace("/metadata/name", "y"), replace("/spec/a~1b", "y")}, pod()),
              "replace /spec/a~1b: there is no string at this path");
    EXPECT_EQ(complaint({add("/metadata/name", "y")}, pod()),
              "add /metadata/name: it is there already");
}

/// Small random trees and patches over few names, so that paths meet.
class Chance {
public:
    explicit Chance(unsigned seed) : random_(seed) {}

    std::size_t below(std::size_t count) { return random_() % count; }

    Json value(int depth) {
        switch (below(depth > 0 ? 8 : 4)) {
            case 0:
                return nullptr;
            case 1:
                return static_cast<int>(below(9));
            case 2:
            case 3:
                return names_[below(names_.size())];
            case 4: {
                auto list = Json::array();
                for (auto count = below(3); count > 0; --count) {
                    list.push_back(value(depth - 1));
                }
                return list;
            }
            default:
                return object(depth);
        }
    }

    Json object(int depth) {
        auto members = Json::object();
        for (auto count = below(4); count > 0; --count) {
            members[names_[below(names_.size())]] = value(depth - 1);
        }
        return members;
    }

    JsonPatch patch() {
        JsonPatch ops;
        for (auto count = 1 + below(3); count > 0; --count) {
            json::Pointer path;
            for (auto steps = below(3) + (below(9) > 0 ? 1 : 0); steps > 0; --steps) {
                path = path / names_[below(names_.size())];
            }
            const auto kind = below(3) == 0 ? PatchOp::Kind::Replace : PatchOp::Kind::Add;
            ops.push_back({kind, path, json::Text{value(2).dump()}});
        }
        return ops;
    }

private:
    std::mt19937 random_;
    std::vector<std::string> names_ = {"a", "b", "c~", "d/e", "0", "1", "-", ""};
};

std::optional<Json> found(const Json& object, const json::Pointer& path) {
    try {
        return object.at(Json::json_pointer{path.text()});
    } catch (const Json::exception&) {
        return std::nullopt;
    }
}

/// The rule for one op, asked of the object as the ops before it really left it.
bool allowed(const Json& object, const PatchOp& op) {
    const auto& tokens = op.path.tokens();
    if (tokens.empty()) {
        return false;
    }
    const auto at = found(object, op.path);
    if (op.kind == PatchOp::Kind::Replace) {
        return at && at->is_string() && Json::parse(op.value.json).is_string();
    }
    json::Pointer parent;
    for (std::size_t i = 0; i + 1 < tokens.size(); ++i) {
        parent = parent / tokens[i];
    }
    const auto holder = found(object, parent);
    return holder && holder->is_object() && (!at || at->is_null());
}

TEST(Prove, AgreesWithApplyingTheOpsOneByOne) {
    Chance chance{7};
    int proven = 0;
    int refused = 0;
    for (int round = 0; round < 4000; ++round) {
        const auto object = chance.object(3);
        const auto patch = chance.patch();
        auto left = object;
        bool applies = true;
        for (const auto& step : patch) {
            applies = applies && allowed(left, step);
            if (applies) {
                left = left.patch(Json::parse(to_json({step}).json));
            }
        }
        const auto message = complaint(patch, object);
        EXPECT_EQ(message.empty(), applies) << object << '\n'
                                            << to_json(patch).json << '\n'
                                            << message;
        if (message.empty()) {
            ++proven;
            EXPECT_EQ(object.patch(Json::parse(to_json(patch).json)), left);
        } else {
            ++refused;
        }
    }
    EXPECT_GT(proven, 300);
    EXPECT_GT(refused, 300);
}

}  // namespace
}  // namespace smw::admission
