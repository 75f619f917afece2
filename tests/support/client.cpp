#include "support/client.hpp"

#include "support/eventually.hpp"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <cctype>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstring>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>
#include <utility>

namespace smw::test {

namespace {

void free_context(SSL_CTX* context) {
    SSL_CTX_free(context);
}

void free_ssl(SSL* ssl) {
    SSL_free(ssl);
}

/// OpenSSL writes without MSG_NOSIGNAL.
const bool kIgnoresPipes = std::signal(SIGPIPE, SIG_IGN) != SIG_ERR;

void set_option(int socket, int level, int name, int value) {
    ::setsockopt(socket, level, name, &value, sizeof value);
}

void present(SSL_CTX* context, const ClientSettings& settings) {
    const std::unique_ptr<BIO, decltype(&BIO_free_all)> chain{
        BIO_new_mem_buf(settings.chain_pem.data(), static_cast<int>(settings.chain_pem.size())),
        BIO_free_all};
    const std::unique_ptr<BIO, decltype(&BIO_free_all)> key_text{
        BIO_new_mem_buf(settings.key_pem.data(), static_cast<int>(settings.key_pem.size())),
        BIO_free_all};
    const std::unique_ptr<X509, decltype(&X509_free)> leaf{
        PEM_read_bio_X509(chain.get(), nullptr, nullptr, nullptr), X509_free};
    const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key{
        PEM_read_bio_PrivateKey(key_text.get(), nullptr, nullptr, nullptr), EVP_PKEY_free};
    SSL_CTX_use_certificate(context, leaf.get());
    SSL_CTX_use_PrivateKey(context, key.get());
}

int connect_to(const ClientSettings& settings) {
    sockaddr_in6 v6{};
    sockaddr_in v4{};
    const bool is_v6 = ::inet_pton(AF_INET6, settings.address.c_str(), &v6.sin6_addr) == 1;
    const int socket = ::socket(is_v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (settings.receive_buffer > 0) {
        set_option(socket, SOL_SOCKET, SO_RCVBUF, settings.receive_buffer);
    }
    const timeval patience{kPatience.count(), 0};
    ::setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    ::setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    set_option(socket, IPPROTO_TCP, TCP_NODELAY, 1);
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(settings.port);
    v4.sin_family = AF_INET;
    v4.sin_port = htons(settings.port);
    ::inet_pton(AF_INET, settings.address.c_str(), &v4.sin_addr);
    const int result = is_v6 ? ::connect(socket, reinterpret_cast<sockaddr*>(&v6), sizeof v6)
                             : ::connect(socket, reinterpret_cast<sockaddr*>(&v4), sizeof v4);
    if (result != 0) {
        ::close(socket);
        return -1;
    }
    return socket;
}

std::string lower(std::string_view text) {
    std::string result{text};
    std::transform(result.begin(), result.end(), result.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return result;
}

Answer parse_head(std::string_view head) {
    Answer answer;
    const auto first_end = head.find("\r\n");
    answer.version = head.substr(0, 8);
    std::from_chars(head.data() + 9, head.data() + 12, answer.status);
    for (std::size_t at = first_end + 2; at < head.size();) {
        const auto end = head.find("\r\n", at);
        const auto line = head.substr(at, end - at);
        const auto colon = line.find(": ");
        answer.headers[lower(line.substr(0, colon))] = line.substr(colon + 2);
        at = end + 2;
    }
    return answer;
}

}  // namespace

Client::Client(ClientSettings settings)
    : settings_(std::move(settings)), context_(nullptr, free_context), ssl_(nullptr, free_ssl) {
    socket_ = connect_to(settings_);
    if (socket_ < 0) {
        failure_ = std::strerror(errno);
        return;
    }
    ready_ = true;
    if (settings_.tls && settings_.handshake) {
        start_tls();
    }
}

Client::Client(Client&& other) noexcept
    : settings_(std::move(other.settings_)),
      socket_(std::exchange(other.socket_, -1)),
      context_(std::move(other.context_)),
      ssl_(std::move(other.ssl_)),
      ready_(other.ready_),
      failure_(std::move(other.failure_)),
      input_(std::move(other.input_)),
      continues_(other.continues_),
      end_(other.end_) {}

Client::~Client() {
    close();
}

void Client::close() {
    ssl_.reset();
    if (socket_ >= 0) {
        ::close(std::exchange(socket_, -1));
    }
}

bool Client::start_tls() {
    context_.reset(SSL_CTX_new(TLS_client_method()));
    // Old versions and small keys are what some tests are about.
    SSL_CTX_set_security_level(context_.get(), 0);
    SSL_CTX_set_min_proto_version(context_.get(), settings_.min_version);
    SSL_CTX_set_max_proto_version(context_.get(), settings_.max_version);
    if (!settings_.chain_pem.empty()) {
        present(context_.get(), settings_);
    }
    ssl_.reset(SSL_new(context_.get()));
    std::string alpn;
    for (const auto& name : settings_.alpn) {
        alpn += static_cast<char>(name.size()) + name;
    }
    SSL_set_alpn_protos(ssl_.get(), reinterpret_cast<const unsigned char*>(alpn.data()),
                        static_cast<unsigned>(alpn.size()));
    SSL_set_fd(ssl_.get(), socket_);
    ERR_clear_error();
    const int result = SSL_connect(ssl_.get());
    ready_ = result == 1;
    if (!ready_) {
        const unsigned long code = ERR_peek_error();
        const char* why = code == 0 ? nullptr : ERR_reason_error_string(code);
        failure_ = why != nullptr ? why : "closed";
        note_end(result);
    }
    return ready_;
}

std::string Client::tls_version() const {
    return SSL_get_version(ssl_.get());
}

std::string Client::alpn() const {
    const unsigned char* name = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(ssl_.get(), &name, &size);
    return {reinterpret_cast<const char*>(name), size};
}

bool Client::resumable() const {
    return SSL_SESSION_is_resumable(SSL_get0_session(ssl_.get())) == 1;
}

std::string Client::peer_certificate() const {
    X509* leaf = SSL_get1_peer_certificate(ssl_.get());
    BIO* bio = BIO_new(BIO_s_mem());
    PEM_write_bio_X509(bio, leaf);
    char* text = nullptr;
    const long size = BIO_get_mem_data(bio, &text);
    std::string pem{text, static_cast<std::size_t>(size)};
    BIO_free(bio);
    X509_free(leaf);
    return pem;
}

bool Client::send(std::string_view bytes) {
    if (!ssl_) {
        return send_raw(bytes);
    }
    if (bytes.empty()) {
        return true;
    }
    ERR_clear_error();
    return SSL_write(ssl_.get(), bytes.data(), static_cast<int>(bytes.size())) > 0;
}

bool Client::send_raw(std::string_view bytes) {
    while (!bytes.empty()) {
        const auto sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent <= 0) {
            return false;
        }
        bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
}

void Client::note_end(int result) {
    if (!ssl_) {
        const bool late = result < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
        end_ = result == 0 ? End::Orderly : late ? End::Open : End::Reset;
        return;
    }
    const int saved = errno;
    switch (SSL_get_error(ssl_.get(), result)) {
        case SSL_ERROR_ZERO_RETURN:
            end_ = End::Orderly;
            return;
        case SSL_ERROR_WANT_READ:
            end_ = End::Open;
            return;
        case SSL_ERROR_SSL: {
            const bool cut = ERR_GET_REASON(ERR_peek_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING;
            end_ = cut ? End::Truncated : End::Alert;
            return;
        }
        default:
            end_ = saved == ECONNRESET || saved == EPIPE ? End::Reset : End::Truncated;
    }
}

/// More bytes in input_; false when there will be none.
bool Client::fill() {
    if (end_ != End::Open) {
        return false;
    }
    std::array<char, 16384> buffer{};
    errno = 0;
    ERR_clear_error();
    const auto count = ssl_ ? SSL_read(ssl_.get(), buffer.data(), static_cast<int>(buffer.size()))
                            : static_cast<int>(::recv(socket_, buffer.data(), buffer.size(), 0));
    if (count <= 0) {
        note_end(count);
        return false;
    }
    input_.append(buffer.data(), static_cast<std::size_t>(count));
    return true;
}

std::optional<Answer> Client::read_answer(bool to_head) {
    for (;;) {
        std::size_t end = std::string::npos;
        while ((end = input_.find("\r\n\r\n")) == std::string::npos) {
            if (!fill()) {
                return std::nullopt;
            }
        }
        Answer answer = parse_head(std::string_view{input_}.substr(0, end + 2));
        input_.erase(0, end + 4);
        if (answer.status / 100 == 1) {
            ++continues_;
            continue;
        }
        std::size_t length = 0;
        const std::string text = answer.header("content-length");
        std::from_chars(text.data(), text.data() + text.size(), length);
        while (!to_head && input_.size() < length) {
            if (!fill()) {
                return std::nullopt;
            }
        }
        if (!to_head) {
            answer.body = input_.substr(0, length);
            input_.erase(0, length);
        }
        return answer;
    }
}

std::string Client::read_answer_head_line() {
    std::size_t end = std::string::npos;
    while ((end = input_.find("\r\n\r\n")) == std::string::npos) {
        if (!fill()) {
            return "";
        }
    }
    const std::string line = input_.substr(0, input_.find("\r\n"));
    input_.erase(0, end + 4);
    return line;
}

std::string Client::read_all() {
    while (fill()) {
    }
    return std::exchange(input_, {});
}

End Client::wait_for_end() {
    while (fill()) {
    }
    return end_;
}

bool Client::ended_now() {
    char byte = 0;
    const auto count = ::recv(socket_, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return count >= 0 || (errno != EAGAIN && errno != EWOULDBLOCK);
}

void Client::half_close() {
    if (ssl_) {
        SSL_shutdown(ssl_.get());
    }
    ::shutdown(socket_, SHUT_WR);
}

void Client::reset() {
    const linger at_once{1, 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close();
    end_ = End::Reset;
}

bool Client::renegotiate() {
    ERR_clear_error();
    return SSL_renegotiate(ssl_.get()) == 1 && SSL_do_handshake(ssl_.get()) == 1;
}

bool Client::update_keys(bool ask_for_one) {
    ERR_clear_error();
    const int type = ask_for_one ? SSL_KEY_UPDATE_REQUESTED : SSL_KEY_UPDATE_NOT_REQUESTED;
    return SSL_key_update(ssl_.get(), type) == 1 && SSL_do_handshake(ssl_.get()) == 1;
}

}  // namespace smw::test
