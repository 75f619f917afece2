#include "cli/verdict.hpp"

namespace smw::cli {
namespace {

using checkpoint_restore::Candidate;
using checkpoint_restore::Judgement;

void write_images(json::Writer& writer, const Judgement& judgement) {
    writer.key("images").begin_array();
    for (const auto& image : judgement.images) {
        writer.begin_object();
        writer.member("container", std::string_view{image.container});
        writer.member("original", std::string_view{image.original});
        writer.member("image", std::string_view{image.image});
        writer.end_object();
    }
    writer.end_array();
}

void write_strings(json::Writer& writer, std::string_view key,
                   const std::vector<std::string>& texts) {
    writer.key(key).begin_array();
    for (const auto& text : texts) {
        writer.value(std::string_view{text});
    }
    writer.end_array();
}

void write_candidate(json::Writer& writer, const Candidate& candidate) {
    writer.begin_object();
    writer.member("name", std::string_view{candidate.name});
    writer.member("resource", std::string_view{candidate.resource});
    writer.member("match", std::string_view{candidate.match});
    writer.member("decided", candidate.decided);
    writer.member("why", std::string_view{candidate.why});
    writer.key("images").begin_array();
    for (const auto& image : candidate.images) {
        writer.begin_object();
        writer.member("container", std::string_view{image.container});
        writer.member("image", std::string_view{image.image});
        writer.member("from", std::string_view{image.from});
        writer.member("usable", image.usable);
        writer.member("why", std::string_view{image.why});
        writer.end_object();
    }
    writer.end_array();
    write_strings(writer, "unknownContainers", candidate.unknown_containers);
    writer.end_object();
}

}  // namespace

json::Text to_json(const Verdict& verdict) {
    const auto& judgement = verdict.judgement;
    json::Text text;
    json::Writer writer{text.json};
    writer.begin_object();
    writer.member("file", std::string_view{verdict.place.file});
    writer.member("line", std::int64_t{verdict.place.line});
    writer.member("kind", std::string_view{verdict.kind});
    writer.member("namespace", std::string_view{verdict.namespace_});
    writer.member("name", std::string_view{verdict.name});
    writer.member("reason", judgement.reason);
    writer.member("message", std::string_view{in_words(judgement)});
    writer.member("pod", std::string_view{judgement.pod});
    writer.member("job", std::string_view{judgement.job});
    writer.member("owner", std::string_view{judgement.owner});
    writer.member("backup", std::string_view{judgement.backup});
    write_images(writer, judgement);
    writer.member("patch", admission::to_json(judgement.patch));
    write_strings(writer, "warnings", judgement.response.warnings);
    writer.key("candidates").begin_array();
    for (const auto& candidate : judgement.candidates) {
        write_candidate(writer, candidate);
    }
    writer.end_array().end_object();
    return text;
}

}  // namespace smw::cli
