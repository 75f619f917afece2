#include "cli/certs_folder.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <fcntl.h>
#include <sys/file.h>
#include <system_error>
#include <utility>

namespace smw::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostBytes = std::size_t{1} << 20;

Expected<std::optional<std::string>> read_one(const fs::path& path) {
    auto text = read_file(path, kMostBytes);
    if (text) {
        return std::optional{std::move(*text)};
    }
    if (text.error().code == Code::NotFound) {
        return std::nullopt;
    }
    return tl::unexpected(text.error());
}

}  // namespace

Expected<IssueFolder> IssueFolder::open(const fs::path& path) {
    std::error_code error;
    fs::create_directories(path, error);
    if (error) {
        return fail(Code::BadRequest,
                    fmt::format("making the folder {}: {}", path.string(), error.message()));
    }
    Descriptor lock{::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    if (lock.get() < 0) {
        return annotate(system_error(errno), fmt::format("opening the folder {}", path.string()));
    }
    if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
        return fail(Code::Conflict,
                    fmt::format("another process is issuing certificates in {}", path.string()));
    }
    if (auto finished = finish_writing(path); !finished) {
        return tl::unexpected(finished.error());
    }
    return IssueFolder{path, std::move(lock)};
}

Expected<IssuedFiles> IssueFolder::read() const {
    IssuedFiles files;
    using Entry = std::pair<const char*, std::optional<std::string>&>;
    for (const auto& [name, target] :
         {Entry{"ca.crt", files.ca}, Entry{"ca.key", files.ca_key}, Entry{"tls.crt", files.chain},
          Entry{"tls.key", files.key}}) {
        auto text = read_one(path_ / name);
        if (!text) {
            return tl::unexpected(text.error());
        }
        target = std::move(*text);
    }
    return files;
}

Expected<void> IssueFolder::write(const std::vector<NewFile>& files) const {
    return write_together(path_, files);
}

}  // namespace smw::cli
