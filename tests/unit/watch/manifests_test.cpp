// The shell around the rules, on a real folder. The test turns the event loop itself until what it
// waits for is there; the bound is for a machine under load.
#include "smw/watch/manifests.hpp"

#include "smw/async/task_group.hpp"
#include "support/folder.hpp"
#include "unit/watch/recording_sink.hpp"

#include <boost/asio/io_context.hpp>
#include <gmock/gmock.h>

#include <sys/stat.h>

namespace smw::watch {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using test::Folder;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::RecordingSink;

std::string thing(const std::string& name, const std::string& colour) {
    return "apiVersion: example.com/v1\nkind: Thing\nmetadata:\n  name: " + name +
           "\ncolour: " + colour + "\n";
}

class Lines final : public log::Output {
public:
    void write(log::Level, std::string line) override { text += line + "\n"; }
    [[nodiscard]] std::uint64_t dropped() const override { return 0; }
    std::string text;
};

class ManifestsTest : public ::testing::Test {
protected:
    ~ManifestsTest() override {
        group.cancel();
        context.restart();
        context.run();
    }

    void start(const fs::path& path) {
        Cache things;
        things.resource = {"example.com", "v1", "Thing", "things"};
        things.sink = &sink;
        things.synced = &synced;
        things.objects = [this] {
            return sink.content().size();
        };
        manifests = std::make_unique<Manifests>(Manifests::Parts{
            path, {things}, clock, log::Logger{"manifests", {}, output}, registry});
        group.spawn(manifests->run());
    }

    template <class Condition>
    bool eventually(Condition condition) {
        const auto end = std::chrono::steady_clock::now() + 20s;
        while (!condition() && std::chrono::steady_clock::now() < end) {
            context.run_for(10ms);
        }
        return condition();
    }
    bool eventually_content(const std::vector<std::string>& content) {
        return eventually([&] { return synced.is_set() && sink.content() == content; });
    }
    bool eventually_problem(const std::string& text) {
        return eventually([&] {
            return std::ranges::any_of(*manifests->problems(), [&](const Problem& problem) {
                return to_string(problem).find(text) != std::string::npos;
            });
        });
    }

