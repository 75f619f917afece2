#include "cert_rotation/request.hpp"

#include <fmt/format.h>

namespace smw::cert_rotation {

std::string Request::identity() const {
    if (rotate && compromised) {
        return fmt::format("rotate: {}, compromised: {}", *rotate, *compromised);
    }
    return rotate ? fmt::format("rotate: {}", *rotate)
                  : fmt::format("compromised: {}", compromised.value_or(""));
}

std::string Request::words() const {
    if (rotate && compromised) {
        return "annotations rotate and compromised";
    }
    return rotate ? "annotation rotate" : "annotation compromised";
}

Request read_request(const CaSecret& secret) {
    Request request;
    if (secret.rotate != secret.rotated) {
        request.rotate = secret.rotate;
    }
    if (secret.compromised != secret.compromised_done) {
        request.compromised = secret.compromised;
    }
    return request;
}

}  // namespace smw::cert_rotation
