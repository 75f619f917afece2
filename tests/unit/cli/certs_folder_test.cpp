// What becomes of a folder when its disk fails, or the process is killed.

#include "cli/certs_folder.hpp"

#include "smw/tls/inspect.hpp"
#include "unit/cli/certs_world.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <fcntl.h>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

namespace {

/// After so many more calls that change a folder the process dies; negative: never.
int calls_to_live = -1;

void live_on() {
    if (calls_to_live == 0) {
        ::raise(SIGKILL);
    }
    calls_to_live -= calls_to_live > 0 ? 1 : 0;
}

bool is_in(std::string_view path, std::string_view folder) {
    return path.find("/" + std::string{folder} + "/") != std::string_view::npos;
}

}  // namespace

/// Instead of the C library's: a disk that begins to fail. Into these folders no tls.key comes, and
/// into the second nothing that was kept goes back.
extern "C" int rename(const char* from, const char* to) noexcept {
    live_on();
    const std::string_view source{from};
    const std::string_view target{to};
    const bool comes_in = source.ends_with(".complete/tls.key");
    const bool goes_back = source.ends_with(".old");
    const bool is_barred =
        (comes_in && (is_in(target, "way-back") || is_in(target, "no-way-back"))) ||
        (goes_back && is_in(target, "no-way-back"));
    if (is_barred) {
        errno = EIO;
        return -1;
    }
    return ::renameat(AT_FDCWD, from, AT_FDCWD, to);
}

/// As a file system without hard links does.
extern "C" int link(const char* from, const char* to) noexcept {
    live_on();
    if (is_in(to, "no-links")) {
        errno = EPERM;
        return -1;
    }
    return ::linkat(AT_FDCWD, from, AT_FDCWD, to, 0);
}

extern "C" int unlink(const char* path) noexcept {
    live_on();
    return ::unlinkat(AT_FDCWD, path, 0);
}

