// Objects of one kind, under keys that view them.
#include "smw/watch/store.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace smw::watch {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

struct Thing {
    std::string namespace_;
    std::string name;
    std::string colour;
    [[nodiscard]] ObjectKeyView key() const { return {namespace_, name}; }
};

/// Names of the things by colour: finds out when an erase is missing or doubled.
struct ByColour {
    using Pointer = std::shared_ptr<const Thing>;
    void insert(const Pointer& thing) { EXPECT_TRUE(things.insert(thing).second); }
    void erase(const Pointer& thing) { EXPECT_EQ(things.erase(thing), 1U); }
    std::set<Pointer> things;
};

/// A thing without colour is of no use.
std::shared_ptr<const Thing> project(const kube::ObjectKey& key, json::Value object) {
    const auto colour = object.find("colour");
    return colour ? std::make_shared<const Thing>(
                        Thing{key.namespace_, key.name, std::string{*colour->string()}})
                  : nullptr;
}

class StoreTest : public ::testing::Test {
protected:
    Expected<void> apply(const std::string& text) {
        const auto document = json::Document::parse(text);
        return store.apply(document->root());
    }
    void put(const std::string& name, const std::string& colour,
             const std::string& namespace_ = "ns") {
        ASSERT_TRUE(apply(R"({"metadata": {"name": ")" + name + R"(", "namespace": ")" +
                          namespace_ + R"("}, "colour": ")" + colour + R"("})")
                        .has_value());
    }
    /// "name=colour", sorted.
    std::set<std::string> content() {
        return store.read([](const ByColour& index) {
            std::set<std::string> found;
            for (const auto& thing : index.things) {
                found.insert(thing->name + "=" + thing->colour);
            }
            return found;
        });
    }

    Store<Thing, ByColour> store{project};
};

TEST_F(StoreTest, HoldsWhatWasAppliedLast) {
    put("a", "red");
    put("b", "blue");
    put("a", "green");
    EXPECT_THAT(content(), ElementsAre("a=green", "b=blue"));
    EXPECT_EQ(store.size(), 2U);
}

TEST_F(StoreTest, TellsNamespacesApart) {
    put("a", "red", "one");
    put("a", "blue", "two");
    EXPECT_EQ(store.size(), 2U);
    kube::ObjectKey key;
    key.namespace_ = "one";
    key.name = "a";
    store.remove(key);
    EXPECT_THAT(content(), ElementsAre("a=blue"));
}

TEST_F(StoreTest, RemovesAnObjectThatIsOfNoUseAnyMore) {
    put("a", "red");
    EXPECT_TRUE(apply(R"({"metadata": {"name": "a", "namespace": "ns"}})").has_value());
    EXPECT_THAT(content(), IsEmpty());
    EXPECT_EQ(store.size(), 0U);
    EXPECT_TRUE(apply(R"({"metadata": {"name": "never", "namespace": "ns"}})").has_value());
}

TEST_F(StoreTest, IgnoresTheRemovalOfWhatItDoesNotHold) {
    put("a", "red");
    kube::ObjectKey key;
    key.name = "a";
    store.remove(key);
    EXPECT_EQ(store.size(), 1U);
}

TEST_F(StoreTest, RefusesAnObjectWithoutNameAndChangesNothing) {
    put("a", "red");
    for (const auto* text :
         {"{}", R"({"metadata": {}})", R"({"metadata": {"name": ""}})",
          R"({"metadata": {"name": 5}})", R"({"metadata": {"name": null}})", R"({"metadata": []})",
          R"({"metadata": {"name": "a", "namespace": 5}})", "[]", "5"}) {
        EXPECT_FALSE(apply(text).has_value()) << text;
    }
    EXPECT_THAT(content(), ElementsAre("a=red"));
}

TEST_F(StoreTest, SweepsWhatARelistDidNotSee) {
    put("stays", "red");
    put("changes", "red");
    put("goes", "red");
    store.begin_relist("");
    put("stays", "red");
    put("changes", "blue");
    put("comes", "red");
    EXPECT_EQ(store.size(), 4U) << "nothing goes before the end";
    store.end_relist("");
    EXPECT_THAT(content(), ElementsAre("changes=blue", "comes=red", "stays=red"));
}

TEST_F(StoreTest, RemovesNothingForARelistThatBreaksOff) {
    put("a", "red");
    put("b", "red");
    store.begin_relist("");
    put("a", "red");
    store.begin_relist("");
    EXPECT_EQ(store.size(), 2U);
    put("b", "red");
    store.end_relist("");
    EXPECT_THAT(content(), ElementsAre("b=red"));
}

TEST_F(StoreTest, EmptiesOnARelistThatSeesNothing) {
    for (int index = 0; index < 100; ++index) {
        put("thing-" + std::to_string(index), "red");
    }
    store.begin_relist("");
    store.end_relist("");
    EXPECT_EQ(store.size(), 0U);
    EXPECT_THAT(content(), IsEmpty());
}

