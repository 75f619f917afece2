#pragma once

#include "smw/http/service.hpp"

#include <string>
#include <vector>

namespace smw::http {

/// text/plain, for what people read: probes.
[[nodiscard]] Response text_response(unsigned status, std::string text);

/// A Service for each path; other paths are 404. Paths compare by bytes.
class Router final : public Service {
public:
    struct Entry {
        std::string path;
        Service* service = nullptr;
    };

    explicit Router(std::vector<Entry> entries) : entries_(std::move(entries)) {}

    Task<Response> serve(Exchange& exchange) override;

private:
    std::vector<Entry> entries_;
};

}  // namespace smw::http
