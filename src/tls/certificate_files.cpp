#include "smw/tls/certificate_files.hpp"

#include "smw/async/folder_watcher.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <fstream>
#include <system_error>

namespace smw::tls {

namespace {

/// Far above any chain; below what would hurt.
constexpr std::size_t kMaxFileBytes = std::size_t{1} << 20;
/// A key of the new pair beside the leaf of the old one is how every renewal looks for a moment.
constexpr std::chrono::seconds kHalfWritten{5};
constexpr std::chrono::minutes kInvalidAgain{1};

Expected<std::string> read_file(const std::filesystem::path& path) {
    std::error_code error;
    if (!std::filesystem::exists(path, error)) {
        return fail(Code::NotFound, fmt::format("{} is not there", path.string()));
    }
    if (!std::filesystem::is_regular_file(path, error)) {
        return fail(Code::NotFound, fmt::format("{} is not a file", path.string()));
    }
    std::ifstream stream{path, std::ios::binary};
    if (!stream) {
        return fail(Code::NotFound, fmt::format("{} cannot be read: {}", path.string(),
                                                std::generic_category().message(errno)));
    }
    std::string content(kMaxFileBytes + 1, '\0');
    stream.read(content.data(), static_cast<std::streamsize>(content.size()));
    content.resize(static_cast<std::size_t>(stream.gcount()));
    if (content.size() > kMaxFileBytes) {
        return fail(Code::TooLarge, fmt::format("{} is larger than 1 MiB", path.string()));
    }
    return content;
}

}  // namespace

CertificateFiles::CertificateFiles(CertificateFilesSettings settings, const Clock& clock,
                                   log::Logger logger, metrics::Registry& metrics)
    : settings_(std::move(settings)),
      clock_(clock),
      logger_(std::move(logger)),
      expiry_(metrics
                  .gauge({"smw_certificate_expiry_timestamp_seconds",
                          "When a certificate expires, in seconds since 1970.",
                          {"role"}})
                  .with({"serving"})),
      reloads_ok_(metrics
                      .counter({"smw_certificate_reloads_total",
                                "Changed certificate files, by what became of them.",
                                {"result"}})
                      .with({"ok"})),
      reloads_rejected_(metrics
                            .counter({"smw_certificate_reloads_total",
                                      "Changed certificate files, by what became of them.",
                                      {"result"}})
                            .with({"rejected"})) {}

Expected<CertificateFiles::Pair> CertificateFiles::read() const {
    auto chain = read_file(settings_.folder / settings_.certificate_name);
    if (!chain) {
        return tl::unexpected(chain.error());
    }
    auto key = read_file(settings_.folder / settings_.key_name);
    if (!key) {
        return tl::unexpected(key.error());
    }
    return Pair{std::move(*chain), std::move(*key)};
}

void CertificateFiles::load() {
    auto pair = read();
    if (!pair) {
        refuse({pair.error().message, {}, true});
    } else if (contexts_.load() && *pair == serving_) {
        settle();
    } else {
        judge(std::move(*pair));
    }
    watch_validity();
}

/// Again at each look, so that a pair that is not valid yet is taken when its time has come.
void CertificateFiles::judge(Pair pair) {
    const WallTime now = clock_.wall();
    const auto identity = make_identity(pair.chain, pair.key, {settings_.expected_names, now});
    if (!identity) {
        refuse({identity.error().message, std::move(pair), true});
        return;
    }
    // An expired pair at the start is served: a caller may still accept it, and refusing helps
    // nobody. Later the old pair is better.
    const auto valid = validity(*identity, now);
    if (!valid && contexts_.load()) {
        refuse({valid.error().message, std::move(pair), false});
        return;
    }
    auto context = ServerContext::make(*identity, settings_.server);
    if (!context) {
        refuse({context.error().message, std::move(pair), false});
        return;
    }
    take(std::move(pair), *identity, std::move(*context));
}

void CertificateFiles::take(Pair pair, const Identity& identity,
                            std::shared_ptr<const ServerContext> context) {
    const bool first = contexts_.load() == nullptr;
    for (const auto& warning : identity.warnings) {
        logger_.warn("Serving certificate taken, but look at it", {{"why", warning}});
    }
    using std::chrono::duration_cast;
    const auto expiry = identity.not_after.time_since_epoch();
    expiry_.set(static_cast<double>(duration_cast<std::chrono::seconds>(expiry).count()));
    contexts_.publish(std::move(context));
    serving_ = std::move(pair);
    invalid_told_.reset();
    settle();
    reloads_ok_.increment(first ? 0 : 1);
    logger_.info(first ? "Serving certificate loaded" : "Serving certificate reloaded",
                 {{"folder", settings_.folder.native()}});
}

void CertificateFiles::refuse(Refused refused) {
    if (told_ && told_->why == refused.why && told_->pair == refused.pair) {
        return;
    }
    const bool serves = contexts_.load() != nullptr;
    if (refused.may_be_half_written && serves) {
        if (!pending_ || pending_->why != refused.why || pending_->pair != refused.pair) {
            pending_ = std::move(refused);
            pending_since_ = clock_.now();
            return;
        }
        if (clock_.now() - pending_since_ < kHalfWritten) {
            return;
        }
    }
    // Files that are not there are no content that could be rejected.
    reloads_rejected_.increment(serves && refused.pair != Pair{} ? 1 : 0);
    problem_.publish(std::make_shared<const std::string>(refused.why));
    logger_.error("No usable certificate in the files",
                  {{"why", refused.why}, {"keepsServing", serves}});
    pending_.reset();
    told_ = std::move(refused);
}

/// What is in the files is what serves.
void CertificateFiles::settle() {
    pending_.reset();
    told_.reset();
    problem_.publish(nullptr);
}

/// Also the pair that serves may expire, or become valid at last.
void CertificateFiles::watch_validity() {
    const auto context = contexts_.load();
    if (!context) {
        return;
    }
    const auto valid = validity(context->identity(), clock_.wall());
    if (valid) {
        invalid_told_.reset();
        return;
    }
    if (!told_) {
        problem_.publish(std::make_shared<const std::string>(valid.error().message));
    }
    if (!invalid_told_ || clock_.now() - *invalid_told_ >= kInvalidAgain) {
        invalid_told_ = clock_.now();
        logger_.error("The certificate that is served is not valid",
                      {{"why", valid.error().message}});
    }
}

Task<void> CertificateFiles::follow(boost::asio::any_io_executor executor) {
    async::FolderWatcher watcher{executor, settings_.folder,
                                 std::min(settings_.poll, Duration{kHalfWritten})};
    for (;;) {
        load();
        co_await watcher.wait();
    }
}

}  // namespace smw::tls
