// Objects that an API server gives us beside lists: Status, Lease, Secrets, webhook configurations,
// owners.

#include "client/api_failure.hpp"
#include "oracle.hpp"
#include "smw/cert_rotation/bodies.hpp"
#include "smw/coordination/lease.hpp"
#include "target.hpp"
#include "targets.hpp"

namespace smw::fuzz {
namespace {

void check_status(json::Value root, std::string_view bytes) {
    if (const auto status = kube::read_status(root)) {
        const auto text = kube::to_json(*status);
        const auto document = json::Document::parse(text);
        check(document && is_json(text), "a Status that is no JSON");
        const auto again = kube::read_status(document->root());
        check(again && kube::to_json(*again) == text, "a Status is read as another");
    }
    http::ClientResponse response;
    response.status = 409;
    response.content_type = "application/json";
    response.body = bytes;
    client::ApiRequest request;
    request.verb = "get";
    request.resource = {"", "v1", "Secret", "secrets"};
    const auto failure = client::refused(request, response);
    check(failure.status.code == 409, "another code than HTTP's");
    check(is_one_line(failure.error.message), "an error that is more than a line");
}

void check_lease(json::Value root) {
    const auto lease = coordination::read_lease(root);
    if (!lease) {
        return;
    }
    const auto body = coordination::lease_body(lease->object, lease->record);
    check(has_doubles(root) || body.has_value(), "a Lease that cannot be written");
    if (!body || has_doubles(root)) {
        return;
    }
    for (const auto& path : differences(lease->object.json, body->json)) {
        check(path.starts_with("/spec"), "more than the spec of a Lease changed");
    }
    const auto document = json::Document::parse(body->json);
    const auto again = coordination::read_lease(document->root());
    check(again && again->record.holder_identity == lease->record.holder_identity &&
              again->record.lease_transitions == lease->record.lease_transitions,
          "a Lease is read as another");
}

void check_body(const json::Text& body) {
    check(is_json(body.json), "a body that is no JSON");
}

void check_secrets(json::Value root) {
    const auto ca = cert_rotation::read_ca_secret(root);
    const auto certs = cert_rotation::read_certs_secret(root);
    for (const auto* value : {&ca.ca_crt, &ca.ca_key, &ca.next_crt, &certs.tls_crt}) {
        check(value->is_there() || value->bytes.empty(), "a value that is not there");
    }
    cert_rotation::SecretChange change;
    change.data = {{"ca.crt", ca.ca_crt.bytes}};
    change.annotations = {{"rotated", ca.rotate}};
    check_body(cert_rotation::patch_secret(ca.seen, change));
    const auto configuration = cert_rotation::read_configuration(
        root, cert_rotation::ConfigurationKind::Mutating, {"default", "webhook"});
    check_body(cert_rotation::apply_bundle(configuration, certs.ca_crt.bytes));
}

void check_owners(json::Value root) {
    const auto owners = kube::read_owner_references(root, "metadata");
    if (!owners) {
        check(is_one_line(owners.error().message), "an error that is more than a line");
        return;
    }
    if (const auto* owner = kube::find_owner(*owners, "batch", "Job")) {
        check(owner->kind == "Job" && kube::group_of(owner->api_version) == "batch",
              "an owner of another kind");
    }
}

}  // namespace

void api_objects(std::string_view bytes) {
    const auto document = json::Document::parse(std::string{bytes});
    if (!document) {
        return;
    }
    check_status(document->root(), bytes);
    check_lease(document->root());
    check_secrets(document->root());
    check_owners(document->root());
    if (const auto metadata = document->root().find("metadata")) {
        check_owners(*metadata);
    }
}

}  // namespace smw::fuzz
