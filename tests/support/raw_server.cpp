#include "support/raw_server.hpp"

#include "support/eventually.hpp"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <csignal>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdexcept>
#include <sys/socket.h>
#include <unistd.h>

namespace smw::test {

namespace {

using SslPtr = std::unique_ptr<SSL, decltype(&SSL_free)>;
using BioPtr = std::unique_ptr<BIO, decltype(&BIO_free_all)>;

void require(bool condition, const char* what) {
    if (!condition) {
        throw std::runtime_error{what};
    }
}

BioPtr read_only(const std::string& text) {
    return {BIO_new_mem_buf(text.data(), static_cast<int>(text.size())), BIO_free_all};
}

int select_alpn(SSL*, const unsigned char** out, unsigned char* out_size, const unsigned char* in,
                unsigned int in_size, void* argument) {
    const auto& settings = *static_cast<const RawServerSettings*>(argument);
    if (settings.alpn.empty()) {
        return SSL_TLSEXT_ERR_NOACK;
    }
    const std::string_view offered{reinterpret_cast<const char*>(in), in_size};
    if (settings.insist_on_alpn && offered.find(settings.alpn) == std::string_view::npos) {
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    }
    *out = reinterpret_cast<const unsigned char*>(settings.alpn.data());
    *out_size = static_cast<unsigned char>(settings.alpn.size());
    return SSL_TLSEXT_ERR_OK;
}

void demand_client_certificate(SSL_CTX* context, const std::string& ca_pem) {
    const BioPtr bio = read_only(ca_pem);
    const std::unique_ptr<X509, decltype(&X509_free)> ca{
        PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr), X509_free};
    require(X509_STORE_add_cert(SSL_CTX_get_cert_store(context), ca.get()) == 1, "client CA");
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
}

std::shared_ptr<SSL_CTX> make_context(RawServerSettings& settings) {
    std::shared_ptr<SSL_CTX> context{SSL_CTX_new(TLS_server_method()), SSL_CTX_free};
    const BioPtr chain = read_only(settings.chain_pem);
    const std::unique_ptr<X509, decltype(&X509_free)> leaf{
        PEM_read_bio_X509(chain.get(), nullptr, nullptr, nullptr), X509_free};
    const BioPtr key_bio = read_only(settings.key_pem);
    const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key{
        PEM_read_bio_PrivateKey(key_bio.get(), nullptr, nullptr, nullptr), EVP_PKEY_free};
    require(SSL_CTX_use_certificate(context.get(), leaf.get()) == 1, "certificate");
    require(SSL_CTX_use_PrivateKey(context.get(), key.get()) == 1, "key");
    SSL_CTX_set_max_proto_version(context.get(), settings.max_version);
    SSL_CTX_set_alpn_select_cb(context.get(), select_alpn, &settings);
    if (!settings.client_ca_pem.empty()) {
        demand_client_certificate(context.get(), settings.client_ca_pem);
    }
    return context;
}

/// -1 when there is no such address here.
int listen_on(const std::string& address, std::uint16_t& port) {
    sockaddr_in6 six{};
    sockaddr_in four{};
    const bool is_ipv6 = ::inet_pton(AF_INET6, address.c_str(), &six.sin6_addr) == 1;
    require(is_ipv6 || ::inet_pton(AF_INET, address.c_str(), &four.sin_addr) == 1, "address");
    six.sin6_family = AF_INET6;
    four.sin_family = AF_INET;
    auto* name = is_ipv6 ? reinterpret_cast<sockaddr*>(&six) : reinterpret_cast<sockaddr*>(&four);
    socklen_t size = is_ipv6 ? sizeof six : sizeof four;
    const int fd = ::socket(name->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || ::bind(fd, name, size) != 0 || ::listen(fd, 64) != 0) {
        ::close(fd);
        return -1;
    }
    ::getsockname(fd, name, &size);
    port = ntohs(is_ipv6 ? six.sin6_port : four.sin_port);
    return fd;
}

void set_patience(int fd) {
    const timeval patience{.tv_sec = kPatience.count(), .tv_usec = 0};
    ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    ::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    const int at_once = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &at_once, sizeof at_once);
}

}  // namespace

