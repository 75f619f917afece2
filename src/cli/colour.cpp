#include "cli/colour.hpp"

namespace smw::cli {
namespace {

app::Set set_colour(Colour& target) {
    return [&target](std::string_view text) -> Expected<void> {
        if (text == "auto") {
            target = Colour::Auto;
        } else if (text == "always") {
            target = Colour::Always;
        } else if (text == "never") {
            target = Colour::Never;
        } else {
            return fail(Code::BadRequest, "must be auto, always or never");
        }
        return {};
    };
}

}  // namespace

Option colour_option(const std::string& group, Colour& target) {
    return {"color",
            group,
            "auto|always|never",
            "auto",
            "Colours in the text: auto has them on a terminal, unless NO_COLOR is set.",
            set_colour(target)};
}

bool is_coloured(Colour colour, bool terminal) {
    switch (colour) {
        case Colour::Auto:
            return terminal;
        case Colour::Always:
            return true;
        case Colour::Never:
            return false;
    }
    return false;
}

}  // namespace smw::cli
