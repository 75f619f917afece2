// The rows of the process in the option table.

#include "smw/app/serve.hpp"
#include "smw/kube/meta.hpp"

#include <fmt/format.h>

namespace smw::app {

namespace {

/// More than any machine's cores; each thread costs a stack and an event loop.
constexpr std::size_t kMostThreads = 1024;

Set set_certificates(Certificates& target) {
    return [&target](std::string_view text) -> Expected<void> {
        if (text == "files") {
            target = Certificates::Files;
        } else if (text == "self-managed") {
            target = Certificates::SelfManaged;
        } else if (text == "ephemeral") {
            target = Certificates::Ephemeral;
        } else {
            return fail(Code::BadRequest, "must be files, self-managed or ephemeral");
        }
        return {};
    };
}

/// --self-signed is short for --certificates=ephemeral.
Set set_self_signed(Certificates& target) {
    return [&target](std::string_view text) -> Expected<void> {
        bool self_signed = false;
        auto set = set_bool(self_signed)(text);
        if (set && self_signed) {
            target = Certificates::Ephemeral;
        }
        return set;
    };
}

Set set_on_error(OnError& target) {
    return [&target](std::string_view text) -> Expected<void> {
        if (text != "allow" && text != "fail") {
            return fail(Code::BadRequest, "must be allow or fail");
        }
        target = text == "fail" ? OnError::Fail : OnError::Allow;
        return {};
    };
}

Set set_log_level(log::Settings& target) {
    return [&target](std::string_view text) -> Expected<void> {
        const auto level = log::parse_level(text);
        if (!level) {
            return fail(Code::BadRequest, "must be debug, info, warn or error");
        }
        target.level = *level;
        return {};
    };
}

/// zap takes names, and numbers that mean "more than debug".
Set set_zap_log_level(log::Settings& target) {
    return [&target](std::string_view text) -> Expected<void> {
        const bool number =
            !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
        return set_log_level(target)(number ? std::string_view{"debug"} : text);
    };
}

Set set_log_format(log::Settings& target) {
    return [&target](std::string_view text) -> Expected<void> {
        const auto format = log::parse_format(text);
        if (!format) {
            return fail(Code::BadRequest, "must be text, json or logfmt");
        }
        target.format = *format;
        return {};
    };
}

Set set_zap_encoder(log::Settings& target) {
    return [&target](std::string_view text) -> Expected<void> {
        if (text != "json" && text != "console") {
            return fail(Code::BadRequest, "must be json or console");
        }
        return set_log_format(target)(text == "json" ? "json" : "text");
    };
}

Set set_tls_version(tls::ServerSettings& target) {
    return [&target](std::string_view text) -> Expected<void> {
        const auto version = tls::parse_protocol_version(text);
        if (!version) {
            return tl::unexpected(version.error());
        }
        target.min_version = *version;
        return {};
    };
}

Set set_cipher_suites(tls::ServerSettings& target) {
    return [&target](std::string_view text) -> Expected<void> {
        if (auto set = set_list(target.cipher_suites)(text); !set) {
            return set;
        }
        return tls::check_cipher_suites(target.cipher_suites);
    };
}

Set set_client_auth(tls::ClientAuth& target) {
    return [&target](std::string_view text) -> Expected<void> {
        const auto mode = tls::parse_client_auth(text);
        if (!mode) {
            return tl::unexpected(mode.error());
        }
        target = *mode;
        return {};
    };
}

Set ignore(std::vector<std::string>& ignored, std::string name) {
    return [&ignored, name = std::move(name)](std::string_view) -> Expected<void> {
        ignored.push_back(name);
        return {};
    };
}

void add_listeners(Options& rows, ServeSettings& settings) {
    constexpr auto kGroup = "Listeners";
    rows.push_back({"webhook-bind-address", kGroup, "address", "",
                    "Address of the webhook's listener; all interfaces when empty.",
                    set_address(settings.webhook_bind_address)});
    rows.push_back({"webhook-port", kGroup, "port", "9443",
                    "Port of the webhook's listener (TLS); 0 takes a free one.",
                    set_port(settings.webhook_port)});
    rows.push_back({"health-probe-bind-address", kGroup, "address", ":8081",
                    "Where /healthz, /livez, /readyz and /startupz are served; 0 turns it off.",
                    set_bind_address(settings.health_probe_bind_address)});
    rows.push_back({"metrics-bind-address", kGroup, "address", ":8080",
                    "Where /metrics is served; 0 turns it off.",
                    set_bind_address(settings.metrics_bind_address)});
}

void add_certificates(Options& rows, ServeSettings& settings) {
    constexpr auto kGroup = "Certificates";
    rows.push_back({"certificates", kGroup, "files|self-managed|ephemeral", "files",
                    "Where the serving certificate comes from: files in --cert-dir, made and "
                    "rotated in the cluster by the replicas themselves, or made in memory at each "
                    "start.",
                    set_certificates(settings.certificates)});
    rows.push_back({"self-signed", kGroup, "bool", "false", "Short for --certificates=ephemeral.",
                    set_self_signed(settings.certificates)});
    rows.push_back({"ca-out", kGroup, "file", "",
                    "Write the CA of an ephemeral certificate to this file, for caBundle.",
                    set_string(settings.ca_out)});
    rows.push_back({"cert-dir", kGroup, "folder", settings.cert_dir,
                    "Folder with the certificate and its key; followed through changes.",
                    set_string(settings.cert_dir)});
    rows.push_back({"cert-name", kGroup, "name", settings.cert_name,
                    "File of the certificate chain in --cert-dir.",
                    set_string(settings.cert_name)});
    rows.push_back({"key-name", kGroup, "name", settings.key_name,
                    "File of the private key in --cert-dir.", set_string(settings.key_name)});
    rows.push_back({"service-name", kGroup, "name", settings.service_name,
                    "Service that the certificate must be good for.",
                    set_string(settings.service_name)});
    rows.push_back({"service-namespace", kGroup, "name", "",
                    "Namespace of that Service; this pod's own when empty.",
                    set_string(settings.service_namespace)});
    rows.push_back({"tls-min-version", kGroup, "version", "VersionTLS12",
                    "Oldest TLS version that is spoken: VersionTLS12 or VersionTLS13.",
                    set_tls_version(settings.tls)});
    rows.push_back({"tls-cipher-suites", kGroup, "list", "",
                    "Cipher suites in kube-apiserver's spelling, by comma; OpenSSL's choice when "
                    "empty.",
                    set_cipher_suites(settings.tls)});
}

Set set_lifetime(std::chrono::seconds& target) {
    return [&target](std::string_view text) -> Expected<void> {
        constexpr std::chrono::hours kLongest{24 * 365 * 20};
        const auto span = kube::parse_duration(text);
        if (!span) {
            return fail(Code::BadRequest, "must be a duration such as 168h");
        }
        if (*span < std::chrono::seconds{1} || *span > kLongest) {
            return fail(Code::BadRequest, "must be between 1s and 175200h");
        }
        target = std::chrono::duration_cast<std::chrono::seconds>(*span);
        return {};
    };
}

void add_rotation(Options& rows, ServeSettings& settings) {
    constexpr auto kGroup = "Self-managed certificates";
    auto& rotation = settings.rotation;
    rows.push_back({"webhook-configuration", kGroup, "list",
                    settings.webhook_configurations.front(),
                    "Names of the webhook configurations whose caBundle is kept, by comma.",
                    set_list(settings.webhook_configurations)});
    rows.push_back({"leaf-lifetime", kGroup, "duration", "168h",
                    "How long a serving certificate lasts; renewed with a third of it left.",
                    set_lifetime(rotation.leaf_lifetime)});
    rows.push_back({"ca-lifetime", kGroup, "duration", "8760h",
                    "How long a CA lasts; the next one takes over with a third of it left.",
                    set_lifetime(rotation.ca_lifetime)});
    rows.push_back({"ca-overlap", kGroup, "duration", "24h",
                    "How long an old CA stays in caBundle after the next one has taken over.",
                    set_lifetime(rotation.ca_overlap)});
    rows.push_back({"ca-publish-wait", kGroup, "duration", "60s",
                    "How long every caBundle must have had a CA before it signs.",
                    set_lifetime(rotation.ca_publish_wait)});
}

void add_callers(Options& rows, ServeSettings& settings) {
    constexpr auto kGroup = "Callers";
    rows.push_back({"client-auth", kGroup, "off|report|require", "off",
                    "Ask callers for a client certificate: report logs and counts what came of it, "
                    "require answers 403 to who does not show a good one.",
                    set_client_auth(settings.callers.mode)});
    rows.push_back({"client-ca-file", kGroup, "file", "",
                    "CAs that client certificates are verified against, in PEM; followed through "
                    "changes.",
                    set_string(settings.client_ca_file)});
    rows.push_back({"client-allowed-names", kGroup, "list", "",
                    "Names by comma, one of which must be the certificate's CN or a SAN; any when "
                    "empty.",
                    set_list(settings.callers.allowed_names)});
}

/// A bookmark breaks the silence each minute; a second is for tests.
Set set_duration_from(std::chrono::seconds least, std::chrono::steady_clock::duration& target) {
    return [least, &target](std::string_view text) -> Expected<void> {
        std::chrono::steady_clock::duration span{};
        auto set = set_duration(span)(text);
        if (set && span < least) {
            return fail(Code::BadRequest, fmt::format("must be {}s at least", least.count()));
        }
        target = set ? span : target;
        return set;
    };
}

/// An idle watch is heard once a minute: less would call a healthy one stale.
constexpr std::chrono::seconds kLeastStaleness{120};

void add_state(Options& rows, ServeSettings& settings) {
    rows.push_back({"manifests", "State", "folder", "",
                    "Read CheckpointBackups and Jobs from the YAML and JSON files in this folder, "
                    "and follow changes. Implies --certificates=ephemeral unless --certificates or "
                    "--cert-dir is given.",
                    set_string(settings.manifests)});
    rows.push_back({"kubeconfig", "State", "file", "",
                    "Kubeconfig of the cluster; else KUBECONFIG, the pod's own service account, "
                    "~/.kube/config.",
                    set_string(settings.kubeconfig)});
    rows.push_back({"max-staleness", "State", "duration", "10m",
                    "Report the state as stale once nothing was heard from the API server for so "
                    "long (2m at least); it keeps serving.",
                    set_duration_from(kLeastStaleness, settings.max_staleness)});
    rows.push_back({"watch-silence", "State", "duration", "130s",
                    "Reconnect a watch after so long without a byte; bookmarks come each minute.",
                    set_duration_from(std::chrono::seconds{1}, settings.watch_silence)});
    rows.push_back({"enable", "State", "list", "checkpoint-restore",
                    "Which systems this process serves, by comma.", set_list(settings.enable)});
}

void add_limits(Options& rows, ServeSettings& settings) {
    constexpr auto kGroup = "Limits";
    auto& limits = settings.limits;
    rows.push_back({"threads", kGroup, "count", "min(4, CPUs allowed)",
                    "Event loops that serve reviews, a thread each.",
                    set_count(settings.threads, 1, kMostThreads)});
    rows.push_back({"max-body-bytes", kGroup, "bytes", "7Mi",
                    "Largest body of a request; larger ones are answered with 413.",
                    set_bytes(limits.max_body_bytes)});
    rows.push_back({"max-bytes-in-flight", kGroup, "bytes", "8Mi",
                    "Bodies in memory at a time; beyond it 503 with Retry-After. One body always "
                    "fits.",
                    set_bytes(limits.max_bytes_in_flight)});
    rows.push_back({"max-in-flight", kGroup, "count", "256",
                    "Reviews being decided at a time; beyond it 503 with Retry-After.",
                    set_count(settings.max_in_flight, 1)});
    rows.push_back({"max-connections", kGroup, "count", "1024",
                    "Open connections to the webhook; the longest idle one makes room for another.",
                    set_count(limits.max_connections, 1)});
}

void add_behaviour(Options& rows, ServeSettings& settings) {
    rows.push_back({"on-error", "Behaviour", "allow|fail", "allow",
                    "Answer to a review that cannot be decided in time: allow it with a warning, "
                    "or 503, so that failurePolicy decides.",
                    set_on_error(settings.on_error)});
    rows.push_back({"shutdown-delay", "Behaviour", "duration", "15s",
                    "After SIGTERM: how long to go on serving while endpoints are updated.",
                    set_duration(settings.shutdown_delay)});
    rows.push_back({"drain-timeout", "Behaviour", "duration", "25s",
                    "After that: how long requests in flight may take to finish.",
                    set_duration(settings.drain_timeout)});
}

void add_logging(Options& rows, ServeSettings& settings) {
    constexpr auto kGroup = "Logging";
    constexpr auto kOriginal = "Flags of the original";
    rows.push_back({"zap-log-level", kOriginal, "level", "", "As --log-level.",
                    set_zap_log_level(settings.log)});
    rows.push_back({"zap-encoder", kOriginal, "json|console", "",
                    "As --log-format (console is text).", set_zap_encoder(settings.log)});
    for (const auto* name : {"leader-elect", "zap-devel"}) {
        rows.push_back({name, kOriginal, "bool", "", "Accepted, and without effect.",
                        ignore(settings.ignored, name)});
    }
    for (const auto* name : {"leader-election-id", "zap-stacktrace-level", "zap-time-encoding"}) {
        rows.push_back({name, kOriginal, "text", "", "Accepted, and without effect.",
                        ignore(settings.ignored, name)});
    }
    rows.push_back({"log-level", kGroup, "debug|info|warn|error", "info",
                    "Least severe lines that are written.", set_log_level(settings.log)});
    rows.push_back({"log-format", kGroup, "text|json|logfmt", "text",
                    "Shape of the lines on stderr.", set_log_format(settings.log)});
}

}  // namespace

Options serve_options(ServeSettings& settings) {
    Options rows;
    add_state(rows, settings);
    add_listeners(rows, settings);
    add_certificates(rows, settings);
    add_rotation(rows, settings);
    add_callers(rows, settings);
    add_behaviour(rows, settings);
    add_limits(rows, settings);
    add_logging(rows, settings);
    return rows;
}

}  // namespace smw::app
