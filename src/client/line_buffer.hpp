#pragma once
// Bytes in any pieces, lines out: the frames of a watch (newline-delimited JSON). Pure.

#include "smw/base/error.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace smw::client {

/// Looks at each byte once, however it comes.
class LineBuffer {
public:
    /// An object in etcd has 1.5 MiB at most, as JSON with its event around it not twice that.
    static constexpr std::size_t kMaxLine = std::size_t{4} << 20;

    void append(std::string_view bytes);
    /// The next line without its end ("\n" or "\r\n"), with json::Document::kPadding to spare;
    /// nothing when it is not complete. Lines of blanks are passed over. TooLarge, and for ever,
    /// when a line has more than kMaxLine bytes, complete or not.
    [[nodiscard]] Expected<std::optional<std::string>> next();
    /// Whether there is the beginning of a line.
    [[nodiscard]] bool has_rest() const;
    /// Bytes of memory.
    [[nodiscard]] std::size_t held() const { return bytes_.capacity(); }

private:
    /// Forgets what was given out.
    void compact();
    void free();

    std::string bytes_;
    std::size_t begin_ = 0;    ///< of the next line
    std::size_t scanned_ = 0;  ///< up to here there is no newline behind begin_
    bool too_large_ = false;
};

}  // namespace smw::client
