// Looking at a real folder: what is a manifest, and what is never opened.
#include "watch/manifest_folder.hpp"

#include "smw/watch/manifest_set.hpp"
#include "support/folder.hpp"
#include "unit/watch/recording_sink.hpp"

#include <gmock/gmock.h>

#include <sys/stat.h>

namespace smw::watch {
namespace {

namespace fs = std::filesystem;
using test::Folder;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Key;
using testing::RecordingSink;

TEST(ManifestFolder, ListsTheManifestsDirectlyInIt) {
    const Folder folder;
    for (const auto* name : {"b.yaml", "a.json", "c.yml", ".hidden.yaml", "readme.md", "d.yaml~"}) {
        folder.write(name, "");
    }
    fs::create_directory(folder.path() / "below");
    std::ofstream{folder.path() / "below" / "e.yaml"} << "";
    const auto files = scan(folder.path());
    ASSERT_TRUE(files.has_value());
    EXPECT_THAT(*files, ElementsAre(Key("a.json"), Key("b.yaml"), Key("c.yml")));
}

TEST(ManifestFolder, SaysWhyItCannotBeRead) {
    const Folder folder;
    const auto missing = scan(folder.path() / "missing");
    ASSERT_FALSE(missing.has_value());
    EXPECT_THAT(missing.error().message, HasSubstr("missing"));
    folder.write("file", "");
    EXPECT_FALSE(scan(folder.path() / "file").has_value());
}

TEST(ManifestFolder, FollowsLinks) {
    const Folder folder;
    folder.write("content", "hello");
    fs::create_symlink("content", folder.path() / "a.yaml");
    EXPECT_EQ(scan(folder.path())->at("a.yaml").problem, "");
    EXPECT_EQ(read_file(folder.path() / "a.yaml")->text, "hello");
}

TEST(ManifestFolder, SeesThatTheTargetOfALinkChanged) {
    const Folder folder;
    folder.write("old", "hello");
    folder.write("new", "hello");
    fs::create_symlink("old", folder.path() / "a.yaml");
    const auto before = scan(folder.path())->at("a.yaml");
    EXPECT_EQ(scan(folder.path())->at("a.yaml"), before);
    fs::remove(folder.path() / "a.yaml");
    fs::create_symlink("new", folder.path() / "a.yaml");
    EXPECT_NE(scan(folder.path())->at("a.yaml"), before);
}

TEST(ManifestFolder, RefusesWhatIsNoFileAndDoesNotHang) {
    const Folder folder;
    ASSERT_EQ(::mkfifo((folder.path() / "fifo.yaml").c_str(), 0600), 0);
    fs::create_directory(folder.path() / "folder.yaml");
    fs::create_symlink("nowhere", folder.path() / "dangling.yaml");
    fs::create_symlink("loop.yaml", folder.path() / "loop.yaml");
    fs::create_symlink("/dev/zero", folder.path() / "device.yaml");
    folder.write("big.yaml", "");
    fs::resize_file(folder.path() / "big.yaml", kMaxManifestBytes + 1);
    const auto files = scan(folder.path());
    ASSERT_TRUE(files.has_value());
    EXPECT_EQ(files->at("fifo.yaml").problem, "is not a regular file");
    EXPECT_EQ(files->at("folder.yaml").problem, "is a folder");
    EXPECT_EQ(files->at("dangling.yaml").problem, "is a link to nothing");
    EXPECT_THAT(files->at("loop.yaml").problem, HasSubstr("symbolic links"));
    EXPECT_EQ(files->at("device.yaml").problem, "is not a regular file");
    EXPECT_EQ(files->at("big.yaml").problem, "is larger than 64 MiB");
    // A file may have become one of these since the scan.
    for (const auto& [name, state] : *files) {
        EXPECT_FALSE(read_file(folder.path() / name).has_value()) << name;
    }
}

TEST(ManifestFolder, ReadsAWholeFile) {
    const Folder folder;
    const std::string text(1'000'000, 'x');
    folder.write("a.yaml", text);
    const auto content = read_file(folder.path() / "a.yaml");
    ASSERT_TRUE(content.has_value());
    EXPECT_EQ(content->text, text);
    EXPECT_TRUE(content->steady);
    EXPECT_EQ(content->state, scan(folder.path())->at("a.yaml"));
    folder.write("empty.yaml", "");
    EXPECT_EQ(read_file(folder.path() / "empty.yaml")->text, "");
}

TEST(ReadFolder, PutsEveryManifestIntoTheSet) {
    const Folder folder;
    folder.write("a.yaml", "apiVersion: v1\nkind: Thing\nmetadata: {name: a}\n");
    folder.write("broken.yaml", "a: [");
    fs::create_directory(folder.path() / "folder.yaml");
    const Resource things{"", "v1", "Thing", "things"};
    ManifestSet set{{things}};
    ASSERT_TRUE(read_folder(folder.path(), set).has_value());
    RecordingSink sink;
    set.apply(things, sink);
    EXPECT_THAT(sink.content(), ElementsAre("default/a="));
    const auto problems = set.problems();
    ASSERT_EQ(problems.size(), 2U);
    EXPECT_EQ(problems[0].file, "broken.yaml");
    EXPECT_EQ(problems[1].file, "folder.yaml");
    EXPECT_FALSE(read_folder(folder.path() / "missing", set).has_value());
}

}  // namespace
}  // namespace smw::watch
