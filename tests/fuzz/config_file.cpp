// The --config file, and what the rows of the option table take.

#include "app/config_file.hpp"

#include "smw/base/clock.hpp"
#include "target.hpp"
#include "targets.hpp"

namespace smw::fuzz {
namespace {

struct Configuration {
    std::uint16_t port = 1;
    std::size_t count = 1;
    std::size_t bytes = 1;
    bool flag = false;
    std::string text;
    std::string address;
    std::vector<std::string> list;
    Duration duration{};
    app::BindAddress bind;

    Options options() {
        return {
            {"config", "G", "file", "", "", app::set_string(text)},
            {"port", "G", "port", "1", "", app::set_port(port)},
            {"count", "G", "number", "1", "", app::set_count(count, 1, 1000)},
            {"bytes", "G", "bytes", "1", "", app::set_bytes(bytes)},
            {"flag", "G", "bool", "false", "", app::set_bool(flag)},
            {"text", "G", "text", "", "", app::set_string(text)},
            {"address", "G", "address", "", "", app::set_address(address)},
            {"list", "G", "list", "", "", app::set_list(list)},
            {"long-duration", "G", "duration", "0", "", app::set_duration(duration)},
            {"bind", "G", "address", "", "", app::set_bind_address(bind)},
        };
    }
};

}  // namespace

void config_file(std::string_view bytes) {
    Configuration configuration;
    const auto options = configuration.options();
    const auto reading = app::read_config_text(options, {"other"}, "smw.yaml", bytes);
    for (const auto& error : reading.errors) {
        check(is_one_line(error), "an error that is more than a line");
    }
    for (const auto& [index, given] : reading.values) {
        check(is_one_line(given.origin), "an origin that is more than a line");
        const auto set = options.at(index).set(given.text);
        check(set || is_one_line(set.error().message), "an error that is more than a line");
    }
    check(configuration.count >= 1 && configuration.count <= 1000, "a count out of bounds");
    check(configuration.bytes > 0, "a size of nothing");
    check(configuration.duration >= Duration::zero() &&
              configuration.duration <= std::chrono::hours{8760},
          "a duration out of bounds");
    for (const auto& entry : configuration.list) {
        check(!entry.empty(), "an entry of nothing");
    }
}

}  // namespace smw::fuzz