bool RawConnection::read_more() {
    std::array<char, 4096> buffer{};
    const auto count = tls_ != nullptr ? SSL_read(tls_, buffer.data(), buffer.size())
                                       : ::recv(fd_, buffer.data(), buffer.size(), 0);
    if (count > 0) {
        read_.append(buffer.data(), static_cast<std::size_t>(count));
    }
    return count > 0;
}

std::string RawConnection::read_request() {
    constexpr std::string_view kEnd = "\r\n\r\n";
    std::size_t end = read_.find(kEnd);
    while (end == std::string::npos && read_more()) {
        end = read_.find(kEnd);
    }
    if (end == std::string::npos) {
        return "";
    }
    std::string request = read_.substr(0, end + kEnd.size());
    read_.erase(0, request.size());
    log_.add(request);
    return request;
}

bool RawConnection::send(std::string_view bytes) {
    if (bytes.empty()) {
        return true;
    }
    if (tls_ != nullptr) {
        return SSL_write(tls_, bytes.data(), static_cast<int>(bytes.size())) > 0;
    }
    while (!bytes.empty()) {
        const auto count = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (count <= 0) {
            return false;
        }
        bytes.remove_prefix(static_cast<std::size_t>(count));
    }
    return true;
}

void RawConnection::wait_for_end() {
    while (read_more()) {
    }
}

void RawConnection::close() {
    if (tls_ != nullptr) {
        SSL_shutdown(tls_);
    }
    cut();
}

void RawConnection::cut() {
    ::shutdown(fd_, SHUT_WR);
}

void RawConnection::reset() {
    // A close that discards what is unsent says RST; the descriptor itself lives on.
    sockaddr nobody{};
    nobody.sa_family = AF_UNSPEC;
    ::connect(fd_, &nobody, sizeof nobody);
}

std::string RawConnection::server_name() const {
    const char* name =
        tls_ == nullptr ? nullptr : SSL_get_servername(tls_, TLSEXT_NAMETYPE_host_name);
    return name == nullptr ? "" : name;
}

std::string RawConnection::client_name() const {
    X509* certificate = tls_ == nullptr ? nullptr : SSL_get0_peer_certificate(tls_);
    if (certificate == nullptr) {
        return "";
    }
    std::array<char, 64> name{};
    X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, name.data(),
                              static_cast<int>(name.size()));
    return name.data();
}

RawServer::RawServer(std::function<void(RawConnection&)> script, RawServerSettings settings)
    : script_(std::move(script)), settings_(std::move(settings)) {
    // OpenSSL writes to sockets without MSG_NOSIGNAL.
    std::signal(SIGPIPE, SIG_IGN);
    if (!settings_.chain_pem.empty()) {
        context_ = make_context(settings_);
    }
    listener_ = listen_on(settings_.address, port_);
    if (listener_ >= 0) {
        accepting_ = std::thread{[this] {
            accept_all();
        }};
    }
}

RawServer::~RawServer() {
    if (listener_ < 0) {
        return;
    }
    ::shutdown(listener_, SHUT_RDWR);
    accepting_.join();
    {
        const std::scoped_lock lock{mutex_};
        for (const int fd : open_) {
            ::shutdown(fd, SHUT_RDWR);
        }
    }
    for (auto& thread : serving_) {
        thread.join();
    }
    ::close(listener_);
}

void RawServer::accept_all() {
    for (;;) {
        const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
        if (fd < 0) {
            return;
        }
        const std::scoped_lock lock{mutex_};
        open_.push_back(fd);
        serving_.emplace_back([this, fd, number = accepted_++] { serve(fd, number); });
    }
}

void RawServer::serve(int fd, int number) {
    set_patience(fd);
    const SslPtr tls{context_ ? SSL_new(context_.get()) : nullptr, SSL_free};
    bool ready = true;
    if (tls) {
        SSL_set_fd(tls.get(), fd);
        ready = SSL_accept(tls.get()) == 1;
    }
    if (ready) {
        RawConnection connection{fd, tls.get(), number, requests_};
        script_(connection);
    } else {
        // A close with bytes unread would reset the alert away.
        ::shutdown(fd, SHUT_WR);
        std::array<char, 4096> dropped{};
        while (::recv(fd, dropped.data(), dropped.size(), 0) > 0) {
        }
    }
    ++ended_;
    ERR_clear_error();
    const std::scoped_lock lock{mutex_};
    open_.erase(std::find(open_.begin(), open_.end(), fd));
    ::close(fd);
}

}  // namespace smw::test
