#pragma once
// Text from anywhere as a JSON string (RFC 8259 section 7): one line of valid UTF-8, whatever came
// in.

#include <cstddef>
#include <string>
#include <string_view>

namespace smw {

/// Length of the well-formed UTF-8 sequence (RFC 3629) that `text` starts with; 0 when there is
/// none.
[[nodiscard]] std::size_t utf8_sequence_length(std::string_view text);

/// Appends `text` as a JSON string with its quotes. Each invalid byte becomes U+FFFD. Escaped are,
/// beside what JSON demands, DEL, the C1 controls and U+2028/2029: terminals and line readers act
/// on them.
void append_quoted(std::string& out, std::string_view text);

}  // namespace smw
