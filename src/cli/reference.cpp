// `reference`: docs/reference.md, from the same table that parses.

#include "cli/commands.hpp"

#include <fmt/format.h>

#include <ostream>

namespace smw::cli {
namespace {

constexpr std::string_view kIntroduction =
    "# Reference\n\n"
    "Written by `stateful-migration-webhook reference`; change the option table, not this page.\n\n"
    "Each option can be given in three ways. The flag beats the environment variable, the "
    "variable\n"
    "beats the file, the file beats the default.\n\n"
    "- As a flag: `--webhook-port 9443`, `--webhook-port=9443`, with one dash or two. A `bool`\n"
    "  without a value is true, and takes one behind `=` only. Of a flag given twice the last\n"
    "  counts.\n"
    "- As an environment variable: `SMW_WEBHOOK_PORT=9443`. An empty one counts as not set, an\n"
    "  unknown one is an error; what kubelet sets for a Service named `smw-…` is neither.\n"
    "- As a key in the YAML file that `--config` names, which is one flat map: `webhookPort: "
    "9443`.\n"
    "  Lists are YAML lists (`enable: [checkpoint-restore]`) or texts with commas. An unknown key\n"
    "  is an error.\n\n"
    "All errors are printed, a line each on stderr, and the process ends with exit status 2.\n";

class Reference final : public Command {
public:
    [[nodiscard]] std::string_view name() const override { return "reference"; }
    [[nodiscard]] std::string_view summary() const override { return "Print docs/reference.md"; }

    [[nodiscard]] int run(const Call& call) override {
        auto& out = call.console.out;
        out << kIntroduction << "\n## Commands\n\n| command | what it does |\n|---|---|\n";
        for (const auto& command : call.commands) {
            const auto operands = command->operands();
            out << fmt::format("| `{}{}{}` | {} |\n", command->name(), operands.empty() ? "" : " ",
                               operands, command->summary());
        }
        for (const auto& command : call.commands) {
            const auto options = command->options();
            if (!options.empty()) {
                out << fmt::format("\n## {}\n\n", command->name());
                if (!command->about().empty()) {
                    out << command->about() << '\n';
                }
                out << app::reference_page(options);
            }
        }
        return 0;
    }
};

}  // namespace

std::unique_ptr<Command> make_reference() {
    return std::make_unique<Reference>();
}

}  // namespace smw::cli
