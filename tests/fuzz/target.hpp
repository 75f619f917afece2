#pragma once
// What a fuzz target is made of: it takes any bytes, uses them as the product does, and checks what
// must hold whatever they are.

#include <stdexcept>
#include <string>
#include <string_view>

namespace smw::fuzz {

/// Something that must always hold does not. libFuzzer's program ends by it, and keeps the input;
/// the replay says which file it was.
class Violation : public std::logic_error {
public:
    using std::logic_error::logic_error;
};

/// `what` says what does not hold.
inline void check(bool holds, const char* what) {
    if (!holds) {
        throw Violation{what};
    }
}

/// What stands before the first `separator` and is taken off; everything when there is none.
inline std::string_view take_until(std::string_view& bytes, char separator) {
    const auto end = bytes.find(separator);
    const auto taken = bytes.substr(0, end);
    bytes = end == std::string_view::npos ? std::string_view{} : bytes.substr(end + 1);
    return taken;
}

/// One line that a terminal shows as it is: no control characters.
inline bool is_one_line(std::string_view text) {
    for (const char letter : text) {
        if ((letter >= 0 && letter < ' ') || letter == '\x7f') {
            return false;
        }
    }
    return true;
}

}  // namespace smw::fuzz
