// What becomes of a folder when even the way back is barred.

#include "cli/certs_folder.hpp"

#include "unit/cli/certs_world.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <string>
#include <string_view>
#include <utility>

/// Instead of the C library's: nothing that was kept goes back into a folder of this name, as on a
/// disk that begins to fail.
extern "C" int rename(const char* from, const char* to) noexcept {
    const std::string_view source{from};
    if (source.ends_with(".old") && source.find("/no-way-back/") != std::string_view::npos) {
        errno = EIO;
        return -1;
    }
    return ::renameat(AT_FDCWD, from, AT_FDCWD, to);
}

namespace smw::cli {
namespace {

using testing::HasSubstr;

using CertsFolder = test::Certs;

TEST_F(CertsFolder, LosesNoKeyThatCannotBePutBack) {
    for (const bool barred : {false, true}) {
        const std::string name = barred ? "no-way-back" : "way-back";
        write(name + "/ca.key", "the only copy");
        write(name + "/tls.key/in-the-way", "");
        const auto folder = IssueFolder::open(path(name));
        ASSERT_TRUE(folder);
        const auto written = folder->write({{"ca.key", "new", true}, {"tls.key", "new", true}});
        ASSERT_FALSE(written);
        EXPECT_THAT(written.error().message, HasSubstr("tls.key: Is a directory"));
        const auto left = all_in(name);
        if (!barred) {
            EXPECT_EQ(left.size(), 2U);
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

}  // namespace
}  // namespace smw::cli
