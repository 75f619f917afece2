#pragma once
// A server that sends exactly the bytes that a test's script tells it to, over TLS or not.
// Blocking, a thread for each connection; every wait ends after kPatience. Plain OpenSSL and
// sockets: nothing of ours.

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

struct ssl_st;
struct ssl_ctx_st;

namespace smw::test {

struct RawServerSettings {
    std::string address = "127.0.0.1";
    std::string chain_pem{};  ///< empty: no TLS
    std::string key_pem{};
    /// What ALPN chooses, offered or not; empty: none.
    std::string alpn{};
    /// Of what is chosen by ALPN: a client that does not offer it is refused.
    bool insist_on_alpn = false;
    /// Who signs the client certificates that are demanded; empty: none is.
    std::string client_ca_pem{};
    int max_version = 0;  ///< OpenSSL's number, 0: any
};

/// What was asked, over all connections. Thread-safe.
class RequestLog {
public:
    void add(std::string request) {
        const std::scoped_lock lock{mutex_};
        requests_.push_back(std::move(request));
    }
    [[nodiscard]] std::vector<std::string> all() const {
        const std::scoped_lock lock{mutex_};
        return requests_;
    }

private:
    mutable std::mutex mutex_;
    std::vector<std::string> requests_;
};

/// A connection, as its script sees it.
class RawConnection {
public:
    RawConnection(int fd, ssl_st* tls, int number, RequestLog& log)
        : fd_(fd), tls_(tls), number_(number), log_(log) {}
    RawConnection(const RawConnection&) = delete;
    RawConnection& operator=(const RawConnection&) = delete;

    /// 0 for the first connection to the server.
    [[nodiscard]] int number() const { return number_; }
    /// The next head of a request with its blank line; empty when the client has gone.
    std::string read_request();
    /// Takes what comes next, whatever it is; false when the client has gone.
    bool read_more();
    /// In one write, one TLS record.
    bool send(std::string_view bytes);
    /// Until the client has gone.
    void wait_for_end();
    /// close_notify over TLS, then FIN.
    void close();
    /// FIN without a close_notify.
    void cut();
    void reset();
    /// Of TLS: the name that the client asked for, and of the certificate that it showed.
    [[nodiscard]] std::string server_name() const;
    [[nodiscard]] std::string client_name() const;

private:
    int fd_;
    ssl_st* tls_;
    int number_;
    RequestLog& log_;
    std::string read_;
};

class RawServer {
public:
    /// `script` is called for each connection, after the handshake, on a thread of its own; what it
    /// leaves open is cut.
    explicit RawServer(std::function<void(RawConnection&)> script, RawServerSettings settings = {});
    /// Cuts all connections.
    ~RawServer();
    RawServer(const RawServer&) = delete;
    RawServer& operator=(const RawServer&) = delete;

    [[nodiscard]] std::uint16_t port() const { return port_; }
    /// How many have been accepted.
    [[nodiscard]] int connections() const { return accepted_.load(); }
    /// What read_request() gave, in order.
    [[nodiscard]] std::vector<std::string> requests() const { return requests_.all(); }
    /// How many connections have ended: their scripts are over.
    [[nodiscard]] int ended() const { return ended_.load(); }
    /// False when the address does not exist on this machine.
    [[nodiscard]] bool listens() const { return listener_ >= 0; }

private:
    void accept_all();
    void serve(int fd, int number);

    std::function<void(RawConnection&)> script_;
    RawServerSettings settings_;
    std::shared_ptr<ssl_ctx_st> context_;
    int listener_ = -1;
    std::uint16_t port_ = 0;
    std::atomic<int> accepted_{0};
    std::atomic<int> ended_{0};
    RequestLog requests_;
    std::mutex mutex_;
    std::vector<int> open_;
    std::vector<std::thread> serving_;
    std::thread accepting_;
};

}  // namespace smw::test
