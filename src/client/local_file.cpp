#include "client/local_file.hpp"

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <fcntl.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace smw::client {
namespace {

/// Far more than a kubeconfig with hundreds of clusters has.
constexpr std::size_t kMaxBytes = std::size_t{16} << 20;

class Descriptor {
public:
    explicit Descriptor(int number) : number_(number) {}
    ~Descriptor() {
        if (number_ >= 0) {
            ::close(number_);
        }
    }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    [[nodiscard]] int get() const { return number_; }

private:
    int number_;
};

tl::unexpected<Error> system_failure(int error) {
    return fail(error == ENOENT ? Code::NotFound : Code::BadRequest,
                std::generic_category().message(error));
}

Expected<std::string> read_all(const Descriptor& file) {
    std::string text;
    std::array<char, std::size_t{64} << 10> block{};
    while (text.size() <= kMaxBytes) {
        const auto got = ::read(file.get(), block.data(), block.size());
        if (got == 0) {
            return text;
        }
        if (got > 0) {
            text.append(block.data(), static_cast<std::size_t>(got));
        } else if (errno != EINTR) {
            return system_failure(errno);
        }
    }
    return fail(Code::TooLarge, fmt::format("is larger than {} MiB", kMaxBytes >> 20));
}

Expected<std::string> read(const std::filesystem::path& path) {
    const Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)};
    struct stat status {};
    if (file.get() < 0 || ::fstat(file.get(), &status) != 0) {
        return system_failure(errno);
    }
    if (S_ISDIR(status.st_mode)) {
        return fail(Code::BadRequest, "is a folder");
    }
    if (!S_ISREG(status.st_mode)) {
        return fail(Code::BadRequest, "is not a regular file");
    }
    return read_all(file);
}

}  // namespace

Expected<std::string> read_local_file(const std::filesystem::path& file) {
    auto text = read(file);
    if (!text) {
        return annotate(std::move(text).error(), file.string());
    }
    return text;
}

}  // namespace smw::client
