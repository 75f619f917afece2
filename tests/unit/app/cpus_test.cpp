#include "app/cpus.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <string>

namespace smw::app {
namespace {

namespace fs = std::filesystem;

/// A root folder with a proc and a sys of its own.
class FakeRoot {
public:
    FakeRoot() {
        std::string name = (fs::temp_directory_path() / "cpus-XXXXXX").string();
        root_ = ::mkdtemp(name.data());
    }
    ~FakeRoot() { fs::remove_all(root_); }
    FakeRoot(const FakeRoot&) = delete;
    FakeRoot& operator=(const FakeRoot&) = delete;

    void put(const fs::path& file, const std::string& content) {
        fs::create_directories((root_ / file).parent_path());
        std::ofstream{root_ / file} << content;
    }
    [[nodiscard]] const fs::path& path() const { return root_; }

private:
    fs::path root_;
};

TEST(QuotaCpus, ReadsTheTightestOfTheSecondVersion) {
    FakeRoot root;
    root.put("proc/self/cgroup", "0::/kubepods/pod1/container\n");
    root.put("sys/fs/cgroup/kubepods/pod1/cpu.max", "150000 100000\n");
    root.put("sys/fs/cgroup/kubepods/pod1/container/cpu.max", "max 100000\n");
    EXPECT_EQ(quota_cpus(root.path()), 2U);  // 1.5, rounded up
    root.put("sys/fs/cgroup/kubepods/cpu.max", "50000 100000\n");
    EXPECT_EQ(quota_cpus(root.path()), 1U);
}

TEST(QuotaCpus, ReadsTheMountWhenTheContainersPathIsNotBelowIt) {
    FakeRoot root;
    root.put("proc/self/cgroup", "0::/../../elsewhere\n");
    root.put("sys/fs/cgroup/cpu.max", "300000 100000\n");
    EXPECT_EQ(quota_cpus(root.path()), 3U);
}

TEST(QuotaCpus, ReadsTheFirstVersion) {
    FakeRoot root;
    root.put("proc/self/cgroup", "5:memory:/a\n4:cpu,cpuacct:/a/b\n1:cpuset:/a\n");
    root.put("sys/fs/cgroup/cpu/a/b/cpu.cfs_quota_us", "250000\n");
    root.put("sys/fs/cgroup/cpu/a/b/cpu.cfs_period_us", "100000\n");
    root.put("sys/fs/cgroup/cpu/a/cpu.cfs_quota_us", "-1\n");
    root.put("sys/fs/cgroup/cpu/a/cpu.cfs_period_us", "100000\n");
    EXPECT_EQ(quota_cpus(root.path()), 3U);
}

TEST(QuotaCpus, IsNothingWithoutAQuotaOrWithGarbage) {
    FakeRoot root;
    EXPECT_EQ(quota_cpus(root.path()), std::nullopt);
    root.put("proc/self/cgroup", "garbage\n0::/\n:\n");
    root.put("sys/fs/cgroup/cpu.max", "max 100000\n");
    EXPECT_EQ(quota_cpus(root.path()), std::nullopt);
    root.put("sys/fs/cgroup/cpu.max", "100000 0\n");
    EXPECT_EQ(quota_cpus(root.path()), std::nullopt);
}

TEST(AllowedCpus, IsAtLeastOne) {
    EXPECT_GE(allowed_cpus(), 1U);
}

}  // namespace
}  // namespace smw::app
