// `serve`: the server, configured.

#include "smw/app/serve.hpp"

#include "cli/commands.hpp"
#include "smw/app/systems.hpp"

#include <iterator>

namespace smw::cli {
namespace {

class Serve final : public Command {
public:
    Serve() {
        for (const auto factory : app::system_factories()) {
            systems_.push_back(factory());
        }
    }

    [[nodiscard]] std::string_view name() const override { return "serve"; }
    [[nodiscard]] std::string_view summary() const override { return "Serve the webhook"; }
    [[nodiscard]] std::string_view about() const override {
        return "Serves until SIGTERM or SIGINT. Exit status: 0 after an orderly stop, 1 after a\n"
               "failure that the log names, 2 when the configuration has errors.\n";
    }

    [[nodiscard]] Options options() override {
        Options rows = app::serve_options(settings_);
        for (const auto& system : systems_) {
            auto own = system->options();
            rows.insert(rows.end(), std::make_move_iterator(own.begin()),
                        std::make_move_iterator(own.end()));
        }
        rows.push_back(app::config_option());
        return rows;
    }

    [[nodiscard]] std::vector<std::string> check(const app::Configured& configured) override {
        std::vector<std::string> known;
        for (const auto& system : systems_) {
            known.emplace_back(system->name());
        }
        return app::check_settings(settings_, configured, known, client::find_cluster);
    }

    [[nodiscard]] int run(const Call&) override {
        return app::serve(settings_, std::move(systems_));
    }

private:
    app::ServeSettings settings_;
    app::Systems systems_;
};

}  // namespace

std::unique_ptr<Command> make_serve() {
    return std::make_unique<Serve>();
}

}  // namespace smw::cli
