#include "client/kubeconfig.hpp"

#include "client/kubeconfig_entries.hpp"
#include "client/kubeconfig_mapping.hpp"
#include "smw/json/document.hpp"
#include "smw/json/yaml.hpp"

#include <fmt/format.h>

#include <optional>
#include <utility>

namespace smw::client {
namespace {

struct Parsed {
    std::filesystem::path path;
    json::Document document;

    [[nodiscard]] KubeconfigMapping root() const { return {path.string(), "", document.root()}; }
};

Expected<void> check_structure(const Parsed& file) {
    const auto root = file.root();
    const auto kind = root.text("kind");
    if (!kind) {
        return tl::unexpected(kind.error());
    }
    if (!kind->empty() && *kind != "Config") {
        return root.refuse("kind", "is not Config: this is no kubeconfig");
    }
    constexpr std::pair<std::string_view, std::string_view> kLists[] = {
        {"clusters", "cluster"}, {"users", "user"}, {"contexts", "context"}};
    for (const auto& [list, item] : kLists) {
        if (auto good = root.check_entries(list, item); !good) {
            return good;
        }
    }
    return {};
}

/// Nothing when the file says nothing.
Expected<std::optional<Parsed>> parse(const KubeconfigFile& file) {
    auto documents = json::parse_yaml(file.text);
    if (!documents) {
        return annotate(documents.error(), file.path.string());
    }
    if (documents->empty()) {
        return std::optional<Parsed>{};
    }
    if (documents->size() > 1) {
        return fail(Code::BadRequest, fmt::format("{}: line {}: a second document begins here",
                                                  file.path.string(), (*documents)[1].line));
    }
    auto document = json::Document::parse(std::move(documents->front().json.json));
    if (!document) {
        return annotate(document.error(), file.path.string());
    }
    if (!document->root().is_object()) {
        return fail(Code::BadRequest,
                    fmt::format("{}: must be a mapping with clusters, users and contexts",
                                file.path.string()));
    }
    Parsed parsed{file.path, *std::move(document)};
    if (auto good = check_structure(parsed); !good) {
        return tl::unexpected(good.error());
    }
    return std::optional<Parsed>{std::move(parsed)};
}

std::string names_of(const std::vector<KubeconfigFile>& files) {
    std::string names;
    for (const auto& file : files) {
        names += fmt::format("{}{}", names.empty() ? "" : ", ", file.path.string());
    }
    return names;
}

/// The entry of the first file that has it.
std::optional<KubeconfigEntry> find(const std::vector<Parsed>& files, std::string_view list,
                                    std::string_view item, std::string_view name) {
    for (const auto& file : files) {
        if (auto mapping = file.root().entry(list, item, name)) {
            return KubeconfigEntry{*std::move(mapping), file.path.parent_path()};
        }
    }
    return std::nullopt;
}

/// What `mapping`.`key` names; not named, or not there, is an error.
struct Reference {
    const KubeconfigMapping& mapping;
    std::string_view key;
    std::string_view list;
    std::string_view item;
};

struct Referred {
    std::string name;
    KubeconfigEntry entry;
};

Expected<Referred> follow(const std::vector<Parsed>& files, const Reference& reference) {
    auto name = reference.mapping.text(reference.key);
    if (!name) {
        return tl::unexpected(name.error());
    }
    if (name->empty()) {
        return reference.mapping.refuse(reference.key, "is missing");
    }
    auto entry = find(files, reference.list, reference.item, *name);
    if (!entry) {
        return reference.mapping.refuse(
            reference.key,
            fmt::format("names {}, which is not among {}", shown(*name), reference.list));
    }
    return Referred{*std::move(name), *std::move(entry)};
}

Expected<FoundCluster> read_context(const std::vector<Parsed>& files, const Referred& context) {
    const auto& mapping = context.entry.mapping;
    const auto cluster = follow(files, {mapping, "cluster", "clusters", "cluster"});
    if (!cluster) {
        return tl::unexpected(cluster.error());
    }
    const auto user = follow(files, {mapping, "user", "users", "user"});
    if (!user) {
        return tl::unexpected(user.error());
    }
    FoundCluster found;
    found.config.source =
        fmt::format("kubeconfig {}, context {}", mapping.file(), shown(context.name));
    if (auto good = read_cluster(cluster->entry, found); !good) {
        return tl::unexpected(good.error());
    }
    if (auto good = read_user(user->entry, found); !good) {
        return tl::unexpected(good.error());
    }
    return found;
}

}  // namespace

Expected<FoundCluster> merge_kubeconfigs(const std::vector<KubeconfigFile>& files) {
    std::vector<Parsed> parsed;
    for (const auto& file : files) {
        auto one = parse(file);
        if (!one) {
            return tl::unexpected(one.error());
        }
        if (*one) {
            parsed.push_back(**std::move(one));
        }
    }
    if (parsed.empty()) {
        return fail(Code::BadRequest, fmt::format("{}: is empty", names_of(files)));
    }
    for (const auto& file : parsed) {
        const auto root = file.root();
        if (!root.has("current-context")) {
            continue;
        }
        const auto context = follow(parsed, {root, "current-context", "contexts", "context"});
        if (!context) {
            return tl::unexpected(context.error());
        }
        return read_context(parsed, *context);
    }
    return fail(Code::BadRequest, fmt::format("{}: current-context: is missing", names_of(files)));
}

}  // namespace smw::client
