#include "smw/base/file.hpp"

#include "support/folder.hpp"

#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>
#include <iterator>
#include <string>
#include <string_view>
#include <sys/resource.h>
#include <sys/stat.h>

namespace smw {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kPlenty = std::size_t{1} << 20;

std::string problem_of(const fs::path& file, std::size_t most_bytes = kPlenty) {
    const auto text = read_file(file, most_bytes);
    return text ? "none" : text.error().message;
}

TEST(File, IsReadWhole) {
    const test::Folder folder;
    for (const std::size_t size : {0U, 1U, 65535U, 65536U, 65537U, 200'000U}) {
        std::string content(size, 'x');
        content.append("\0\xff", size == 0 ? 0U : 2U);
        folder.write("f", content);
        EXPECT_EQ(read_file(folder.path() / "f", kPlenty), content) << size;
    }
    fs::create_symlink("f", folder.path() / "link");
    EXPECT_EQ(read_file(folder.path() / "link", kPlenty)->size(), 200'002U);
}

TEST(File, OfUnknownSizeIsReadToo) {
    // Files of /proc say that they are empty.
    const auto text = read_file("/proc/self/status", kPlenty);
    ASSERT_TRUE(text) << text.error().message;
    EXPECT_NE(text->find("Pid:"), std::string::npos);
}

TEST(File, ThatIsNoneIsNamedWithTheReason) {
    const test::Folder folder;
    const auto at = [&](const char* name) {
        return (folder.path() / name).string();
    };
    fs::create_symlink("loop", folder.path() / "loop");
    fs::create_symlink("nothing", folder.path() / "dangling");
    ASSERT_EQ(::mkfifo(at("fifo").c_str(), 0600), 0);
    EXPECT_EQ(problem_of(at("none")), at("none") + ": No such file or directory");
    EXPECT_EQ(read_file(at("none"), kPlenty).error().code, Code::NotFound);
    EXPECT_EQ(read_file(at("dangling"), kPlenty).error().code, Code::NotFound);
    EXPECT_EQ(problem_of(folder.path()), folder.path().string() + ": is a folder");
    EXPECT_EQ(problem_of(at("loop")), at("loop") + ": Too many levels of symbolic links");
    EXPECT_EQ(read_file(at("loop"), kPlenty).error().code, Code::BadRequest);
    EXPECT_EQ(problem_of(at("fifo")), at("fifo") + ": is not a regular file");
    EXPECT_EQ(problem_of("/dev/zero"), "/dev/zero: is not a regular file");
}

TEST(File, IsNotReadWithoutEnd) {
    const test::Folder folder;
    const auto file = folder.path() / "f";
    folder.write("f", std::string(100, 'x'));
    EXPECT_EQ(problem_of(file, 100), "none");
    EXPECT_EQ(problem_of(file, 99), file.string() + ": is larger than 99 bytes");
    EXPECT_EQ(read_file(file, 99).error().code, Code::TooLarge);
    // 1 TiB that takes no room on the disk must take none in memory.
    fs::resize_file(file, std::uintmax_t{1} << 40);
    EXPECT_EQ(problem_of(file), file.string() + ": is larger than 1 MiB");
}

TEST(Descriptor, ClosesWhatItHolds) {
    const test::Folder folder;
    folder.write("f", "x");
    int number = -1;
    {
        auto first = open_file(folder.path() / "f");
        ASSERT_TRUE(first);
        number = first->get();
        const Descriptor second{std::move(*first)};
        EXPECT_EQ(second.get(), number);
        EXPECT_EQ(read_to_end(second, 1), "x");
    }
    struct stat status {};
    EXPECT_NE(::fstat(number, &status), 0);
}

mode_t mode_of(const fs::path& file) {
    struct stat status {};
    EXPECT_EQ(::lstat(file.c_str(), &status), 0);
    return status.st_mode & (S_IFMT | 07777U);
}

std::size_t count_in(const fs::path& folder) {
    return static_cast<std::size_t>(
        std::distance(fs::directory_iterator{folder}, fs::directory_iterator{}));
}

TEST(WriteFile, MakesAndReplaces) {
    const test::Folder folder;
    const auto file = folder.path() / "f";
    const mode_t before = ::umask(0077);
    for (const std::size_t size : {0U, 1U, 3'000'000U, 2U}) {
        const std::string content(size, 'x');
        ASSERT_TRUE(write_file(file, content));
        EXPECT_EQ(read_file(file, kPlenty * 4), content);
        EXPECT_EQ(mode_of(file), S_IFREG | 0644U) << "whatever the umask";
    }
    ASSERT_TRUE(write_file(file, "key", kReadByOwner));
    EXPECT_EQ(mode_of(file), S_IFREG | 0600U);
    ::umask(before);
    EXPECT_EQ(count_in(folder.path()), 1U) << "nothing is left lying about";
}

TEST(WriteFile, TakesTheLongestName) {
    const test::Folder folder;
    const auto file = folder.path() / std::string(255, 'n');
    EXPECT_TRUE(write_file(file, "x"));
    EXPECT_EQ(read_file(file, kPlenty), "x");
}

TEST(WriteFile, ReplacesALinkAndNotWhatItLeadsTo) {
    const test::Folder folder;
    folder.write("theirs", "untouched");
    fs::create_symlink("theirs", folder.path() / "f");
    fs::create_symlink("theirs", folder.path() / "f.tmp");
    ASSERT_TRUE(write_file(folder.path() / "f", "ours"));
    EXPECT_EQ(read_file(folder.path() / "theirs", kPlenty), "untouched");
    EXPECT_EQ(mode_of(folder.path() / "f"), S_IFREG | 0644U);
    EXPECT_EQ(read_file(folder.path() / "f", kPlenty), "ours");
}

TEST(WriteFile, LeavesEverythingAsItWasWhenItFails) {
    const test::Folder folder;
    folder.write("f", "old");
    const auto problem = [](const fs::path& file, std::string_view content) {
        const auto written = write_file(file, content);
        return written ? "none" : written.error().message;
    };
    const auto file = folder.path() / "f";
    // As a full disk: what is larger than this is written up to there.
    rlimit before{};
    ::getrlimit(RLIMIT_FSIZE, &before);
    rlimit small = before;
    small.rlim_cur = 4096;
    const auto handler = std::signal(SIGXFSZ, SIG_IGN);
    ::setrlimit(RLIMIT_FSIZE, &small);
    const auto full = problem(file, std::string(5000, 'x'));
    ::setrlimit(RLIMIT_FSIZE, &before);
    std::signal(SIGXFSZ, handler);
    EXPECT_EQ(full, "File too large");
    EXPECT_EQ(read_file(file, kPlenty), "old");
    fs::create_directory(folder.path() / "d");
    EXPECT_EQ(problem(folder.path() / "d", "x"), "Is a directory");
    EXPECT_EQ(problem(folder.path() / "none/f", "x"), "No such file or directory");
    EXPECT_EQ(count_in(folder.path()), 2U);
}

}  // namespace
}  // namespace smw
