#include "smw/tls/reload.hpp"

#include <fmt/format.h>

namespace smw::tls {

namespace {

constexpr std::chrono::minutes kInvalidAgain{1};

metrics::Counter reloads(metrics::Registry& metrics, std::string_view result) {
    return metrics
        .counter({"smw_certificate_reloads_total",
                  "Changed certificate files, by what became of them.",
                  {"result"}})
        .with({result});
}

bool same(const Reload::Refused& left, const Reload::Refused& right) {
    return left.why == right.why && left.content == right.content;
}

}  // namespace

Reload::Reload(ReloadLabels labels, const Clock& clock, log::Logger logger,
               metrics::Registry& metrics)
    : labels_(std::move(labels)),
      clock_(clock),
      logger_(std::move(logger)),
      expiry_(metrics
                  .gauge({"smw_certificate_expiry_timestamp_seconds",
                          "When a certificate expires, in seconds since 1970.",
                          {"role"}})
                  .with({labels_.role})),
      ok_(reloads(metrics, "ok")),
      rejected_(reloads(metrics, "rejected")) {}

void Reload::log(log::Level level, std::string_view what, log::Fields fields) const {
    logger_.write(level, fmt::format("{} {}", labels_.words, what), fields);
}

void Reload::take(Taken taken) {
    const bool first = !in_force();
    for (const auto& warning : taken.warnings) {
        log(log::Level::Warn, "taken, but look at it", {{"why", warning}});
    }
    using std::chrono::duration_cast;
    const auto expiry = duration_cast<std::chrono::seconds>(taken.expiry.time_since_epoch());
    expiry_.set(static_cast<double>(expiry.count()));
    in_force_ = std::move(taken.content);
    invalid_told_.reset();
    settle();
    ok_.increment(first ? 0 : 1);
    log(log::Level::Info, first ? "loaded" : "reloaded", {{"from", labels_.from}});
}

bool Reload::is_news(const Refused& refused) {
    if (told_ && same(*told_, refused)) {
        return false;
    }
    if (!refused.may_be_half_written || !in_force()) {
        return true;
    }
    if (!pending_ || !same(*pending_, refused)) {
        pending_ = refused;
        pending_since_ = clock_.now();
        return false;
    }
    return clock_.now() - pending_since_ >= kHalfWritten;
}

void Reload::refuse(Refused refused) {
    if (!is_news(refused)) {
        return;
    }
    rejected_.increment(in_force() && refused.content ? 1 : 0);
    problem_.publish(std::make_shared<const std::string>(refused.why));
    log(log::Level::Error, "cannot be used",
        {{"why", refused.why}, {"from", labels_.from}, {"keepsOld", in_force()}});
    pending_.reset();
    told_ = std::move(refused);
}

void Reload::settle() {
    pending_.reset();
    told_.reset();
    problem_.publish(nullptr);
}

void Reload::watch_validity(const Expected<void>& valid) {
    if (valid) {
        invalid_told_.reset();
        return;
    }
    if (!told_) {
        problem_.publish(std::make_shared<const std::string>(valid.error().message));
    }
    if (!invalid_told_ || clock_.now() - *invalid_told_ >= kInvalidAgain) {
        invalid_told_ = clock_.now();
        log(log::Level::Error, "in force is not valid", {{"why", valid.error().message}});
    }
}

}  // namespace smw::tls
