#include "cli/certs_folder.hpp"

#include "smw/tls/inspect.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <system_error>
#include <utility>

namespace smw::cli {
namespace {

namespace fs = std::filesystem;

struct Found {
    std::optional<std::string> text;  ///< nothing: there is no such file
    mode_t mode = 0;
};

Expected<Found> read_one(const fs::path& path) {
    const auto file = open_file(path);
    auto text = file ? read_to_end(*file, tls::kMostCertificateBytes)
                     : Expected<std::string>{tl::unexpected(file.error())};
    if (!text) {
        return text.error().code == Code::NotFound
                   ? Expected<Found>{}
                   : tl::unexpected(annotate(text.error(), path.string()));
    }
    struct stat status {};
    ::fstat(file->get(), &status);
    constexpr mode_t kPermissions = 0777;
    return Found{std::move(*text), status.st_mode & kPermissions};
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
    auto ca = read_one(path_ / "ca.crt");
    auto ca_key = read_one(path_ / "ca.key");
    auto chain = read_one(path_ / "tls.crt");
    auto key = read_one(path_ / "tls.key");
    for (const auto* file : {&ca, &ca_key, &chain, &key}) {
        if (!*file) {
            return tl::unexpected(file->error());
        }
    }
    return IssuedFiles{std::move(ca->text),    std::move(ca_key->text),
                       std::move(chain->text), std::move(key->text),
                       ca_key->mode,           key->mode};
}

Expected<void> IssueFolder::write(const std::vector<NewFile>& files) const {
    return write_together(path_, files);
}

}  // namespace smw::cli
