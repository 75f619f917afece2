// What a folder of manifests says: contents in, objects out.
#include "smw/watch/manifest_set.hpp"

#include "smw/watch/store.hpp"
#include "unit/watch/recording_sink.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace smw::watch {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using testing::RecordingSink;

const Resource kThings{"example.com", "v1", "Thing", "things"};
const Resource kJobs{"batch", "v1", "Job", "jobs"};

std::string thing(const std::string& name, const std::string& colour = "red") {
    return "apiVersion: example.com/v1\nkind: Thing\nmetadata:\n  name: " + name +
           "\ncolour: " + colour + "\n";
}

class ManifestSetTest : public ::testing::Test {
protected:
    /// "namespace/name=colour", sorted.
    std::vector<std::string> things() {
        set.apply(kThings, sink);
        return sink.content();
    }

    ManifestSet set{{kThings, kJobs}};
    RecordingSink sink;
};

TEST_F(ManifestSetTest, ReadsYamlAndJson) {
    set.put("a.yaml", thing("a"));
    set.put("b.yml", thing("b", "\"5\""));
    set.put("c.json", R"({"apiVersion": "example.com/v1", "kind": "Thing",
                          "metadata": {"name": "c", "namespace": "own"}, "colour": "blue"})");
    EXPECT_THAT(things(), ElementsAre("default/a=red", "default/b=5", "own/c=blue"));
    EXPECT_THAT(set.problems(), IsEmpty());
}

TEST_F(ManifestSetTest, ReadsSeveralDocumentsAndSkipsEmptyOnesAndOtherKinds) {
    set.put("a.yaml", "# nothing yet\n---\n" + thing("a") + "---\n---\n" + thing("b") +
                          "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\n"
                          "---\napiVersion: example.com/v2\nkind: Thing\nmetadata: {name: d}\n"
                          "---\napiVersion: v1\nkind: Thing\nmetadata: {name: e}\n"
                          "---\nresources: [kustomization]\n");
    EXPECT_THAT(things(), ElementsAre("default/a=red", "default/b=red"));
    EXPECT_THAT(set.problems(), IsEmpty());
}

TEST_F(ManifestSetTest, ReadsLists) {
    set.put("a.yaml", R"(
apiVersion: v1
kind: List
items:
- {apiVersion: example.com/v1, kind: Thing, metadata: {name: a}, colour: red}
- {apiVersion: v1, kind: Secret, metadata: {name: b}}
- apiVersion: v1
  kind: List
  items:
  - {apiVersion: example.com/v1, kind: Thing, metadata: {name: c}, colour: red}
---
apiVersion: v1
kind: List
)");
    EXPECT_THAT(things(), ElementsAre("default/a=red", "default/c=red"));
    EXPECT_THAT(set.problems(), IsEmpty());
}

TEST_F(ManifestSetTest, GivesEachSinkItsKindOnly) {
    set.put("a.yaml", thing("a") + "---\napiVersion: batch/v1\nkind: Job\nmetadata: {name: j}\n");
    EXPECT_THAT(things(), ElementsAre("default/a=red"));
    RecordingSink jobs;
    set.apply(kJobs, jobs);
    EXPECT_THAT(jobs.content(), ElementsAre("default/j="));
}

TEST_F(ManifestSetTest, TakesNoNamespaceForDefault) {
    set.put("a.yaml",
            "apiVersion: example.com/v1\nkind: Thing\nmetadata: {name: a, namespace: }\n"
            "colour: red\n---\n"
            "apiVersion: example.com/v1\nkind: Thing\n"
            "metadata: {name: b, namespace: \"\"}\ncolour: red\n");
    EXPECT_THAT(things(), ElementsAre("default/a=red", "default/b=red"));
}

TEST_F(ManifestSetTest, LetsTheLaterFileNameWinAndWarns) {
    set.put("b.yaml", thing("a", "from-b"));
    set.put("a.yaml", thing("a", "from-a"));
    set.put("B.yaml", thing("a", "from-capital-b"));
    EXPECT_THAT(things(), ElementsAre("default/a=from-b"));
    EXPECT_THAT(set.problems(),
                ElementsAre(Problem{"B.yaml", 1,
                                    "Thing default/a is said again in b.yaml:1, which "
                                    "counts"},
                            Problem{"a.yaml", 1,
                                    "Thing default/a is said again in b.yaml:1, which "
                                    "counts"}));
    set.erase("b.yaml");
    EXPECT_THAT(things(), ElementsAre("default/a=from-a")) << "the earlier file counts again";
}

