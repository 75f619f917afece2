#pragma once
// A Response as bytes. Pure.

#include "smw/http/service.hpp"

#include <string>
#include <string_view>

namespace smw::http {

struct AnswerStyle {
    bool keep_alive = true;
    bool http_1_0 = false;
    bool without_body = false;  ///< the answer to HEAD
};

/// Appends status line, headers and body in one piece: one write, one TLS record.
void append_answer(std::string& out, const Response& response, AnswerStyle style);

/// A failure with a metav1.Status as its body.
[[nodiscard]] Response status_response(unsigned status, std::string_view message);

}  // namespace smw::http
