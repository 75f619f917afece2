#include "http/client_error.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/ssl/error.hpp>
#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

namespace smw::http {

namespace asio = boost::asio;

std::string_view to_words(Phase phase) {
    switch (phase) {
        case Phase::Connecting:
            return "connecting to";
        case Phase::ShakingHands:
            return "TLS handshake with";
        case Phase::Asking:
            return "asking";
        case Phase::Reading:
            return "reading the answer of";
    }
    return "";
}

tl::unexpected<Error> annotate(Error error, Phase phase, std::string_view origin) {
    return annotate(std::move(error), fmt::format("{} {}", to_words(phase), origin));
}

Error past_deadline() {
    return {Code::DeadlineExceeded, "the deadline has passed"};
}

std::string in_words(const boost::system::error_code& error) {
    if (error == asio::error::eof) {
        return "the connection was closed";
    }
    if (error == asio::ssl::error::stream_truncated) {
        return "the connection was cut off";
    }
    if (error.category() == asio::error::get_ssl_category()) {
        const auto code = static_cast<unsigned long>(error.value());
        // What a TLS client reads in an answer in plain text.
        if (ERR_GET_REASON(code) == SSL_R_WRONG_VERSION_NUMBER) {
            return "it does not speak TLS (wrong version number)";
        }
        const char* reason = ::ERR_reason_error_string(code);
        return reason != nullptr ? reason : "unknown OpenSSL error";
    }
    std::string words = error.message();
    const bool is_sentence = words.size() > 1 && words[0] >= 'A' && words[0] <= 'Z' &&
                             words[1] >= 'a' && words[1] <= 'z';
    if (is_sentence) {
        words[0] = static_cast<char>(words[0] - 'A' + 'a');
    }
    return words;
}

std::string in_words(const boost::system::error_code& error, const ssl_st* session,
                     std::string_view name) {
    const long result = ::SSL_get_verify_result(session);
    if (result == X509_V_OK || ::SSL_get_verify_mode(session) == SSL_VERIFY_NONE) {
        return in_words(error);
    }
    if (result == X509_V_ERR_HOSTNAME_MISMATCH || result == X509_V_ERR_IP_ADDRESS_MISMATCH) {
        return fmt::format("certificate verify failed: it is not valid for {}", name);
    }
    return fmt::format("certificate verify failed: {}", ::X509_verify_cert_error_string(result));
}

}  // namespace smw::http