TEST(Examples, SayTheSameBackupInBothFiles) {
    ManifestSet examples{{{"migration.dcnlab.com", "v1", "CheckpointBackup", "checkpointbackups"},
                          {"batch", "v1", "Job", "jobs"}}};
    ASSERT_TRUE(read_folder(std::string{SMW_TEST_DATA} + "/../../examples", examples));
    EXPECT_THAT(examples.problems(), IsEmpty());
}

TEST_F(ManifestSetTest, SaysNothingOfAnObjectThatIsSaidTwiceTheSame) {
    set.put("a.yaml", thing("a", "same"));
    set.put("b.yaml", thing("a", "same"));
    EXPECT_THAT(things(), ElementsAre("default/a=same"));
    EXPECT_THAT(set.problems(), IsEmpty());
}

TEST_F(ManifestSetTest, LetsTheLaterDocumentOfAFileWinAndWarns) {
    set.put("a.yaml", thing("a", "first") + "---\n" + thing("a", "second"));
    EXPECT_THAT(things(), ElementsAre("default/a=second"));
    ASSERT_EQ(set.problems().size(), 1U);
    EXPECT_THAT(to_string(set.problems()[0]),
                AllOf(HasSubstr("a.yaml:1: "), HasSubstr("a.yaml:6")));
}

TEST_F(ManifestSetTest, KeepsTheLastGoodContentOfABrokenFileOfAllItsDocuments) {
    set.put("a.yaml", thing("a") + "---\n" + thing("b"));
    set.put("other.yaml", thing("other"));
    set.put("a.yaml", thing("a", "changed") + "---\nmetadata: {name: [\n");
    EXPECT_THAT(things(), ElementsAre("default/a=red", "default/b=red", "default/other=red"));
    ASSERT_EQ(set.problems().size(), 1U);
    EXPECT_EQ(set.problems()[0].file, "a.yaml");
    EXPECT_GT(set.problems()[0].line, 5);
    EXPECT_THAT(set.problems()[0].reason, Not(IsEmpty()));
    set.put("a.yaml", thing("c"));
    EXPECT_THAT(things(), ElementsAre("default/c=red", "default/other=red"));
    EXPECT_THAT(set.problems(), IsEmpty()) << "the file is whole again";
}

TEST_F(ManifestSetTest, TakesABrokenFileAsAWhole) {
    struct Case {
        const char* content;
        const char* reason;
        int line;
    };
    for (const auto& [content, reason, line] : std::vector<Case>{
             {"just text\n", "expected an object", 1},
             {"---\n- a\n- b\n", "expected an object", 1},
             {"apiVersion: v1\nkind: List\nitems: 5\n", "items is not a list", 1},
             {"apiVersion: v1\nkind: List\nitems: [5]\n", "expected an object", 1},
             {"apiVersion: example.com/v1\nkind: Thing\n", "metadata.name is missing", 1},
             {"apiVersion: example.com/v1\nkind: Thing\nmetadata: {name: 5}\n", "metadata.name", 1},
             {"apiVersion: example.com/v1\nkind: Thing\nmetadata: {name: x, namespace: 5}\n",
              "metadata.namespace", 1},
             {"a: b\n c: d\n", "", 2},
         }) {
        set.put("a.yaml", thing("a"));
        set.put("a.yaml", content);
        EXPECT_THAT(things(), ElementsAre("default/a=red")) << content;
        ASSERT_EQ(set.problems().size(), 1U) << content;
        EXPECT_THAT(set.problems()[0].reason, HasSubstr(reason));
        EXPECT_EQ(set.problems()[0].line, line) << content;
    }
}

TEST_F(ManifestSetTest, ReportsBrokenJsonWithItsLine) {
    set.put("a.json", "{\n  \"apiVersion\": \"v1\",\n  \"kind\"\n");
    ASSERT_EQ(set.problems().size(), 1U);
    EXPECT_GE(set.problems()[0].line, 3);
}

TEST_F(ManifestSetTest, TakesNothingFromAFileThatIsBrokenFromTheStart) {
    set.put("broken.yaml", "a: [");
    set.put("whole.yaml", thing("a"));
    EXPECT_THAT(things(), ElementsAre("default/a=red"));
    EXPECT_EQ(set.problems().size(), 1U);
}

