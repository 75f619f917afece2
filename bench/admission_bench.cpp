// What a review costs beside its decision: from bytes to Request, the patch and its proof, from
// Response to bytes. The review is the Pod of a Job, as kube-apiserver 1.36 sent it.
#include "smw/admission/json_patch.hpp"
#include "smw/admission/review.hpp"

#include <benchmark/benchmark.h>

#include <fstream>
#include <iterator>
#include <string>

namespace smw::admission {
namespace {

const std::string& review_text() {
    static const std::string kText = [] {
        std::ifstream file{SMW_REVIEW, std::ios::binary};
        return std::string{std::istreambuf_iterator<char>{file}, {}};
    }();
    return kText;
}

/// Both of its containers get another image.
JsonPatch two_images() {
    const auto containers = json::Pointer{} / "spec" / "containers";
    return {{PatchOp::Kind::Replace, containers / std::size_t{0} / "image",
             json::Text{R"("nginx:1.20-checkpoint")"}},
            {PatchOp::Kind::Replace, containers / std::size_t{1} / "image",
             json::Text{R"("fluent/fluent-bit:2.0-checkpoint")"}}};
}

void decode(benchmark::State& bench) {
    for (auto _ : bench) {
        const auto document = json::Document::parse(review_text());
        if (!document) {
            bench.SkipWithError("the review does not parse");
            return;
        }
        auto request = decode_review(document->root());
        benchmark::DoNotOptimize(request);
    }
}

void prove_patch(benchmark::State& bench) {
    const auto document = json::Document::parse(review_text());
    const auto request = decode_review(document->root());
    const JsonPatch patch = two_images();
    for (auto _ : bench) {
        auto proven = prove(patch, *request->object);
        if (!proven) {
            bench.SkipWithError("the patch does not apply");
            return;
        }
        auto text = to_json(patch);
        benchmark::DoNotOptimize(text);
    }
}

void encode(benchmark::State& bench) {
    const auto document = json::Document::parse(review_text());
    const auto request = decode_review(document->root());
    Response response;
    response.patch = to_json(two_images());
    response.audit_annotations = {{"checkpoint-backup", "default/checkpoint-of-test-migration-job"},
                                  {"reason", "restored"}};
    for (auto _ : bench) {
        auto bytes = encode_review(*request, response);
        benchmark::DoNotOptimize(bytes);
    }
}

BENCHMARK(decode);
BENCHMARK(prove_patch);
BENCHMARK(encode);

}  // namespace
}  // namespace smw::admission
