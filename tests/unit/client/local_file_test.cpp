#include "client/local_file.hpp"

#include "support/folder.hpp"

#include <gtest/gtest.h>

#include <sys/stat.h>

namespace smw::client {
namespace {

std::string problem_of(const std::filesystem::path& file) {
    const auto text = read_local_file(file);
    return text ? "none" : text.error().message;
}

TEST(LocalFile, IsReadWhole) {
    const test::Folder folder;
    const std::string content(200'000, 'x');
    folder.write("f", content);
    std::filesystem::create_symlink("f", folder.path() / "link");
    EXPECT_EQ(read_local_file(folder.path() / "link"), content);
    folder.write("empty", "");
    EXPECT_EQ(read_local_file(folder.path() / "empty"), "");
}

TEST(LocalFile, ThatIsNoneIsNamedWithTheReason) {
    const test::Folder folder;
    const auto at = [&](const char* name) {
        return (folder.path() / name).string();
    };
    std::filesystem::create_symlink("loop", folder.path() / "loop");
    ASSERT_EQ(::mkfifo(at("fifo").c_str(), 0600), 0);
    EXPECT_EQ(problem_of(at("none")), at("none") + ": No such file or directory");
    EXPECT_EQ(read_local_file(at("none")).error().code, Code::NotFound);
    EXPECT_EQ(problem_of(folder.path()), folder.path().string() + ": is a folder");
    EXPECT_EQ(problem_of(at("loop")), at("loop") + ": Too many levels of symbolic links");
    EXPECT_EQ(problem_of(at("fifo")), at("fifo") + ": is not a regular file");
    EXPECT_EQ(read_local_file(at("loop")).error().code, Code::BadRequest);
}

TEST(LocalFile, IsNotReadWithoutEnd) {
    const test::Folder folder;
    folder.write("huge", std::string((std::size_t{16} << 20) + 1, 'x'));
    EXPECT_EQ(problem_of(folder.path() / "huge"),
              (folder.path() / "huge").string() + ": is larger than 16 MiB");
    EXPECT_EQ(problem_of("/dev/zero"), "/dev/zero: is not a regular file");
}

}  // namespace
}  // namespace smw::client
