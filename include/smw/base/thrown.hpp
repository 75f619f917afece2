#pragma once
// What was thrown, in words for the log.

#include <exception>
#include <string>

namespace smw {

/// The what() of an exception. `thrown` is not null.
[[nodiscard]] inline std::string describe_thrown(const std::exception_ptr& thrown) {
    try {
        std::rethrow_exception(thrown);
    } catch (const std::exception& exception) {
        return exception.what();
    } catch (...) {
        return "something that is no std::exception";
    }
}

}  // namespace smw
