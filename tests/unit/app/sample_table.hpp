#pragma once
// A small option table with one row of each type.

#include "smw/app/command_line.hpp"

#include <string>
#include <vector>

namespace smw::app {

struct Sample {
    std::uint16_t webhook_port = 9443;
    std::string cert_dir = "/tmp/certs";
    bool leader_elect = false;
    std::vector<std::string> enable{"checkpoint-restore"};
    std::chrono::steady_clock::duration shutdown_delay = std::chrono::seconds{15};
    std::string output = "text";
};

inline Options sample_options(Sample& sample) {
    return {
        config_option(),
        {"webhook-port", "Listeners", "port", "9443", "Port of the listener.",
         set_port(sample.webhook_port)},
        {"cert-dir", "Listeners", "folder", "/tmp/certs", "Folder with the certificate.",
         set_string(sample.cert_dir)},
        {"leader-elect", "Other", "bool", "false", "Accepted.", set_bool(sample.leader_elect)},
        {"enable", "Other", "list", "checkpoint-restore", "Which systems.",
         set_list(sample.enable)},
        {"shutdown-delay", "Other", "duration", "15s", "How long.",
         set_duration(sample.shutdown_delay)},
        {"output", "Other", "text|json", "text", "Shape of the answer.", set_string(sample.output)},
    };
}

}  // namespace smw::app
