#include "cli/certs_places.hpp"

#include "smw/app/text_file.hpp"
#include "smw/base/base64.hpp"
#include "smw/base/file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <utility>

namespace smw::cli {
namespace {

using tls::Finding;
using tls::Rule;
using tls::Severity;

Finding missing(std::string text) {
    return {Severity::Refused, Rule::Missing, std::move(text)};
}

/// Where each of a place's entries goes.
struct Slot {
    std::string name;
    std::optional<std::string>& target;
};

std::array<Slot, 6> slots_of(FoundCertificates& found) {
    return {{{found.chain_name, found.chain},
             {found.key_name, found.key},
             {"ca.crt", found.ca},
             {"ca.key", found.ca_key},
             {"ca-next.crt", found.next_ca},
             {"ca-next.key", found.next_ca_key}}};
}

FoundCertificates place(std::string name, const CertificateNames& names) {
    FoundCertificates found;
    found.place = std::move(name);
    found.chain_name = names.chain;
    found.key_name = names.key;
    return found;
}

std::string file_place(const std::string& file) {
    return file == "-" ? std::string{"standard input"} : fmt::format("file {}", file);
}

FoundCertificates not_there(FoundCertificates found, std::string why) {
    found.is_there = false;
    found.faults.push_back(missing(std::move(why)));
    return found;
}

/// One file as a place of its own.
FoundCertificates found_in(const std::string& file, std::string text) {
    const auto content = tls::count_pem(text);
    auto found = place(file_place(file), {file, file});
    found.shows_key = false;
    found.ca_name = file;
    if (content.certificates == 0) {
        found.chain_name = "its certificate";
    }
    const auto certificates = tls::inspect_trust(text, {}).certificates;
    const bool only_cas =
        !certificates.empty() && std::ranges::all_of(certificates, &tls::CertificateDetails::is_ca);
    if (content.keys > 0) {
        found.key = text;
    }
    if (content.keys == 0 && only_cas) {
        found.ca = std::move(text);
        found.is_bundle = true;
    } else if (content.certificates > 0 || content.keys == 0) {
        found.chain = std::move(text);
    }
    return found;
}

bool is_key_alone(const FoundCertificates& found) {
    return found.key && !found.chain;
}

bool wants_key(const FoundCertificates& found) {
    return (found.chain || found.ca) && !found.key && !found.ca_key;
}

/// `key` is one that stands alone.
void add_key(FoundCertificates& found, FoundCertificates key) {
    found.place += fmt::format(" and {}", key.key_name);
    found.key = std::move(key.key);
    found.key_name = key.key_name;
    // CAs with a key are no bundle.
    if (!found.chain) {
        found.ca_key = std::exchange(found.key, std::nullopt);
    }
}

client::Answered<json::Document> get(const AskCluster& ask, const kube::Resource& resource,
                                     const kube::ObjectKey& key) {
    client::ApiRequest request;
    request.verb = "get";
    request.resource = resource;
    request.namespace_ = key.namespace_;
    request.name = key.name;
    return ask(std::move(request));
}

/// The bytes of an entry of `data`; a fault when there is something else.
void take_entry(FoundCertificates& found, json::Value data, const Slot& slot) {
    const auto entry = data.find(slot.name);
    const auto text = entry ? entry->string() : std::nullopt;
    if (!text) {
        return;
    }
    slot.target = decode_base64(*text);
    if (!slot.target) {
        found.faults.push_back(missing(fmt::format("{} of the Secret is no base64", slot.name)));
    }
}

std::string text_of(std::optional<json::Value> value) {
    const auto text = value ? value->string() : std::nullopt;
    return std::string{text.value_or("")};
}

/// What the API server asks for at `url`: its host, without brackets and port.
std::string host_of(std::string_view url) {
    if (const auto scheme = url.find("://"); scheme != std::string_view::npos) {
        url.remove_prefix(scheme + 3);
    }
    url = url.substr(0, url.find('/'));
    if (url.starts_with('[')) {
        return std::string{url.substr(1, url.find(']') - 1)};
    }
    return std::string{url.substr(0, url.find(':'))};
}

TrustAnchor anchor_of(json::Value webhook, std::string_view configuration) {
    TrustAnchor anchor;
    anchor.by =
        fmt::format("caBundle of webhook {} in {}", text_of(webhook.find("name")), configuration);
    const auto config = webhook.find("clientConfig");
    if (!config) {
        return anchor;
    }
    if (const auto service = config->find("service")) {
        anchor.name = fmt::format("{}.{}.svc", text_of(service->find("name")),
                                  text_of(service->find("namespace")));
    } else {
        anchor.name = host_of(text_of(config->find("url")));
    }
    anchor.ca_pem = decode_base64(text_of(config->find("caBundle"))).value_or("no base64");
    return anchor;
}

}  // namespace

FoundCertificates read_folder(const std::string& folder, const CertificateNames& names) {
    auto found = place(fmt::format("folder {}", folder), names);
    std::error_code error;
    if (!std::filesystem::exists(folder, error)) {
        return not_there(std::move(found), "there is no such folder");
    }
    for (const auto& slot : slots_of(found)) {
        const auto file = open_file(std::filesystem::path{folder} / slot.name);
        auto text = file ? read_to_end(*file, tls::kMostCertificateBytes)
                         : Expected<std::string>{tl::unexpected(file.error())};
        if (text) {
            slot.target = std::move(*text);
        } else if (text.error().code != Code::NotFound) {
            found.faults.push_back(missing(fmt::format("{}: {}", slot.name, text.error().message)));
        }
    }
    return found;
}

std::vector<FoundCertificates> read_files(const std::vector<std::string>& files, std::istream& in) {
    std::vector<FoundCertificates> places;
    for (const auto& file : files) {
        auto text = file == "-" ? app::read_text(in, tls::kMostCertificateBytes)
                                : read_file(file, tls::kMostCertificateBytes);
        if (!text) {
            places.push_back(
                not_there(place(file_place(file), {file, file}), text.error().message));
            continue;
        }
        auto found = found_in(file, std::move(*text));
        const bool alone = is_key_alone(found);
        if (alone && !places.empty() && wants_key(places.back())) {
            add_key(places.back(), std::move(found));
        } else if (wants_key(found) && places.size() == 1 && is_key_alone(places.front())) {
            add_key(found, std::move(places.front()));
            places.front() = std::move(found);
        } else {
            places.push_back(std::move(found));
        }
    }
    return places;
}

FoundCertificates read_secret(const AskCluster& ask, const kube::ObjectKey& key,
                              const CertificateNames& names) {
    auto found = place(fmt::format("Secret {}/{}", key.namespace_, key.name), names);
    const auto answer = get(ask, {"", "v1", "Secret", "secrets"}, key);
    if (!answer) {
        return not_there(std::move(found), answer.error().error.message);
    }
    if (const auto data = answer->root().find("data")) {
        for (const auto& slot : slots_of(found)) {
            take_entry(found, *data, slot);
        }
    }
    return found;
}

FoundCertificates read_listener(const tls::ListenerAddress& address, Deadline deadline) {
    auto found = place(fmt::format("listener {}:{}", address.host, address.port), {"", ""});
    found.shows_key = false;
    auto shown = tls::look_at_listener(address, deadline);
    if (!shown) {
        return not_there(std::move(found), shown.error().message);
    }
    found.chain = std::move(shown->chain_pem);
    found.note = fmt::format("{}{}, asked for as {}", shown->protocol,
                             shown->alpn.empty() ? "" : ", " + shown->alpn, address.server_name);
    return found;
}

Expected<std::vector<TrustAnchor>> read_webhook_configuration(const AskCluster& ask,
                                                              const std::string& name) {
    std::string not_there;
    for (const std::string kind : {"Mutating", "Validating"}) {
        const auto resource =
            kube::Resource{"admissionregistration.k8s.io", "v1", kind + "WebhookConfiguration",
                           (kind == "Mutating" ? "mutating" : "validating") +
                               std::string{"webhookconfigurations"}};
        const auto answer = get(ask, resource, {"", name});
        if (!answer) {
            if (!answer.error().may_mean_absent()) {
                return tl::unexpected(answer.error().error);
            }
            not_there = not_there.empty() ? answer.error().error.message : not_there;
            continue;
        }
        std::vector<TrustAnchor> anchors;
        const auto configuration = fmt::format("{} {}", resource.kind, name);
        if (const auto webhooks = answer->root().find("webhooks")) {
            for (const auto webhook : webhooks->items()) {
                anchors.push_back(anchor_of(webhook, configuration));
            }
        }
        if (anchors.empty()) {
            return fail(Code::NotFound, configuration + " has no webhooks");
        }
        return anchors;
    }
    return fail(Code::NotFound, not_there);
}

}  // namespace smw::cli
