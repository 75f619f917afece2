#include "smw/base/version.hpp"

namespace smw {

std::string_view version() {
    return SMW_VERSION;
}

std::string_view revision() {
    return SMW_REVISION;
}

}  // namespace smw