TEST_F(ManifestSetTest, KeepsWhatAnUnreadableFileHeld) {
    set.put("a.yaml", thing("a"));
    set.put_unreadable("a.yaml", "Permission denied");
    EXPECT_THAT(things(), ElementsAre("default/a=red"));
    EXPECT_THAT(set.problems(), ElementsAre(Problem{"a.yaml", 0, "Permission denied"}));
    EXPECT_EQ(to_string(set.problems()[0]), "a.yaml: Permission denied");
}

TEST_F(ManifestSetTest, TakesTheContentOfADeletedFileAway) {
    set.put("a.yaml", thing("a"));
    set.put("b.yaml", "a: [");
    EXPECT_THAT(things(), ElementsAre("default/a=red"));
    set.erase("a.yaml");
    set.erase("b.yaml");
    set.erase("never.yaml");
    EXPECT_THAT(things(), IsEmpty());
    EXPECT_THAT(set.problems(), IsEmpty()) << "a file that is gone is no problem";
}

TEST_F(ManifestSetTest, TakesAnEmptyFileForNone) {
    set.put("a.yaml", thing("a"));
    for (const auto* content : {"", "\n", "# comment\n", "---\n", "null\n"}) {
        set.put("a.yaml", content);
        EXPECT_THAT(things(), IsEmpty()) << content;
        EXPECT_THAT(set.problems(), IsEmpty()) << content;
    }
}

TEST_F(ManifestSetTest, AppliesByMarkAndSweep) {
    set.put("a.yaml", thing("a"));
    static_cast<void>(things());
    EXPECT_EQ(sink.relists, 1);
    EXPECT_EQ(sink.removed_one_by_one, 0);
}

TEST_F(ManifestSetTest, ReportsWhatASinkRefuses) {
    set.put("a.yaml", thing("a") + "---\n" + thing("bad"));
    sink.refused = "bad";
    EXPECT_THAT(things(), ElementsAre("default/a=red"));
    EXPECT_THAT(set.problems(), ElementsAre(Problem{"a.yaml", 6, "refused bad"}));
    sink.refused.clear();
    static_cast<void>(things());
    EXPECT_THAT(set.problems(), IsEmpty());
}

TEST(Manifest, IsReadByItsName) {
    for (const auto* name : {"a.yaml", "a.yml", "a.json", "a.b.yaml", "a.json.yaml"}) {
        EXPECT_TRUE(is_manifest_name(name)) << name;
    }
    for (const auto* name : {".a.yaml", ".yaml", "..data", "a.yaml~", "a.yaml.bak", "yaml",
                             "a.YAML", "a.txt", "", "README"}) {
        EXPECT_FALSE(is_manifest_name(name)) << name;
    }
}

TEST(Manifest, IsOfAKindByGroupVersionAndKind) {
    const auto is = [](const char* text, const Resource& resource) {
        const auto document = json::Document::parse(std::string{text});
        return is_of(document->root(), resource);
    };
    const Resource core{"", "v1", "Pod", "pods"};
    EXPECT_TRUE(is(R"({"apiVersion": "batch/v1", "kind": "Job"})", kJobs));
    EXPECT_TRUE(is(R"({"apiVersion": "v1", "kind": "Pod"})", core));
    EXPECT_FALSE(is(R"({"apiVersion": "v1", "kind": "Job"})", kJobs));
    EXPECT_FALSE(is(R"({"apiVersion": "batch/v1", "kind": "Pod"})", core));
    EXPECT_FALSE(is(R"({"kind": "Job"})", kJobs));
    EXPECT_FALSE(is(R"({"apiVersion": 5, "kind": "Job"})", kJobs));
    EXPECT_FALSE(is("[]", kJobs));
}

TEST(Problem, SaysFileLineAndReason) {
    EXPECT_EQ(to_string(Problem{"a.yaml", 7, "is broken"}), "a.yaml:7: is broken");
    EXPECT_EQ(to_string(Problem{"a.yaml", 0, "is a folder"}), "a.yaml: is a folder");
    EXPECT_EQ(to_string(Problem{"", 0, "reading folder x: gone"}), "reading folder x: gone");
}

}  // namespace
}  // namespace smw::watch
