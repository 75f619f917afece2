#pragma once
// A client that sends exactly the bytes it is told to, over TLS or not, and says how the connection
// ended. Blocking; every wait ends after kPatience. Plain OpenSSL and sockets: nothing of ours.

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

struct ssl_st;
struct ssl_ctx_st;

namespace smw::test {

struct ClientSettings {
    std::string address = "127.0.0.1";
    std::uint16_t port = 0;
    bool tls = true;
    std::vector<std::string> alpn{"http/1.1"};
    int min_version = 0;  ///< OpenSSL's number, 0: any
    int max_version = 0;
    int receive_buffer = 0;   ///< SO_RCVBUF, 0: the system's
    std::string chain_pem{};  ///< the certificate to present; empty: none
    std::string key_pem{};    ///< of that certificate
    bool handshake = true;    ///< false: TCP only, start_tls() later
};

struct Answer {
    unsigned status = 0;
    std::string version;                         ///< "HTTP/1.1"
    std::map<std::string, std::string> headers;  ///< names in lower case
    std::string body;

    [[nodiscard]] std::string header(const std::string& name) const {
        const auto found = headers.find(name);
        return found == headers.end() ? "" : found->second;
    }
};

/// How the peer ended it.
enum class End {
    Open,       ///< it has not, or not within our patience
    Orderly,    ///< FIN, and over TLS a close_notify before it
    Truncated,  ///< FIN without close_notify
    Reset,
    Alert,  ///< a fatal TLS alert
};

class Client {
public:
    explicit Client(ClientSettings settings);
    ~Client();
    Client(Client&& other) noexcept;
    Client& operator=(Client&&) = delete;

    /// Connected, and over TLS the handshake is done.
    [[nodiscard]] bool ready() const { return ready_; }
    bool start_tls();
    /// "TLSv1.3"; why the handshake failed; what ALPN chose.
    [[nodiscard]] std::string tls_version() const;
    [[nodiscard]] const std::string& failure() const { return failure_; }
    [[nodiscard]] std::string alpn() const;
    /// Whether the server gave anything to resume the session with.
    [[nodiscard]] bool resumable() const;
    /// PEM of the peer's leaf.
    [[nodiscard]] std::string peer_certificate() const;

    /// False when the connection is gone.
    bool send(std::string_view bytes);
    /// Past TLS, straight to the socket.
    bool send_raw(std::string_view bytes);
    /// The next answer; none when the connection ends before it is complete. 1xx answers are
    /// skipped, and counted. `to_head`: the answer has no body whatever it says.
    std::optional<Answer> read_answer(bool to_head = false);
    /// The first line of whatever comes next, a 1xx answer included, which is taken.
    std::string read_answer_head_line();
    /// Everything until the peer closes.
    std::string read_all();
    [[nodiscard]] int continues() const { return continues_; }
    /// Reads on until the peer has closed.
    End wait_for_end();
    /// Whether the peer has ended it already; does not wait.
    [[nodiscard]] bool ended_now();
    [[nodiscard]] End end() const { return end_; }

    /// close_notify and FIN; reading goes on.
    void half_close();
    /// RST.
    void reset();
    /// Asks for renegotiation (TLS 1.2). False when the peer refused.
    bool renegotiate();
    /// A KeyUpdate (TLS 1.3), which may ask for one in return. False when the connection is gone.
    bool update_keys(bool ask_for_one);

private:
    bool fill();
    void note_end(int result);
    void close();

    ClientSettings settings_;
    int socket_ = -1;
    std::unique_ptr<ssl_ctx_st, void (*)(ssl_ctx_st*)> context_;
    std::unique_ptr<ssl_st, void (*)(ssl_st*)> ssl_;
    bool ready_ = false;
    std::string failure_;
    std::string input_;
    int continues_ = 0;
    End end_ = End::Open;
};

}  // namespace smw::test
