// Text on its way into JSON, logs, headers, URLs and base64.

#include "client/text.hpp"

#include "client/api_paths.hpp"
#include "client/server_url.hpp"
#include "oracle.hpp"
#include "smw/base/base64.hpp"
#include "smw/base/quote.hpp"
#include "target.hpp"
#include "targets.hpp"

#include <algorithm>

namespace smw::fuzz {
namespace {

void check_base64(std::string_view bytes) {
    check(decode_base64(encode_base64(bytes)) == bytes, "base64 is no way there and back");
    if (const auto decoded = decode_base64(bytes)) {
        std::string plain{bytes};
        std::erase_if(plain, [](char letter) { return letter == '\r' || letter == '\n'; });
        // Go, too, does not look at the bits that are left over in the last digit.
        check(encode_base64(*decoded).size() == plain.size(), "base64 of another length");
        check(decode_base64(encode_base64(*decoded)) == decoded, "base64 of something else");
    }
}

void check_quoted(std::string_view bytes) {
    std::string quoted;
    append_quoted(quoted, bytes);
    check(is_one_line(quoted), "quoted text that is more than a line");
    const auto document = json::Document::parse(quoted);
    check(document && is_json(quoted), "quoted text that is no JSON");
    if (json::Document::parse('[' + quoted + ']') && is_json('"' + std::string{bytes} + '"') &&
        bytes.find('\\') == std::string_view::npos) {
        check(document->root().string() == bytes, "good text that was changed");
    }
}

void check_url(std::string_view bytes) {
    const auto encoded = client::percent_encode(bytes);
    check(std::ranges::all_of(encoded,
                              [](char letter) {
                                  return (letter >= 'a' && letter <= 'z') ||
                                         (letter >= 'A' && letter <= 'Z') ||
                                         (letter >= '0' && letter <= '9') ||
                                         std::string_view{"-._~%"}.find(letter) !=
                                             std::string_view::npos;
                              }),
          "a character that means something in a URL");
    const auto url = client::parse_server_url(bytes);
    if (!url) {
        check(is_one_line(url.error().message), "an error that is more than a line");
        return;
    }
    const bool bare = url->host.find(':') == std::string::npos;
    const auto text = (url->tls ? "https://" : "http://") +
                      (bare ? url->host : '[' + url->host + ']') + ':' + std::to_string(url->port) +
                      url->path;
    const auto again = client::parse_server_url(text);
    check(again && *again == *url, "a URL is read as another");
}

}  // namespace

void text(std::string_view bytes) {
    check_base64(bytes);
    check_quoted(bytes);
    check_url(bytes);
    check(is_one_line(client::printable(bytes, 100)), "text that a terminal acts on");
    check(!client::is_token(bytes) || client::is_header_value(bytes), "a token, and no header");
}

}  // namespace smw::fuzz
