#include "client/credentials.hpp"

#include "client/credential_files.hpp"

#include <chrono>
#include <utility>

namespace smw::client {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

/// A minute, less ten seconds: a token must not end on its way.
constexpr Duration kTokenPeriod = minutes{1} - seconds{10};
constexpr Duration kTlsPeriod = minutes{5};
/// After files that were not good: who writes certificate and key one after the other is soon done.
constexpr Duration kSoon = seconds{10};

bool same(const tls::ClientContextSettings& left, const tls::ClientContextSettings& right) {
    return left.ca_pem == right.ca_pem && left.chain_pem == right.chain_pem &&
           left.key_pem == right.key_pem && left.verify == right.verify;
}

}  // namespace

Credentials::Credentials(const ClusterConfig& config, const Clock& clock, log::Logger logger)
    : config_(config),
      clock_(clock),
      logger_(std::move(logger)),
      token_(config_.token),
      token_until_(TimePoint::min()),
      tls_until_(TimePoint::min()) {}

const std::string& Credentials::token() {
    if (!config_.token_file.empty() && clock_.now() >= token_until_) {
        read_token_file();
    }
    return token_;
}

bool Credentials::renew_token() {
    if (config_.token_file.empty()) {
        return false;
    }
    read_token_file();
    return true;
}

void Credentials::read_token_file() {
    auto token = read_token(config_.token_file);
    if (!token) {
        complain_once(token_told_, "Cannot read the token again; the last one stays",
                      token.error().message);
        return;
    }
    token_ = *std::move(token);
    token_told_.clear();
    token_until_ = clock_.now() + kTokenPeriod;
}

bool Credentials::refresh_tls() {
    if (!config_.tls || clock_.now() < tls_until_) {
        return false;
    }
    const auto before = contexts_.version();
    const auto settings = read_tls(config_);
    if (!settings) {
        complain_once(tls_told_, "Cannot read the certificates again; the last ones stay",
                      settings.error().message);
    } else if (contexts_.version() == 0 || !same(*settings, published_)) {
        publish(*settings);
    } else {
        tls_told_.clear();
    }
    if (contexts_.version() > 0) {
        tls_until_ = clock_.now() + (tls_told_.empty() ? kTlsPeriod : kSoon);
    }
    return contexts_.version() != before;
}

void Credentials::publish(const tls::ClientContextSettings& settings) {
    auto context = tls::ClientContext::make(settings);
    if (!context) {
        complain_once(tls_told_, "The new certificates are not good; the last ones stay",
                      context.error().message);
        return;
    }
    contexts_.publish(*std::move(context));
    published_ = settings;
    tls_told_.clear();
}

void Credentials::complain_once(std::string& told, const char* message, const std::string& why) {
    if (told == why) {
        return;
    }
    told = why;
    logger_.warn(message, {{"why", std::string_view{why}}});
}

}  // namespace smw::client
