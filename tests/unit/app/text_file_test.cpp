#include "smw/app/text_file.hpp"

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <unistd.h>

namespace smw::app {
namespace {

TEST(ReadText, ReadsUpToTheLimit) {
    const std::string text(100000, 'x');
    std::istringstream fits{text};
    EXPECT_EQ(read_text(fits, text.size()), text);
    std::istringstream too_large{text};
    const auto result = read_text(too_large, text.size() - 1);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().message, "is larger than 99999 bytes");
    std::istringstream far_too_large{std::string(std::size_t{3} << 20, 'x')};
    EXPECT_EQ(read_text(far_too_large, std::size_t{2} << 20).error().message,
              "is larger than 2 MiB");
}

TEST(ReadTextFile, SaysWhyAFileCannotBeRead) {
    EXPECT_EQ(read_text_file("/does/not/exist", 1).error().code, Code::NotFound);
    EXPECT_EQ(read_text_file("/does/not/exist", 1).error().message, "No such file or directory");
    EXPECT_EQ(read_text_file("/proc", 1).error().message, "is a folder");
}

TEST(ReadTextFile, ReadsAFileWhole) {
    std::string name = testing::TempDir() + "smw-text-XXXXXX";
    const int descriptor = mkstemp(name.data());
    ASSERT_GE(descriptor, 0);
    std::ofstream{name} << "a\nb";
    EXPECT_EQ(read_text_file(name, 100), "a\nb");
    close(descriptor);
    std::remove(name.c_str());
}

}  // namespace
}  // namespace smw::app