    Folder folder;
    SystemClock clock;
    Lines output;
    metrics::Registry registry;
    RecordingSink sink;
    async::Latch synced;
    std::unique_ptr<Manifests> manifests;
    boost::asio::io_context context{1};
    async::TaskGroup group{context.get_executor(), [](std::exception_ptr) {
                               FAIL();
                           }};
};

TEST_F(ManifestsTest, LoadsTheFolderThenSetsTheLatch) {
    folder.write("a.yaml", thing("a", "red"));
    start(folder.path());
    EXPECT_FALSE(synced.is_set());
    EXPECT_THAT(registry.expose(), HasSubstr("smw_cache_synced{resource=\"things\"} 0"));
    EXPECT_TRUE(eventually_content({"default/a=red"}));
    EXPECT_THAT(*manifests->problems(), IsEmpty());
    const auto metrics = registry.expose();
    EXPECT_THAT(metrics, HasSubstr("smw_cache_synced{resource=\"things\"} 1"));
    EXPECT_THAT(metrics, HasSubstr("smw_cache_objects{resource=\"things\"} 1"));
    EXPECT_THAT(metrics, HasSubstr("smw_cache_last_event_timestamp_seconds{resource=\"things\"} "));
    for (const auto& [cause, count] : {std::pair{"initial", "1"}, {"gone", "0"}, {"error", "0"}}) {
        EXPECT_THAT(metrics, HasSubstr(std::string{"smw_cache_relists_total{cause=\""} + cause +
                                       "\",resource=\"things\"} " + count));
    }
}

TEST_F(ManifestsTest, IsSyncedWithAnEmptyFolder) {
    start(folder.path());
    EXPECT_TRUE(eventually_content({}));
}

TEST_F(ManifestsTest, FollowsFilesThatComeChangeAndGo) {
    start(folder.path());
    ASSERT_TRUE(eventually_content({}));
    folder.write("a.yaml", thing("a", "red"));
    ASSERT_TRUE(eventually_content({"default/a=red"}));
    folder.write("a.yaml", thing("a", "blue"));
    folder.write("b.yaml", thing("b", "red"));
    ASSERT_TRUE(eventually_content({"default/a=blue", "default/b=red"}));
    fs::rename(folder.path() / "b.yaml", folder.path() / "c.yaml");
    folder.write("tmp", thing("b", "green"));
    fs::rename(folder.path() / "tmp", folder.path() / "c.yaml");
    ASSERT_TRUE(eventually_content({"default/a=blue", "default/b=green"}));
    fs::remove(folder.path() / "a.yaml");
    EXPECT_TRUE(eventually_content({"default/b=green"}));
}

TEST_F(ManifestsTest, FollowsTheSwapOfAMountedConfigMap) {
    const auto publish = [this](const std::string& version, const std::string& colour) {
        fs::create_directory(folder.path() / version);
        std::ofstream{folder.path() / version / "a.yaml"} << thing("a", colour);
        fs::create_symlink(version, folder.path() / "..data_tmp");
        fs::rename(folder.path() / "..data_tmp", folder.path() / "..data");
    };
    publish("..2026_11_21_1", "red");
    fs::create_symlink("..data/a.yaml", folder.path() / "a.yaml");
    start(folder.path());
    ASSERT_TRUE(eventually_content({"default/a=red"}));
    publish("..2026_11_21_2", "blue");
    fs::remove_all(folder.path() / "..2026_11_21_1");
    EXPECT_TRUE(eventually_content({"default/a=blue"}));
}

TEST_F(ManifestsTest, ReportsABrokenFileAndServesTheRest) {
    folder.write("broken.yaml", "a: [\n");
    folder.write("good.yaml", thing("a", "red"));
    start(folder.path());
    ASSERT_TRUE(eventually_content({"default/a=red"}));
    EXPECT_TRUE(eventually_problem("broken.yaml:"));
    EXPECT_THAT(output.text, HasSubstr("broken.yaml"));
    folder.write("good.yaml", "b: [\n");
    EXPECT_TRUE(eventually_problem("good.yaml:"));
    EXPECT_THAT(sink.content(), ElementsAre("default/a=red")) << "its last good content stays";
    folder.write("good.yaml", thing("a", "blue"));
    fs::remove(folder.path() / "broken.yaml");
    EXPECT_TRUE(eventually_content({"default/a=blue"}));
    EXPECT_TRUE(eventually([this] { return manifests->problems()->empty(); }));
}

TEST_F(ManifestsTest, LogsAProblemOnce) {
    folder.write("broken.yaml", "a: [\n");
    start(folder.path());
    ASSERT_TRUE(eventually_problem("broken.yaml:"));
    folder.write("good.yaml", thing("a", "red"));
    ASSERT_TRUE(eventually_content({"default/a=red"}));
    EXPECT_EQ(output.text.find("broken.yaml"), output.text.rfind("broken.yaml"));
}

TEST_F(ManifestsTest, ReportsWhatIsNoFile) {
    ASSERT_EQ(::mkfifo((folder.path() / "fifo.yaml").c_str(), 0600), 0);
    fs::create_directory(folder.path() / "folder.yaml");
    start(folder.path());
    EXPECT_TRUE(eventually_problem("fifo.yaml: is not a regular file"));
    EXPECT_TRUE(eventually_problem("folder.yaml: is a folder"));
    EXPECT_TRUE(eventually_content({}));
}

TEST_F(ManifestsTest, WaitsForAFolderThatIsNotThere) {
    start(folder.path() / "later");
    ASSERT_TRUE(eventually_problem("later"));
    EXPECT_FALSE(synced.is_set());
    fs::create_directory(folder.path() / "later");
    std::ofstream{folder.path() / "later" / "a.yaml"} << thing("a", "red");
    EXPECT_TRUE(eventually_content({"default/a=red"}));
    EXPECT_TRUE(eventually([this] { return manifests->problems()->empty(); }));
}

TEST_F(ManifestsTest, KeepsWhatItHasWhenTheFolderGoes) {
    fs::create_directory(folder.path() / "mount");
    std::ofstream{folder.path() / "mount" / "a.yaml"} << thing("a", "red");
    start(folder.path() / "mount");
    ASSERT_TRUE(eventually_content({"default/a=red"}));
    fs::rename(folder.path() / "mount", folder.path() / "elsewhere");
    EXPECT_TRUE(eventually_problem("mount"));
    EXPECT_THAT(sink.content(), ElementsAre("default/a=red"));
}

}  // namespace
}  // namespace smw::watch