namespace smw::cli {
namespace {

using testing::HasSubstr;

using CertsFolder = test::Certs;

TEST_F(CertsFolder, LosesNoKeyThatCannotBePutBack) {
    for (const bool barred : {false, true}) {
        const std::string name = barred ? "no-way-back" : "way-back";
        write(name + "/ca.key", "the only copy");
        const auto folder = IssueFolder::open(path(name));
        ASSERT_TRUE(folder);
        const auto written = folder->write({{"ca.key", "new", true}, {"tls.key", "new", true}});
        ASSERT_FALSE(written);
        EXPECT_THAT(written.error().message, HasSubstr("tls.key: Input/output error"));
        const auto left = all_in(name);
        if (!barred) {
            EXPECT_EQ(left.size(), 1U);
            EXPECT_EQ(left.at("ca.key"), "the only copy");
            continue;
        }
        const auto kept = std::ranges::find(left, "the only copy",
                                            &std::pair<const std::string, std::string>::second);
        ASSERT_NE(kept, left.end());
        EXPECT_THAT(
            written.error().message,
            HasSubstr(path(name + "/ca.key") + " could not be put back: what it was is in " +
                      path(name + "/" + kept->first)));
    }
}

TEST_F(CertsFolder, SaysThatItNeedsSecondNames) {
    write("no-links/ca.key", "old");
    const auto written = IssueFolder::open(path("no-links"))->write({{"ca.key", "new", true}});
    ASSERT_FALSE(written);
    EXPECT_EQ(written.error().message, "keeping what " + path("no-links/ca.key") +
                                           " was under a second name (a hard link), until all is "
                                           "written: Operation not permitted");
    EXPECT_EQ(all_in("no-links"), (std::map<std::string, std::string>{{"ca.key", "old"}}));
    EXPECT_TRUE(IssueFolder::open(path("no-links"))->write({{"new", "1"}}))
        << "what replaces nothing needs none";
}

TEST_F(CertsFolder, SaysWhichFileHasNoRoom) {
    write("d/a", "old");
    const auto folder = IssueFolder::open(path("d"));
    rlimit before{};
    ::getrlimit(RLIMIT_FSIZE, &before);
    rlimit small = before;
    small.rlim_cur = 4;
    const auto handler = std::signal(SIGXFSZ, SIG_IGN);
    ::setrlimit(RLIMIT_FSIZE, &small);
    const auto written = folder->write({{"a", "new"}, {"b", "larger"}});
    ::setrlimit(RLIMIT_FSIZE, &before);
    std::signal(SIGXFSZ, handler);
    ASSERT_FALSE(written);
    EXPECT_EQ(written.error().message, "writing " + path("d/b") + ": File too large");
    EXPECT_EQ(all_in("d"), (std::map<std::string, std::string>{{"a", "old"}}));
}

/// Dies at each point of `run`, in turn, and calls `afterwards`; ends when it comes through.
class CertsKilled : public test::Certs {
protected:
    template <class Prepare, class Run, class Afterwards>
    void kill_at_each_point(Prepare prepare, Run run, Afterwards afterwards) {
        constexpr int kFarTooMany = 200;
        int points = 0;
        for (bool killed = true; killed; ++points) {
            ASSERT_LT(points, kFarTooMany);
            std::filesystem::remove_all(path("d"));
            prepare();
            const pid_t child = ::fork();
            if (child == 0) {
                calls_to_live = points;
                run();
                ::_exit(0);
            }
            int status = 0;
            ASSERT_EQ(::waitpid(child, &status, 0), child);
            killed = WIFSIGNALED(status);
            ASSERT_TRUE(killed || (WIFEXITED(status) && WEXITSTATUS(status) == 0));
            afterwards();
        }
        EXPECT_GT(points, 8) << "each of four files is written and moved";
    }
};

TEST_F(CertsKilled, NeedNoForceAfterwards) {
    const auto issue = [this] {
        return run({"issue", "--out", path("d"), "--service-namespace", "ns"});
    };
    kill_at_each_point(
        [] {}, issue,
        [&] {
            ASSERT_EQ(issue(), 0) << err_;
            const auto left = all_in("d");
            EXPECT_EQ(left.size(), 4U) << "nothing is left lying about";
            EXPECT_TRUE(tls::believes({left.at("ca.crt"), {}, now_}, left.at("tls.crt")));
            EXPECT_EQ(issue(), 0);
            EXPECT_EQ(all_in("d"), left);
        });
}

TEST_F(CertsKilled, LeaveTheOldFilesOrTheNewOnes) {
    const std::map<std::string, std::string> before{{"a", "old a"}, {"b", "old b"}, {"d", "d"}};
    const std::map<std::string, std::string> after{
        {"a", "new a"}, {"b", "new b"}, {"c", "new c"}, {"d", "d"}};
    bool had_old = false;
    bool had_new = false;
    kill_at_each_point(
        [&] {
            for (const auto& [name, text] : before) {
                write("d/" + name, text);
            }
        },
        [this] {
            static_cast<void>(IssueFolder::open(path("d"))->write(
                {{"a", "new a"}, {"b", "new b", true}, {"c", "new c"}}));
        },
        [&] {
            ASSERT_TRUE(IssueFolder::open(path("d")));
            const auto left = all_in("d");
            EXPECT_TRUE(left == before || left == after);
            had_old = had_old || left == before;
            had_new = had_new || left == after;
        });
    EXPECT_TRUE(had_old && had_new);
}

TEST_F(CertsKilled, OverwriteNothingThatIsNewer) {
    kill_at_each_point([this] { write("d/a", "old a"); },
                       [this] {
                           static_cast<void>(IssueFolder::open(path("d"))->write(
                               {{"a", "new a"}, {"b", "new b"}}));
                       },
                       [this] {
                           std::filesystem::remove(path("d/a"));
                           write("d/a", "theirs");
                           std::filesystem::remove(path("d/b"));
                           write("d/b", "theirs");
                           ASSERT_TRUE(IssueFolder::open(path("d")));
                           EXPECT_EQ(read("d/a"), "theirs");
                           EXPECT_EQ(read("d/b"), "theirs");
                       });
}

}  // namespace
}  // namespace smw::cli
