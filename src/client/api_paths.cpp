#include "client/api_paths.hpp"

#include "client/text.hpp"

#include <fmt/format.h>

#include <cctype>

namespace smw::client {
namespace {

bool is_unreserved(char c) {
    return c < 0x7F && (std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '.' ||
                        c == '_' || c == '~');
}

std::string gerund(std::string_view verb) {
    if (verb == "get") {
        return "getting";
    }
    if (verb.ends_with('e')) {
        verb.remove_suffix(1);
    }
    return fmt::format("{}ing", verb);
}

/// A name that somebody else chose.
std::string in_message(std::string_view name) {
    constexpr std::size_t kMost = 253;  // a DNS subdomain, RFC 1123
    return printable(name, kMost);
}

}  // namespace

std::string percent_encode(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (is_unreserved(c)) {
            out += c;
        } else {
            out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
        }
    }
    return out;
}

Expected<void> check_names(const ApiRequest& request) {
    const auto is_dots = [](std::string_view name) {
        return name == "." || name == "..";
    };
    const bool wants_name = request.verb == "get" || is_write(request.verb);
    const bool nameless = wants_name && request.verb != "create" && request.name.empty();
    if (nameless || is_dots(request.name) || is_dots(request.namespace_)) {
        return fail(Code::BadRequest, "this is no name");
    }
    if (request.verb == "create" && !request.name.empty()) {
        return fail(Code::BadRequest, "the name of what is created belongs in its body");
    }
    return {};
}

bool is_write(std::string_view verb) {
    return method_of(verb) != "GET";
}

std::string_view method_of(std::string_view verb) {
    if (verb == "create") {
        return "POST";
    }
    if (verb == "update") {
        return "PUT";
    }
    if (verb == "patch") {
        return "PATCH";
    }
    if (verb == "delete") {
        return "DELETE";
    }
    return "GET";
}

std::string target_of(const ApiRequest& request, std::string_view prefix) {
    std::string target{prefix};
    target +=
        request.resource.group.empty() ? "/api" : "/apis/" + percent_encode(request.resource.group);
    target += "/" + percent_encode(request.resource.version);
    if (!request.namespace_.empty()) {
        target += "/namespaces/" + percent_encode(request.namespace_);
    }
    target += "/" + percent_encode(request.resource.plural);
    if (!request.name.empty()) {
        target += "/" + percent_encode(request.name);
    }
    char separator = '?';
    for (const auto& [key, value] : request.query) {
        target += fmt::format("{}{}={}", separator, percent_encode(key), percent_encode(value));
        separator = '&';
    }
    return target;
}

std::string accept_of(const ApiRequest& request) {
    if (!request.metadata_only) {
        return "application/json";
    }
    return fmt::format(
        "application/json;as=PartialObjectMetadata{};v=v1;g=meta.k8s.io,"
        "application/json",
        request.verb == "list" ? "List" : "");
}

std::string describe(const ApiRequest& request) {
    std::string text = fmt::format("{} {}", gerund(request.verb), request.resource.plural);
    if (!request.resource.group.empty()) {
        text += "." + request.resource.group;
    }
    if (!request.name.empty()) {
        text += " " + in_message(request.name);
    }
    if (!request.namespace_.empty()) {
        text += " in namespace " + in_message(request.namespace_);
    }
    return text;
}

}  // namespace smw::client
