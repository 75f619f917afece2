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

Expected<std::string> read_file(const std::filesystem::path& path) {
    std::error_code error;
    if (!std::filesystem::is_regular_file(path, error)) {
        return fail(Code::NotFound, fmt::format("{} is not there", path.string()));
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

void CertificateFiles::load() {
    auto chain = read_file(settings_.folder / settings_.certificate_name);
    auto key = read_file(settings_.folder / settings_.key_name);
    if (!chain || !key) {
        reject((chain ? key : chain).error().message);
        return;
    }
    std::string content = *chain + *key;
    if (content == seen_) {
        return;
    }
    take(std::move(*chain), std::move(*key));
}

void CertificateFiles::take(std::string chain, std::string key) {
    std::string content = chain + key;
    const bool first = contexts_.load() == nullptr;
    auto identity =
        make_identity(std::move(chain), std::move(key), {settings_.expected_names, clock_.wall()});
    Expected<void> valid = identity ? validity(*identity, clock_.wall()) : Expected<void>{};
    // An expired pair at the start is served: a caller may still accept it, and refusing helps
    // nobody. Later the old pair is better.
    auto context = identity && (valid || first)
                       ? ServerContext::make(*identity, settings_.server)
                       : Expected<std::shared_ptr<const ServerContext>>{
                             tl::unexpected(identity ? valid.error() : identity.error())};
    if (!context) {
        if (pending_ != content) {
            pending_ = content;
            pending_since_ = clock_.now();
        }
        const bool half_written = !identity && clock_.now() - pending_since_ < kHalfWritten;
        if (!half_written || first) {
            seen_ = std::move(content);
            reloads_rejected_.increment(first ? 0 : 1);
            reject(context.error().message);
        }
        return;
    }
    seen_ = std::move(content);
    for (const auto& warning : identity->warnings) {
        logger_.warn("Serving certificate taken, but look at it", {{"why", warning}});
    }
    using std::chrono::duration_cast;
    const auto expiry =
        duration_cast<std::chrono::seconds>(identity->not_after.time_since_epoch()).count();
    expiry_.set(static_cast<double>(expiry));
    contexts_.publish(std::move(*context));
    problem_.publish(valid ? nullptr : std::make_shared<const std::string>(valid.error().message));
    reloads_ok_.increment(first ? 0 : 1);
    logger_.info(first ? "Serving certificate loaded" : "Serving certificate reloaded",
                 {{"folder", settings_.folder.native()}});
}

void CertificateFiles::reject(const std::string& why) {
    const auto known = problem_.load();
    if (known && *known == why) {
        return;
    }
    problem_.publish(std::make_shared<const std::string>(why));
    logger_.error("No usable certificate in the files",
                  {{"why", why}, {"keepsServing", contexts_.load() != nullptr}});
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
