#include "checkpoint_restore/offline_reader.hpp"

#include "checkpoint_restore/job_request.hpp"
#include "checkpoint_restore/resources.hpp"
#include "smw/watch/list_page.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace smw::checkpoint_restore {
namespace {

constexpr std::size_t kPageLimit = 500;
/// 500,000 objects: an API server whose list has no end must not keep us for ever.
constexpr std::size_t kMostObjects = 500'000;

constexpr int kNotFound = 404;

client::ApiRequest page_request(const std::string& namespace_, const std::string& token,
                                std::size_t limit) {
    client::ApiRequest request;
    request.verb = "list";
    request.resource = checkpoint_backups();
    request.namespace_ = namespace_;
    request.query.emplace_back("limit", std::to_string(limit));
    if (!token.empty()) {
        request.query.emplace_back("continue", token);
    }
    return request;
}

Expected<void> take(const std::string& namespace_, json::Value items,
                    const std::set<kube::ObjectKey>& given, BackupStore& backups) {
    for (const auto item : items.items()) {
        const auto key = watch::read_object_key(item);
        if (key && key->namespace_ == namespace_ && !given.contains(*key)) {
            if (auto applied = backups.apply(item); !applied) {
                return applied;
            }
        }
    }
    return {};
}

}  // namespace

Expected<void> OfflineReader::list(const std::string& namespace_,
                                   const std::set<kube::ObjectKey>& given, BackupStore& backups) {
    std::string token;
    std::size_t limit = kPageLimit;
    for (std::size_t asked = 0; asked < kMostObjects; asked += limit) {
        const auto answer = api_(page_request(namespace_, token, limit));
        if (!answer && answer.error().error.code == Code::TooLarge && limit > 1) {
            limit /= 4;  // a page of large objects: the same place in the list, in smaller steps
            limit = std::max<std::size_t>(limit, 1);
            continue;
        }
        if (!answer) {
            const bool absent = token.empty() && answer.error().may_mean_absent();
            return absent ? Expected<void>{} : tl::unexpected(answer.error().error);
        }
        const auto page = watch::read_list_page(answer->root());
        if (!page) {
            return annotate(page.error(), "listing CheckpointBackups");
        }
        if (auto taken = take(namespace_, page->items, given, backups); !taken) {
            return taken;
        }
        token = page->continue_token;
        if (token.empty()) {
            return {};
        }
    }
    return fail(Code::TooLarge,
                fmt::format("listing CheckpointBackups: more than {} objects", kMostObjects));
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
    if (!answer && answer.error().status.code == kNotFound &&
        answer.error().is_said_by_api_server()) {
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
