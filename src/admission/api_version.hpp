#pragma once
// The names of an AdmissionReview on the wire.

#include "smw/admission/review.hpp"

#include <string_view>

namespace smw::admission {

inline constexpr std::string_view kReviewKind = "AdmissionReview";

[[nodiscard]] constexpr std::string_view api_version(Version version) {
    switch (version) {
        case Version::V1:
            return "admission.k8s.io/v1";
        case Version::V1beta1:
            return "admission.k8s.io/v1beta1";
    }
    return {};
}

}  // namespace smw::admission
