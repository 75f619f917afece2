#include "cli/colour.hpp"

#include "cli/choice.hpp"

namespace smw::cli {

Option colour_option(const std::string& group, Colour& target) {
    return {"color",
            group,
            "auto|always|never",
            "auto",
            "Colours in the text: auto has them on a terminal, unless NO_COLOR is set.",
            set_choice<Colour>(
                target,
                {{"auto", Colour::Auto}, {"always", Colour::Always}, {"never", Colour::Never}})};
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
