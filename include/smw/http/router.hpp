#pragma once

#include "smw/http/service.hpp"

#include <string>
#include <vector>

namespace smw::http {

/// An answer that says in a metav1.Status-free sentence why there is none: text/plain.
[[nodiscard]] Response text_response(unsigned status, std::string text);

/// A Service for each path; other paths get `otherwise`. Paths compare by bytes.
class Router final : public Service {
public:
    struct Entry {
        std::string path;
        Service* service = nullptr;
    };

    Router(std::vector<Entry> entries, Service& otherwise)
        : entries_(std::move(entries)), otherwise_(otherwise) {}

    Task<Response> serve(Exchange& exchange) override;

private:
    std::vector<Entry> entries_;
    Service& otherwise_;
};

}  // namespace smw::http
