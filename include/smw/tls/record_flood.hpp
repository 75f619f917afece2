#pragma once
// Peers that send handshake messages without end once the handshake is done: KeyUpdates (TLS 1.3),
// demands for renegotiation (TLS 1.2). OpenSSL answers each and never says that it did, so that no
// time limit would see them. BoringSSL and Go have a limit of their own.

struct ssl_st;
struct ssl_ctx_st;

namespace smw::tls {

/// Without a byte of data between them. Go takes 16, BoringSSL 32.
inline constexpr int kMaxHandshakeRecords = 32;

/// Ends reading on a session that receives more.
void limit_handshake_records(ssl_ctx_st* context);

/// The session has given data: counts anew. An empty record is none.
void heard_data(ssl_st* session);

/// Whether that has happened to this one.
[[nodiscard]] bool is_flooded(const ssl_st* session);

}  // namespace smw::tls
