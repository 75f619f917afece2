#pragma once
// A folder, a clock and a cluster for the tests of `certs`.

#include "cli/commands.hpp"
#include "cli/dispatch.hpp"
#include "smw/tls/issue.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

namespace smw::cli::test {

class Certs : public testing::Test {
protected:
    Certs() {
        std::string name = (std::filesystem::temp_directory_path() / "smw-certs-XXXXXX").string();
        folder_ = mkdtemp(name.data());
    }
    ~Certs() override { std::filesystem::remove_all(folder_); }

    [[nodiscard]] std::string path(const std::string& name) const {
        return (folder_ / name).string();
    }
    std::string write(const std::string& name, const std::string& text) const {
        std::filesystem::create_directories((folder_ / name).parent_path());
        std::ofstream{folder_ / name, std::ios::binary} << text;
        return path(name);
    }
    [[nodiscard]] std::string read(const std::string& name) const {
        std::ifstream stream{folder_ / name, std::ios::binary};
        std::ostringstream text;
        text << stream.rdbuf();
        return text.str();
    }
    /// Everything in a folder, with what is in it.
    [[nodiscard]] std::map<std::string, std::string> all_in(const std::string& name) const {
        std::map<std::string, std::string> files;
        for (const auto& entry : std::filesystem::directory_iterator{folder_ / name}) {
            const auto file = entry.path().filename().string();
            files[file] = entry.is_regular_file() ? read(name + "/" + file) : "(folder)";
        }
        return files;
    }

    int run(std::vector<std::string> words, const std::string& input = "") {
        Commands commands;
        const auto now = [this] {
            return now_;
        };
        const auto find = [this](const client::ClusterSources&) {
            return found_;
        };
        commands.push_back(make_certs_inspect(find, now));
        commands.push_back(make_certs_rotate(find, now));
        commands.push_back(make_certs_issue(now));
        std::istringstream in{input};
        std::ostringstream out;
        std::ostringstream err;
        Console console{in, out, err};
        console.shows_colours = terminal_;
        words.insert(words.begin(), "certs");
        const int status = dispatch({std::move(words), environment_}, commands, console);
        out_ = out.str();
        err_ = err.str();
        return status;
    }

    std::filesystem::path folder_;
    WallTime now_ = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
    Expected<std::optional<app::OpenCluster>> found_ = std::nullopt;
    app::EnvironmentVariables environment_;
    bool terminal_ = false;
    std::string out_;
    std::string err_;
};

}  // namespace smw::cli::test
