#pragma once
// What `review` says about one document, in each of its shapes. Pure.

#include "cli/input_documents.hpp"
#include "smw/base/error.hpp"
#include "smw/checkpoint_restore/offline.hpp"

#include <string>

namespace smw::cli {

struct Verdict {
    Place place;
    std::string kind;  ///< of the document that was judged
    std::string namespace_;
    std::string name;
    checkpoint_restore::Judgement judgement;
    std::string diff;  ///< hunks of the object as YAML; empty when it stays as it is
};

/// Colours, or none: the same text either way.
class Paint {
public:
    explicit Paint(bool colours) : colours_(colours) {}

    [[nodiscard]] std::string bold(std::string_view text) const { return wrap("1", text); }
    [[nodiscard]] std::string dim(std::string_view text) const { return wrap("2", text); }
    [[nodiscard]] std::string red(std::string_view text) const { return wrap("31", text); }
    [[nodiscard]] std::string green(std::string_view text) const { return wrap("32", text); }
    [[nodiscard]] std::string yellow(std::string_view text) const { return wrap("33", text); }
    [[nodiscard]] std::string cyan(std::string_view text) const { return wrap("36", text); }

private:
    /// SGR, ECMA-48 section 8.3.117.
    [[nodiscard]] std::string wrap(std::string_view code, std::string_view text) const;

    bool colours_;
};

/// The decision as a sentence.
[[nodiscard]] std::string in_words(const checkpoint_restore::Judgement& judgement);

/// For people: paragraphs, ending in a newline.
[[nodiscard]] std::string to_text(const Verdict& verdict, const Paint& paint);
/// For programs: one object.
[[nodiscard]] json::Text to_json(const Verdict& verdict);

}  // namespace smw::cli
