#include "tls/pem.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <openssl/pem.h>

#include <algorithm>
#include <chrono>
#include <ctime>

namespace smw::tls {

Expected<std::vector<Certificate>> read_certificates(const std::string& pem,
                                                     std::string_view whose) {
    ERR_clear_error();
    std::vector<Certificate> certificates;
    const Bio bio = read_only(pem);
    while (X509* certificate = PEM_read_bio_X509(bio.get(), nullptr, no_passphrase, nullptr)) {
        certificates.emplace_back(certificate);
    }
    const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
    const std::string why = take_openssl_error();
    if (!at_end) {
        return fail(Code::BadRequest, fmt::format("certificate number {} of {} cannot be read: {}",
                                                  certificates.size() + 1, whose, why));
    }
    if (certificates.empty()) {
        return fail(Code::BadRequest, fmt::format("{} holds no certificate", whose));
    }
    return certificates;
}

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
