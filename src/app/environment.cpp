#include "app/environment.hpp"

#include "smw/app/nearest.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace smw::app {
namespace {

constexpr std::string_view kPrefix = "SMW_";

bool is_for_tests(std::string_view name) {
    return name.starts_with("SMW_E2E_") || name == "SMW_CACHE_DIR";
}

/// kubelet puts {SVC}_SERVICE_HOST, {SVC}_SERVICE_PORT[_NAME], {SVC}_PORT and {SVC}_PORT_443_TCP...
/// of every Service of the namespace into a container's environment: a Service named "smw-webhook"
/// must not stop us from starting.
bool is_service_link(std::string_view name, std::string_view value,
                     const EnvironmentVariables& environment) {
    constexpr std::string_view kHost = "_SERVICE_HOST";
    const auto at = environment.lower_bound(kPrefix);
    return std::any_of(at, environment.end(), [&](const auto& variable) {
        const std::string_view host = variable.first;
        if (!host.starts_with(kPrefix) || !host.ends_with(kHost)) {
            return false;
        }
        const auto service = host.substr(0, host.size() - kHost.size());
        if (!name.starts_with(service)) {
            return false;
        }
        const auto rest = name.substr(service.size());
        return rest == kHost || (rest == "_PORT" && value.find("://") != std::string_view::npos) ||
               rest.starts_with("_PORT_") || rest == "_SERVICE_PORT" ||
               rest.starts_with("_SERVICE_PORT_");
    });
}

class EnvironmentReader {
public:
    EnvironmentReader(const Options& options, const Invocation& invocation)
        : invocation_(invocation), names_(names_of(options, variable_name)) {
        for (const auto& name : invocation.other_names) {
            others_.push_back(variable_name(name));
        }
    }

    Reading read() && {
        const auto& environment = invocation_.environment;
        for (auto at = environment.lower_bound(kPrefix);
             at != environment.end() && at->first.starts_with(kPrefix); ++at) {
            const auto& [name, value] = *at;
            if (!value.empty() && !is_for_tests(name) &&
                !is_service_link(name, value, environment)) {
                take(name, value);
            }
        }
        return std::move(out_);
    }

private:
    void take(const std::string& name, const std::string& value) {
        const auto found = std::ranges::find(names_, name);
        if (found != names_.end()) {
            out_.values.emplace(static_cast<std::size_t>(found - names_.begin()),
                                GivenValue{value, name});
        } else if (std::ranges::find(others_, name) == others_.end()) {
            out_.errors.push_back(
                fmt::format("unknown variable {}{}", name, did_you_mean(name, names_)));
        }
    }

    const Invocation& invocation_;
    std::vector<std::string> names_;  ///< by index into the table
    std::vector<std::string> others_;
    Reading out_;
};

}  // namespace

Reading read_environment(const Options& options, const Invocation& invocation) {
    return EnvironmentReader{options, invocation}.read();
}

}  // namespace smw::app
