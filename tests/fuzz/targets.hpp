#pragma once
// All targets: one file each, of the same name.

#include <array>
#include <string_view>

namespace smw::fuzz {

void api_objects(std::string_view bytes);
void backup(std::string_view bytes);
void certificates(std::string_view bytes);
void config_file(std::string_view bytes);
void http_head(std::string_view bytes);
void image(std::string_view bytes);
void json(std::string_view bytes);
void kubeconfig(std::string_view bytes);
void list(std::string_view bytes);
void manifests(std::string_view bytes);
void patch(std::string_view bytes);
void review(std::string_view bytes);
void text(std::string_view bytes);
void times(std::string_view bytes);
void watch(std::string_view bytes);
void yaml(std::string_view bytes);

struct Target {
    std::string_view name;
    void (*run)(std::string_view bytes);
};

inline constexpr std::array kTargets{
    Target{"api_objects", api_objects},
    Target{"backup", backup},
    Target{"certificates", certificates},
    Target{"config_file", config_file},
    Target{"http_head", http_head},
    Target{"image", image},
    Target{"json", json},
    Target{"kubeconfig", kubeconfig},
    Target{"list", list},
    Target{"manifests", manifests},
    Target{"patch", patch},
    Target{"review", review},
    Target{"text", text},
    Target{"times", times},
    Target{"watch", watch},
    Target{"yaml", yaml},
};

}  // namespace smw::fuzz
