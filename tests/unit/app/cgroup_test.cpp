#include "app/cgroup.hpp"

#include "support/folder.hpp"

#include <gtest/gtest.h>

#include <ostream>
#include <string>
#include <vector>

namespace smw::app {

std::ostream& operator<<(std::ostream& out, const CgroupLimits& limits) {
    return out << "cpus " << limits.cpus.value_or(-1) << ", memory "
               << static_cast<std::int64_t>(limits.memory.value_or(-1));
}

namespace {

struct File {
    std::string name;
    std::string content;
};

struct Case {
    std::string name;
    std::vector<File> files;
    CgroupLimits expected;
};

const std::string kUnified =
    "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw\n";
const std::string kFirst =
    "33 31 0:30 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n"
    "34 31 0:31 / /sys/fs/cgroup/memory rw shared:9 master:1 - cgroup cgroup rw,memory\n";
const std::string kMembership = "4:memory:/a/b\n3:cpu,cpuacct:/a/b\n1:name=systemd:/a\n";
const std::string kUnlimited = "9223372036854771712\n";
const std::string kGroup = "sys/fs/cgroup/";

const std::vector<Case> kCases{
    {"SecondVersionTakesTheTightestOnTheWayUp",
     {{"proc/self/cgroup", "0::/a/b/c\n"},
      {"proc/self/mountinfo", kUnified},
      {kGroup + "a/b/c/cpu.max", "max 100000\n"},
      {kGroup + "a/b/cpu.max", "125000 100000\n"},
      {kGroup + "a/cpu.max", "400000 100000\n"},
      {kGroup + "a/b/c/memory.max", "max\n"},
      {kGroup + "a/b/memory.max", "536870912\n"},
      {kGroup + "a/memory.max", "268435456\n"}},
     {1.25, 268435456}},
    {"SecondVersionInACgroupNamespaceOfItsOwn",
     {{"proc/self/cgroup", "0::/\n"},
      {"proc/self/mountinfo", kUnified},
      {kGroup + "cpu.max", "50000 100000\n"},
      {kGroup + "memory.max", "268435456\n"}},
     {0.5, 268435456}},
    {"SecondVersionOutsideOfTheNamespaceTakesTheMountAlone",
     {{"proc/self/cgroup", "0::/../../elsewhere\n"},
      {"proc/self/mountinfo", kUnified},
      {kGroup + "cpu.max", "300000 100000\n"}},
     {3.0, std::nullopt}},
    {"SecondVersionMountedFromAGroupDown",
     {{"proc/self/cgroup", "0::/pods/one/inner\n"},
      {"proc/self/mountinfo", "30 23 0:26 /pods/one /groups\\040here rw - cgroup2 none rw\n"},
      {"groups here/inner/memory.max", "1048576\n"},
      {"groups here/pods/one/inner/memory.max", "1\n"},
      {"groups here/memory.max", "2097152\n"}},
     {std::nullopt, 1048576}},
    {"FirstVersion",
     {{"proc/self/cgroup", kMembership},
      {"proc/self/mountinfo", kFirst},
      {kGroup + "cpu,cpuacct/a/b/cpu.cfs_quota_us", "-1\n"},
      {kGroup + "cpu,cpuacct/a/b/cpu.cfs_period_us", "100000\n"},
      {kGroup + "cpu,cpuacct/a/cpu.cfs_quota_us", "75000\n"},
      {kGroup + "cpu,cpuacct/a/cpu.cfs_period_us", "50000\n"},
      {kGroup + "memory/a/b/memory.limit_in_bytes", "1073741824\n"},
      {kGroup + "memory/a/memory.limit_in_bytes", "2147483648\n"},
      {kGroup + "memory/memory.limit_in_bytes", kUnlimited}},
     {1.5, 1073741824}},
    {"FirstVersionWithoutLimits",
     {{"proc/self/cgroup", kMembership},
      {"proc/self/mountinfo", kFirst},
      {kGroup + "cpu,cpuacct/a/b/cpu.cfs_quota_us", "-1\n"},
      {kGroup + "cpu,cpuacct/a/b/cpu.cfs_period_us", "100000\n"},
      {kGroup + "memory/a/b/memory.limit_in_bytes", kUnlimited}},
     {}},
    {"FirstVersionInAContainerWhoseMountIsItsGroup",
     {{"proc/self/cgroup", "4:memory:/kubepods/pod1/c1\n"},
      {"proc/self/mountinfo",
       "1 2 0:31 /kubepods/pod1/c1 /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n"},
      {kGroup + "memory/memory.limit_in_bytes", "268435456\n"}},
     {std::nullopt, 268435456}},
    {"FirstVersionOfAGroupThatIsNotBelowTheMount",
     {{"proc/self/cgroup", "4:memory:/pod1\n"},
      {"proc/self/mountinfo", "1 2 0:31 /pod /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n"},
      {kGroup + "memory/memory.limit_in_bytes", "268435456\n"},
      {kGroup + "memory/1/memory.limit_in_bytes", "1\n"}},
     {std::nullopt, 268435456}},
    {"BothVersions",
     {{"proc/self/cgroup", "4:memory:/a\n0::/b\n"},
      {"proc/self/mountinfo",
       kFirst + "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n"},
      {kGroup + "memory/a/memory.limit_in_bytes", "268435456\n"},
      {kGroup + "unified/b/cpu.max", "200000 100000\n"},
      {kGroup + "unified/b/memory.max", "536870912\n"}},
     {2.0, 268435456}},
    {"AMountOfAnotherGroupIsNotOurs",
     {{"proc/self/cgroup", "0::/a\n"},
      {"proc/self/mountinfo", "1 2 0:26 /other /elsewhere rw - cgroup2 cgroup2 rw\n" + kUnified},
      {"elsewhere/memory.max", "1\n"},
      {kGroup + "a/memory.max", "268435456\n"}},
     {std::nullopt, 268435456}},
    {"NothingToRead", {}, {}},
    {"NoMountinfo",
     {{"proc/self/cgroup", "0::/a\n"}, {kGroup + "a/memory.max", "4096\n"}},
     {std::nullopt, 4096}},
    {"GroupsThatAreGone",
     {{"proc/self/cgroup", "0::/a/b\n"}, {"proc/self/mountinfo", kUnified}},
     {}},
    {"LinesThatMakeNoSense",
     {{"proc/self/cgroup", ":\n\n0:\ngarbage\n0::/a\n"},
      {"proc/self/mountinfo",
       "- cgroup2\n\n1 2 3\n1 2 3 / /x rw -\n1 2 3 / \\0 rw - cgroup2 c\n" + kUnified},
      {kGroup + "a/memory.max", "4096\n"}},
     {std::nullopt, 4096}},
    {"NumbersThatMakeNoSense",
     {{"proc/self/cgroup", "0::/a/b/c\n"},
      {"proc/self/mountinfo", kUnified},
      {kGroup + "cpu.max", "100000 0\n"},
      {kGroup + "a/cpu.max", "1e5 100000\n"},
      {kGroup + "a/b/cpu.max", "-100000 100000\n"},
      {kGroup + "a/b/c/cpu.max", "100000\n"},
      {kGroup + "memory.max", "99999999999999999999999\n"},
      {kGroup + "a/memory.max", "12Mi\n"},
      {kGroup + "a/b/memory.max", ""},
      {kGroup + "a/b/c/memory.max", "-1\n"}},
     {}},
};

class ReadCgroupLimits : public ::testing::TestWithParam<Case> {};

TEST_P(ReadCgroupLimits, FindsTheTightest) {
    const test::Folder root;
    for (const auto& [name, content] : GetParam().files) {
        root.write(name, content);
    }
    EXPECT_EQ(read_cgroup_limits(root.path()), GetParam().expected);
}

INSTANTIATE_TEST_SUITE_P(Trees, ReadCgroupLimits, ::testing::ValuesIn(kCases),
                         [](const auto& tested) { return tested.param.name; });

}  // namespace
}  // namespace smw::app
