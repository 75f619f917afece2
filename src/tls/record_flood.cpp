#include "smw/tls/record_flood.hpp"

#include <openssl/ssl.h>

#include <cstdint>

namespace smw::tls {

namespace {

/// Where a session keeps how many came in a row: a number in the place of a pointer.
int slot() {
    static const int index = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
    return index;
}

std::intptr_t in_a_row(const SSL* session) {
    return reinterpret_cast<std::intptr_t>(SSL_get_ex_data(session, slot()));
}

void set_in_a_row(SSL* session, std::intptr_t count) {
    SSL_set_ex_data(session, slot(), reinterpret_cast<void*>(count));
}

/// Of a record's header the first byte is its type; TLS 1.3 hides the true one inside.
void note_record(SSL* session, int type) {
    if (type != SSL3_RT_HANDSHAKE) {
        return;
    }
    const auto count = in_a_row(session) + 1;
    set_in_a_row(session, count);
    if (count > kMaxHandshakeRecords) {
        // As if the peer had closed: OpenSSL reads nothing more.
        SSL_set_shutdown(session, SSL_get_shutdown(session) | SSL_RECEIVED_SHUTDOWN);
    }
}

void hear(int sent, int, int content, const void* bytes, size_t size, SSL* session, void*) {
    if (sent != 0 || size == 0 || SSL_is_init_finished(session) == 0) {
        return;
    }
    const bool is_type = content == SSL3_RT_INNER_CONTENT_TYPE ||
                         (content == SSL3_RT_HEADER && SSL_version(session) < TLS1_3_VERSION);
    if (is_type) {
        note_record(session, *static_cast<const unsigned char*>(bytes));
    }
}

}  // namespace

void limit_handshake_records(SSL_CTX* context) {
    SSL_CTX_set_msg_callback(context, hear);
}

void heard_data(SSL* session) {
    if (in_a_row(session) != 0) {
        set_in_a_row(session, 0);
    }
}

bool is_flooded(const SSL* session) {
    return in_a_row(session) > kMaxHandshakeRecords;
}

}  // namespace smw::tls
