#include "client/local_file.hpp"

#include "support/folder.hpp"

#include <gtest/gtest.h>

namespace smw::client {
namespace {

TEST(LocalFile, IsNotReadWithoutEnd) {
    const test::Folder folder;
    const auto file = folder.path() / "k.conf";
    folder.write("k.conf", std::string(std::size_t{16} << 20, 'x'));
    EXPECT_TRUE(read_local_file(file));
    folder.write("k.conf", std::string((std::size_t{16} << 20) + 1, 'x'));
    EXPECT_EQ(read_local_file(file).error().message, file.string() + ": is larger than 16 MiB");
}

}  // namespace
}  // namespace smw::client
