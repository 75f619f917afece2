#pragma once
// A folder of files that change as the kubelet changes them, and a clock that is turned by hand.

#include "smw/metrics/registry.hpp"
#include "support/folder.hpp"
#include "support/recording_output.hpp"
#include "support/turned_clock.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace smw::test {

class SecretVolumeTest : public testing::Test {
protected:
    using Files = std::vector<std::pair<std::string, std::string>>;

    void write(const std::string& name, const std::string& text) const {
        std::filesystem::create_directories((path() / name).parent_path());
        folder_.write(name, text);
    }
    /// As the kubelet's atomic writer does it: a new folder, then ..data is renamed over, and the
    /// old folder goes.
    void swap_in(const Files& files) {
        namespace fs = std::filesystem;
        const std::string name = "..2026_11_21_10_00_00." + std::to_string(++version_);
        for (const auto& [file, content] : files) {
            write(name + "/" + file, content);
        }
        fs::create_directory_symlink(name, path() / "..data_tmp");
        fs::rename(path() / "..data_tmp", path() / "..data");
        for (const auto& [file, content] : files) {
            if (!fs::is_symlink(path() / file)) {
                fs::create_symlink("..data/" + file, path() / file);
            }
        }
        if (!swapped_.empty()) {
            fs::remove_all(path() / swapped_);
        }
        swapped_ = name;
    }
    [[nodiscard]] const std::filesystem::path& path() const { return folder_.path(); }

    /// The value of a series, as it is exposed.
    [[nodiscard]] std::string metric(const std::string& series) const {
        const std::string text = metrics_.expose();
        const auto at = text.find("\n" + series + " ");
        const auto from = at + series.size() + 2;
        return at == std::string::npos ? "" : text.substr(from, text.find('\n', from) - from);
    }
    [[nodiscard]] std::string reloads(const std::string& result) const {
        return metric("smw_certificate_reloads_total{result=\"" + result + "\"}");
    }
    [[nodiscard]] std::size_t errors() const { return output_.count(log::Level::Error); }

    Folder folder_;
    TurnedClock clock_;
    RecordingOutput output_;
    metrics::Registry metrics_;

private:
    int version_ = 0;
    std::string swapped_;
};

}  // namespace smw::test
