#include "smw/app/text_file.hpp"

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <fstream>
#include <system_error>

namespace smw::app {
namespace {

std::string in_words(std::size_t limit) {
    constexpr std::size_t kMebibyte = std::size_t{1} << 20;
    return limit >= kMebibyte ? fmt::format("{} MiB", limit / kMebibyte)
                              : fmt::format("{} bytes", limit);
}

tl::unexpected<Error> unreadable(int error) {
    const std::string reason = std::generic_category().message(error);
    return fail(error == ENOENT ? Code::NotFound : Code::BadRequest, reason);
}

}  // namespace

Expected<std::string> read_text(std::istream& stream, std::size_t limit) {
    std::string text;
    std::array<char, 65536> block{};
    while (stream) {
        stream.read(block.data(), static_cast<std::streamsize>(block.size()));
        text.append(block.data(), static_cast<std::size_t>(stream.gcount()));
        if (text.size() > limit) {
            return fail(Code::TooLarge, fmt::format("is larger than {}", in_words(limit)));
        }
    }
    if (stream.bad()) {
        return fail(Code::BadRequest, "cannot be read");
    }
    return text;
}

Expected<std::string> read_text_file(const std::filesystem::path& file, std::size_t limit) {
    std::error_code error;
    if (std::filesystem::is_directory(file, error)) {
        return fail(Code::BadRequest, "is a folder");
    }
    errno = 0;
    std::ifstream stream{file, std::ios::binary};
    if (!stream) {
        return unreadable(errno);
    }
    return read_text(stream, limit);
}

}  // namespace smw::app
