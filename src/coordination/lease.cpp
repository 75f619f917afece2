#include "smw/coordination/lease.hpp"

#include "smw/json/edit.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <limits>

namespace smw::coordination {
namespace {

/// Both numbers are int32 at the API server.
constexpr std::int64_t kMostNumber = std::numeric_limits<std::int32_t>::max();

std::string text_of(json::Value object, std::string_view key) {
    const auto member = object.find(key);
    const auto text = member ? member->string() : std::nullopt;
    return std::string{text.value_or("")};
}

std::int64_t number_of(json::Value object, std::string_view key) {
    const auto member = object.find(key);
    const auto number = member ? member->int64() : std::nullopt;
    return std::clamp<std::int64_t>(number.value_or(0), 0, kMostNumber);
}

std::optional<WallTime> time_of(json::Value object, std::string_view key) {
    return kube::parse_time(text_of(object, key));
}

/// metav1.MicroTime: always six digits behind the point, without which Go does not take it.
std::string micro_time(WallTime time) {
    // In this order: nanoseconds do not reach down to the second in which the first of them lies.
    const auto micros = std::chrono::floor<std::chrono::microseconds>(time);
    const auto whole = std::chrono::floor<std::chrono::seconds>(micros);
    return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:06}Z", fmt::gmtime(whole.time_since_epoch().count()),
                       (micros - whole).count());
}

void write_spec(json::Writer& writer, const LeaseRecord& record) {
    writer.begin_object();
    writer.member("holderIdentity", record.holder_identity);
    writer.member("leaseDurationSeconds", record.lease_duration_seconds);
    if (record.acquire_time) {
        writer.member("acquireTime", micro_time(*record.acquire_time));
    }
    if (record.renew_time) {
        writer.member("renewTime", micro_time(*record.renew_time));
    }
    writer.member("leaseTransitions", record.lease_transitions);
    writer.end_object();
}

}  // namespace

Expected<Lease> read_lease(json::Value object) {
    if (text_of(object, "kind") != "Lease") {
        return fail(Code::BadRequest, "this is no Lease");
    }
    const auto metadata = object.find("metadata");
    if (!metadata || text_of(*metadata, "resourceVersion").empty()) {
        return fail(Code::BadRequest, "the Lease has no metadata.resourceVersion");
    }
    Lease lease;
    lease.object.json = object.text();
    if (const auto spec = object.find("spec")) {
        lease.record.holder_identity = text_of(*spec, "holderIdentity");
        lease.record.lease_duration_seconds = number_of(*spec, "leaseDurationSeconds");
        lease.record.acquire_time = time_of(*spec, "acquireTime");
        lease.record.renew_time = time_of(*spec, "renewTime");
        lease.record.lease_transitions = number_of(*spec, "leaseTransitions");
    }
    return lease;
}

json::Text lease_body(const kube::ObjectKey& key, const LeaseRecord& record) {
    json::Text body;
    json::Writer writer{body.json};
    writer.begin_object();
    writer.member("apiVersion", "coordination.k8s.io/v1").member("kind", "Lease");
    writer.key("metadata").begin_object();
    writer.member("name", key.name).member("namespace", key.namespace_);
    // What the deploy scripts know ours by.
    writer.key("labels").begin_object().member("app", "stateful-migration-webhook").end_object();
    writer.end_object().key("spec");
    write_spec(writer, record);
    writer.end_object();
    return body;
}

Expected<json::Text> lease_body(const json::Text& object, const LeaseRecord& record) {
    json::Text patch;
    json::Writer writer{patch.json};
    writer.begin_array().begin_object();
    writer.member("op", "add").member("path", "/spec").key("value");
    write_spec(writer, record);
    writer.end_object().end_array();
    return json::apply_patch(object, patch);
}

}  // namespace smw::coordination