/// The keys are views into the objects: ASan looks on.
TEST_F(StoreTest, OutlivesTheObjectsThatItReplaced) {
    for (int round = 0; round < 3; ++round) {
        for (int index = 0; index < 200; ++index) {
            put("a-name-too-long-for-the-small-string-buffer-" + std::to_string(index),
                round % 2 == 0 ? "red" : "blue");
        }
    }
    EXPECT_EQ(store.size(), 200U);
}

TEST_F(StoreTest, ARelistOfOneNamespaceLeavesTheOthersAlone) {
    store.begin_relist("one");
    store.begin_relist("two");  // both are under way
    put("a", "red", "one");
    put("b", "red", "one");
    put("c", "red", "two");
    store.end_relist("one");
    store.end_relist("two");
    EXPECT_THAT(content(), ElementsAre("a=red", "b=red", "c=red"));
    store.begin_relist("one");
    put("b", "blue", "one");
    put("d", "red", "two");  // an event of the other's watch
    store.end_relist("one");
    EXPECT_THAT(content(), ElementsAre("b=blue", "c=red", "d=red"));
    store.begin_relist("two");
    store.end_relist("two");
    EXPECT_THAT(content(), ElementsAre("b=blue"));
}

TEST_F(StoreTest, AFillFromNothingShowsAtItsEnd) {
    store.begin_relist("");
    put("a", "red", "one");
    put("b", "red", "two");
    put("a", "blue", "one");
    EXPECT_THAT(content(), IsEmpty());
    store.end_relist("");
    EXPECT_THAT(content(), ElementsAre("a=blue", "b=red"));
    put("c", "red");
    put("b", "green", "two");
    EXPECT_THAT(content(), ElementsAre("a=blue", "b=green", "c=red"));
}

TEST_F(StoreTest, AFillThatBreaksOffShowsNothingUntilAWholeOne) {
    store.begin_relist("");
    put("a", "red");
    put("b", "red");
    store.begin_relist("");
    EXPECT_THAT(content(), IsEmpty());
    put("b", "blue");
    put("c", "red");
    EXPECT_THAT(content(), IsEmpty());
    store.end_relist("");
    EXPECT_THAT(content(), ElementsAre("b=blue", "c=red"));
    store.begin_relist("");
    put("c", "blue");
    EXPECT_THAT(content(), ElementsAre("b=blue", "c=blue")) << "no fill any more";
    store.end_relist("");
    EXPECT_THAT(content(), ElementsAre("c=blue"));
}

TEST_F(StoreTest, WhatGoesDuringAFillNeverShows) {
    store.begin_relist("");
    put("a", "red");
    put("b", "red");
    put("c", "red");
    kube::ObjectKey key;
    key.namespace_ = "ns";
    key.name = "a";
    store.remove(key);
    EXPECT_TRUE(apply(R"({"metadata": {"name": "b", "namespace": "ns"}})").has_value());
    store.end_relist("");
    EXPECT_THAT(content(), ElementsAre("c=red"));
    store.begin_relist("");
    store.end_relist("");
    EXPECT_THAT(content(), IsEmpty());
}

TEST_F(StoreTest, AnotherNamespaceChangesVisiblyDuringAFill) {
    store.begin_relist("one");
    put("a", "red", "one");
    store.end_relist("one");
    store.begin_relist("two");
    store.begin_relist("three");
    put("b", "red", "two");
    put("c", "red", "three");
    put("a", "blue", "one");
    put("d", "red", "one");
    EXPECT_THAT(content(), ElementsAre("a=blue", "d=red"));
    kube::ObjectKey key;
    key.namespace_ = "one";
    key.name = "a";
    store.remove(key);
    EXPECT_THAT(content(), ElementsAre("d=red"));
    store.end_relist("three");
    EXPECT_THAT(content(), ElementsAre("c=red", "d=red"));
    store.end_relist("two");
    EXPECT_THAT(content(), ElementsAre("b=red", "c=red", "d=red"));
}

TEST_F(StoreTest, AStoreThatWasEmptiedIsFilledLikeANewOne) {
    put("a", "red");
    store.begin_relist("");
    store.end_relist("");
    store.begin_relist("");
    put("b", "red");
    EXPECT_THAT(content(), IsEmpty());
    store.end_relist("");
    EXPECT_THAT(content(), ElementsAre("b=red"));
}

TEST_F(StoreTest, KeepsAnObjectAliveForWhoeverReadIt) {
    put("a", "red");
    const auto kept = store.read([](const ByColour& index) { return *index.things.begin(); });
    put("a", "blue");
    EXPECT_EQ(kept->colour, "red");
    EXPECT_EQ(kept.use_count(), 1) << "and holds it only once itself";
}

}  // namespace
}  // namespace smw::watch
