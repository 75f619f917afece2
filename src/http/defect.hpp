#pragma once
// What was thrown, in words for the log.

#include <exception>
#include <string>

namespace smw::http {

inline std::string describe(const std::exception_ptr& thrown) {
    try {
        std::rethrow_exception(thrown);
    } catch (const std::exception& defect) {
        return defect.what();
    } catch (...) {
        return "something that is no std::exception";
    }
}

}  // namespace smw::http
