// Every file of tests/fuzz/corpus through its target: what was found once stays mended, and targets
// that nobody builds with clang keep compiling.

#include "target.hpp"
#include "targets.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <vector>

namespace smw::fuzz {
namespace {

std::vector<std::filesystem::path> corpus_of(std::string_view target) {
    std::vector<std::filesystem::path> files;
    const auto folder = std::filesystem::path{SMW_FUZZ_CORPUS} / target;
    for (const auto& entry : std::filesystem::directory_iterator{folder}) {
        files.push_back(entry.path());
    }
    std::sort(files.begin(), files.end());
    return files;
}

class Corpus : public ::testing::TestWithParam<Target> {};

TEST_P(Corpus, HoldsWhatMustAlwaysHold) {
    const auto files = corpus_of(GetParam().name);
    EXPECT_GT(files.size(), 3U);
    for (const auto& path : files) {
        std::cerr << path << '\n';  // the last one, when the program dies of it
        std::ifstream file{path, std::ios::binary};
        const std::string bytes{std::istreambuf_iterator<char>{file}, {}};
        try {
            GetParam().run(bytes);
        } catch (const std::exception& thrown) {
            ADD_FAILURE() << path << ": " << thrown.what();
        }
    }
}

INSTANTIATE_TEST_SUITE_P(Of, Corpus, ::testing::ValuesIn(kTargets),
                         [](const auto& target) { return std::string{target.param.name}; });

}  // namespace
}  // namespace smw::fuzz
