#include "smw/watch/store.hpp"

namespace smw::watch {

Expected<kube::ObjectKey> read_object_key(json::Value object) {
    const auto metadata = object.find("metadata");
    const auto name = metadata ? metadata->find("name") : std::nullopt;
    if (!name || name->string().value_or(std::string_view{}).empty()) {
        return fail(Code::BadRequest, "metadata.name is missing or no string");
    }
    kube::ObjectKey key;
    key.name = *name->string();
    if (const auto namespace_ = metadata->find("namespace")) {
        const auto text = namespace_->string();
        if (!text) {
            return fail(Code::BadRequest, "metadata.namespace is no string");
        }
        key.namespace_ = *text;
    }
    return key;
}

}  // namespace smw::watch
