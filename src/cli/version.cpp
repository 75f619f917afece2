// `version`: which build this is.

#include "smw/base/version.hpp"

#include "cli/commands.hpp"

#include <ostream>

namespace smw::cli {
namespace {

class Version final : public Command {
public:
    [[nodiscard]] std::string_view name() const override { return "version"; }
    [[nodiscard]] std::string_view summary() const override {
        return "Print version and revision of this build";
    }

    [[nodiscard]] int run(const Call& call) override {
        call.console.out << kProgram << ' ' << version() << " (" << revision() << ")\n";
        return 0;
    }
};

}  // namespace

std::unique_ptr<Command> make_version() {
    return std::make_unique<Version>();
}

}  // namespace smw::cli
