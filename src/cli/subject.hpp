#pragma once
// A document of the input as something to judge, or as state to judge with. Pure.

#include "cli/input_documents.hpp"
#include "smw/base/error.hpp"

#include <optional>
#include <string>

namespace smw::cli {

/// Something to judge: what the API server would ask about it.
struct Subject {
    Place place;
    std::string kind;  ///< of the document, but of the object for an AdmissionReview
    std::string namespace_;
    std::string name;     ///< or generateName
    json::Text review{};  ///< an AdmissionReview
};

/// What a document means to `review`. A Job is both state and something to judge; a CronJob brings
/// the Job that it would make as state.
struct Meaning {
    std::optional<Subject> subject;
    std::optional<json::Text> state;
};

/// Nothing in it: a kind that no decision looks at. What is no Kubernetes object, or lacks what
/// its controller needs, is BadRequest.
[[nodiscard]] Expected<Meaning> meaning_of(const json::Text& document, const Place& place);

}  // namespace smw::cli
