#pragma once
// A folder on disk that goes with the test.

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace smw::test {

class Folder {
public:
    Folder() {
        std::string path = ::testing::TempDir() + "manifestsXXXXXX";
        path_ = ::mkdtemp(path.data());
    }
    ~Folder() { std::filesystem::remove_all(path_); }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;

    void write(const std::string& name, const std::string& content) const {
        std::ofstream{path_ / name} << content;
    }
    [[nodiscard]] const std::filesystem::path& path() const { return path_; }

private:
    std::filesystem::path path_;
};

}  // namespace smw::test
