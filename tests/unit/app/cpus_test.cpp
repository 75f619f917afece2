#include "app/cpus.hpp"

#include "support/folder.hpp"

#include <gtest/gtest.h>

#include <string>

namespace smw::app {
namespace {

/// With a proc and a sys of its own.
using FakeRoot = test::Folder;

TEST(QuotaCpus, ReadsTheTightestOfTheSecondVersion) {
    FakeRoot root;
    root.write("proc/self/cgroup", "0::/kubepods/pod1/container\n");
    root.write("sys/fs/cgroup/kubepods/pod1/cpu.max", "150000 100000\n");
    root.write("sys/fs/cgroup/kubepods/pod1/container/cpu.max", "max 100000\n");
    EXPECT_EQ(quota_cpus(root.path()), 2U);  // 1.5, rounded up
    root.write("sys/fs/cgroup/kubepods/cpu.max", "50000 100000\n");
    EXPECT_EQ(quota_cpus(root.path()), 1U);
}

TEST(QuotaCpus, ReadsTheMountWhenTheContainersPathIsNotBelowIt) {
    FakeRoot root;
    root.write("proc/self/cgroup", "0::/../../elsewhere\n");
    root.write("sys/fs/cgroup/cpu.max", "300000 100000\n");
    EXPECT_EQ(quota_cpus(root.path()), 3U);
}

TEST(QuotaCpus, ReadsTheFirstVersion) {
    FakeRoot root;
    root.write("proc/self/cgroup", "5:memory:/a\n4:cpu,cpuacct:/a/b\n1:cpuset:/a\n");
    root.write("sys/fs/cgroup/cpu/a/b/cpu.cfs_quota_us", "250000\n");
    root.write("sys/fs/cgroup/cpu/a/b/cpu.cfs_period_us", "100000\n");
    root.write("sys/fs/cgroup/cpu/a/cpu.cfs_quota_us", "-1\n");
    root.write("sys/fs/cgroup/cpu/a/cpu.cfs_period_us", "100000\n");
    EXPECT_EQ(quota_cpus(root.path()), 3U);
}

TEST(QuotaCpus, IsNothingWithoutAQuotaOrWithGarbage) {
    FakeRoot root;
    EXPECT_EQ(quota_cpus(root.path()), std::nullopt);
    root.write("proc/self/cgroup", "garbage\n0::/\n:\n");
    root.write("sys/fs/cgroup/cpu.max", "max 100000\n");
    EXPECT_EQ(quota_cpus(root.path()), std::nullopt);
    root.write("sys/fs/cgroup/cpu.max", "100000 0\n");
    EXPECT_EQ(quota_cpus(root.path()), std::nullopt);
}

TEST(AllowedCpus, IsAtLeastOne) {
    EXPECT_GE(allowed_cpus(), 1U);
}

}  // namespace
}  // namespace smw::app
