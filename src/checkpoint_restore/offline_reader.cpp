#include "checkpoint_restore/offline_reader.hpp"

#include "checkpoint_restore/job_request.hpp"
#include "checkpoint_restore/resources.hpp"

#include <fmt/format.h>

#include <utility>

namespace smw::checkpoint_restore {
namespace {

constexpr std::string_view kPageLimit = "500";
/// 500,000 objects: an API server whose list has no end must not keep us for ever.
constexpr int kMostPages = 1'000;

constexpr int kNotFound = 404;

client::ApiRequest page_request(const std::string& namespace_, const std::string& token) {
    auto backups = checkpoint_backups();
    client::ApiRequest request;
    request.verb = "list";
    request.group = std::move(backups.group);
    request.version = std::move(backups.version);
    request.plural = std::move(backups.plural);
    request.namespace_ = namespace_;
    request.query.emplace_back("limit", kPageLimit);
    if (!token.empty()) {
        request.query.emplace_back("continue", token);
    }
    return request;
}

/// metadata.continue; empty on the last page.
std::string token_of(json::Value page) {
    const auto metadata = page.find("metadata");
    const auto token = metadata ? metadata->find("continue") : std::nullopt;
    return std::string{token ? token->string().value_or(std::string_view{}) : std::string_view{}};
}

}  // namespace

Expected<void> OfflineReader::list(const std::string& namespace_,
                                   const std::set<kube::ObjectKey>& given, BackupStore& backups) {
    std::string token;
    for (int page = 0; page < kMostPages; ++page) {
        const auto answer = api_(page_request(namespace_, token));
        if (!answer) {
            const bool absent = page == 0 && answer.error().status.code == kNotFound;
            return absent ? Expected<void>{} : tl::unexpected(answer.error().error);
        }
        const auto items = answer->root().find("items");
        if (!items || !items->is_array()) {
            return fail(Code::Internal, "listing CheckpointBackups: the answer has no items");
        }
        for (const auto item : items->items()) {
            const auto key = watch::read_object_key(item);
            if (key && key->namespace_ == namespace_ && !given.contains(*key)) {
                if (auto applied = backups.apply(item); !applied) {
                    return applied;
                }
            }
        }
        token = token_of(answer->root());
        if (token.empty()) {
            return {};
        }
    }
    return fail(Code::TooLarge, fmt::format("listing CheckpointBackups: more than {} pages of {}",
                                            kMostPages, kPageLimit));
}

Expected<void> OfflineReader::read_backups(std::string_view namespace_,
                                           const std::set<kube::ObjectKey>& given,
                                           BackupStore& backups) {
    auto known = read_.find(namespace_);
    if (known == read_.end()) {
        std::string name{namespace_};
        auto done = list(name, given, backups);
        known = read_.emplace(std::move(name), std::move(done)).first;
    }
    return known->second;
}

Expected<Owner> OfflineReader::read_owner_of(const Pod& pod) {
    JobQuestion question;
    question.namespace_ = pod.namespace_;
    question.name = pod.job;
    question.uid = pod.job_uid;
    Owner gone;
    gone.state = Owner::State::Gone;
    if (!question.can_exist()) {
        return gone;
    }
    const auto answer = api_(job_request(question));
    if (!answer && answer.error().status.code == kNotFound) {
        return gone;
    }
    if (!answer) {
        return tl::unexpected(answer.error().error);
    }
    auto owner = read_owner(question, answer->root());
    if (!owner) {
        return fail(Code::Internal,
                    fmt::format("reading Job {}/{}: {}", question.namespace_, question.name,
                                "the answer is about another object"));
    }
    return *std::move(owner);
}

}  // namespace smw::checkpoint_restore
