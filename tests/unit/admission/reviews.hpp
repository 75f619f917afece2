#pragma once
// AdmissionReviews for tests: recorded ones and small ones, and the decoding that fails the test.

#include "smw/admission/review.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

namespace smw::admission::test {

using Json = nlohmann::json;

/// A Request together with what it views.
struct Decoded {
    json::Document document;
    Request request;
};

inline Decoded decode(const std::string& text) {
    auto document = json::Document::parse(text);
    if (!document) {
        throw std::runtime_error{"no JSON: " + document.error().message};
    }
    const auto request = decode_review(document->root());
    if (!request) {
        throw std::runtime_error{"no review: " + request.error().message};
    }
    return {std::move(*document), *request};
}

/// The smallest review that has everything.
inline Json review() {
    return Json::parse(R"({
        "kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1",
        "request": {
            "uid": "u-1", "kind": {"group": "", "version": "v1", "kind": "Pod"},
            "operation": "CREATE", "namespace": "batch-jobs", "name": "train-0",
            "subResource": "status", "dryRun": true, "object": {"spec": {}}}})");
}

struct Recorded {
    std::string name;
    std::string text;
};

/// Reviews that API servers 1.20 and 1.36 sent.
inline std::vector<Recorded> recorded_reviews() {
    std::vector<Recorded> reviews;
    for (const auto* folder : {"/reviews-1.20", "/reviews-1.36"}) {
        const auto path = std::string{SMW_TEST_DATA} + folder;
        for (const auto& entry : std::filesystem::directory_iterator{path}) {
            std::ifstream file{entry.path()};
            reviews.push_back(
                {entry.path().filename().string(), {std::istreambuf_iterator<char>{file}, {}}});
        }
    }
    std::sort(reviews.begin(), reviews.end(),
              [](const Recorded& left, const Recorded& right) { return left.name < right.name; });
    return reviews;
}

}  // namespace smw::admission::test
