// The system as app/ sees it: options, routes and caches.
#include "smw/checkpoint_restore/system.hpp"

#include "checkpoint_restore/resources.hpp"
#include "world.hpp"

#include <gmock/gmock.h>

namespace smw::checkpoint_restore {
namespace {

using testing::backup_of;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class Options : public ::testing::Test {
protected:
    Expected<void> set(const std::string& name, const std::string& text) {
        for (const auto& option : options_of(settings)) {
            if (option.name == name) {
                return option.set(text);
            }
        }
        return fail(Code::NotFound, "no such option");
    }
    Settings settings;
};

TEST_F(Options, SetWhatTheySay) {
    ASSERT_TRUE(set("namespaces", "a, b-2 ,c,a").has_value());
    EXPECT_THAT(settings.namespaces, ElementsAre("a", "b-2", "c"));
    ASSERT_TRUE(set("namespaces", "").has_value());
    EXPECT_THAT(settings.namespaces, IsEmpty());
    ASSERT_TRUE(set("cronjob-match", "owner").has_value());
    EXPECT_EQ(settings.cronjob_match, CronJobMatch::Owner);
    ASSERT_TRUE(set("cronjob-match", "name").has_value());
    EXPECT_EQ(settings.cronjob_match, CronJobMatch::Name);
    ASSERT_TRUE(set("cronjob-match", "owner-or-name").has_value());
    EXPECT_EQ(settings.cronjob_match, CronJobMatch::OwnerOrName);
    ASSERT_TRUE(set("require-pushed-images", "true").has_value());
    EXPECT_TRUE(settings.require_pushed_images);
    ASSERT_TRUE(set("require-pushed-images", "false").has_value());
    EXPECT_FALSE(settings.require_pushed_images);
    ASSERT_TRUE(set("annotate-restored", "true").has_value());
    EXPECT_TRUE(settings.annotate_restored);
    EXPECT_EQ(settings.api_lookup_budget, std::chrono::milliseconds{200});
    ASSERT_TRUE(set("api-lookup-budget", "1.5s").has_value());
    EXPECT_EQ(settings.api_lookup_budget, std::chrono::milliseconds{1500});
}

TEST_F(Options, RefuseWhatTheyDoNotKnow) {
    for (const auto& [name, text] : std::vector<std::pair<std::string, std::string>>{
             {"namespaces", "Default"},
             {"namespaces", "a,"},
             {"api-lookup-budget", ""},
             {"api-lookup-budget", "200"},
             {"api-lookup-budget", "0"},
             {"api-lookup-budget", "-1ms"},
             {"api-lookup-budget", "30.1s"},
             {"namespaces", "a b"},
             {"namespaces", "-a"},
             {"namespaces", std::string(64, 'a')},
             {"cronjob-match", "Owner"},
             {"cronjob-match", ""},
             {"require-pushed-images", "yes"},
             {"annotate-restored", "TRUE"},
         }) {
        EXPECT_FALSE(set(name, text).has_value()) << name << "=" << text;
    }
    EXPECT_EQ(settings.cronjob_match, CronJobMatch::OwnerOrName);
}

TEST(System, HasOneRouteAndTwoCaches) {
    metrics::Registry registry;
    const SystemClock clock;
    const auto output = log::make_null_output();
    const auto made = make_system();
    EXPECT_EQ(made->name(), "checkpoint-restore");
    for (const auto& option : made->options()) {
        EXPECT_EQ(option.group, "Checkpoint restore");
        EXPECT_FALSE(option.text.empty());
        EXPECT_TRUE(option.set(option.initial).has_value()) << option.name;
    }
    made->start({log::Logger{"smw", {}, *output}, registry, clock});
    const auto routes = made->routes();
    ASSERT_EQ(routes.size(), 1U);
    EXPECT_EQ(routes[0].path, "/mutate-v1-pod");
    EXPECT_EQ(routes[0].handler->name(), "checkpoint-restore");
    const auto caches = made->caches();
    ASSERT_EQ(caches.size(), 2U);
    EXPECT_EQ(caches[0].resource, (watch::Resource{"migration.dcnlab.com", "v1", "CheckpointBackup",
                                                   "checkpointbackups"}));
    EXPECT_EQ(caches[1].resource, (watch::Resource{"batch", "v1", "Job", "jobs"}));
    const auto backup =
        json::Document::parse(backup_of("Job", "train", "b", {{"app", "nginx:cp"}}).dump());
    ASSERT_TRUE(caches[0].sink->apply(backup->root()).has_value());
    EXPECT_EQ(caches[0].objects(), 1U);
    EXPECT_EQ(caches[1].objects(), 0U);
}

}  // namespace
}  // namespace smw::checkpoint_restore
