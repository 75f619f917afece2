#include "tls/pem.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <ctime>

namespace smw::tls {

WallTime wall_time(const ASN1_TIME* time) {
    using std::chrono::duration_cast;
    using std::chrono::seconds;
    std::tm fields{};
    ASN1_TIME_to_tm(time, &fields);
    const seconds since_epoch{::timegm(&fields)};
    return WallTime{std::clamp(since_epoch, duration_cast<seconds>(WallTime::duration::min()),
                               duration_cast<seconds>(WallTime::duration::max()))};
}

std::string utc_text(WallTime time) {
    return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}",
                       fmt::gmtime(std::chrono::system_clock::to_time_t(time)));
}

}  // namespace smw::tls
