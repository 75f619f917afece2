#include "support/fake_api_server.hpp"

#include "smw/base/quote.hpp"
#include "support/certificates.hpp"
#include "support/eventually.hpp"

#include <fmt/format.h>
#include <httplib.h>

#include <algorithm>
#include <arpa/inet.h>
#include <cctype>
#include <cerrno>
#include <mutex>
#include <netinet/in.h>
#include <poll.h>
#include <set>
#include <stdexcept>
#include <sys/socket.h>
#include <system_error>
#include <thread>
#include <unistd.h>

namespace smw::test {

namespace {

/// More than an API server takes (3 MiB).
constexpr std::size_t kMostPayload = std::size_t{8} << 20;
/// Every watch holds a thread of httplib's for as long as it lives.
constexpr std::size_t kThreads = 64;

std::string lower(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return text;
}

void require(bool condition, const char* what) {
    if (!condition) {
        throw std::system_error{errno, std::generic_category(), what};
    }
}

/// Holds a port on 127.0.0.1 without listening, so that nobody else gets it between stop() and
/// start(): to a peer it is as refused as a free one.
class Port {
public:
    Port() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        require(socket_ >= 0, "socket");
        reuse(socket_);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        auto* generic = reinterpret_cast<sockaddr*>(&address);
        require(::bind(socket_, generic, size) == 0, "bind");
        require(::getsockname(socket_, generic, &size) == 0, "getsockname");
        number_ = ntohs(address.sin_port);
    }
    ~Port() { ::close(socket_); }
    Port(const Port&) = delete;
    Port& operator=(const Port&) = delete;

    [[nodiscard]] std::uint16_t number() const { return number_; }
    /// httplib's own choice, SO_REUSEPORT, would let two servers share a port.
    static void reuse(int socket) {
        const int yes = 1;
        ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    }

private:
    int socket_;
    std::uint16_t number_ = 0;
};

/// The sockets of all connections, to cut them at once. Thread-safe.
class Connections {
public:
    void add(int socket) {
        const std::scoped_lock lock{mutex_};
        sockets_.insert(socket);
        if (cut_) {
            ::shutdown(socket, SHUT_RDWR);
        }
    }
    void remove(int socket) {
        const std::scoped_lock lock{mutex_};
        sockets_.erase(socket);
    }
    /// Those that come later as well.
    void cut() {
        const std::scoped_lock lock{mutex_};
        cut_ = true;
        for (const int socket : sockets_) {
            ::shutdown(socket, SHUT_RDWR);
        }
    }
    void allow() {
        const std::scoped_lock lock{mutex_};
        cut_ = false;
    }

private:
    std::mutex mutex_;
    std::set<int> sockets_;
    bool cut_ = false;
};

/// One SSL's place among the connections. httplib closes the socket after it has freed the SSL, so
/// no number of a socket in `Connections` is stale.
struct Place {
    Connections& connections;
    int socket;
};

void leave(void* /*ssl*/, void* data, CRYPTO_EX_DATA* /*all*/, int /*index*/, long /*argl*/,
           void* /*argp*/) {
    if (auto* place = static_cast<Place*>(data)) {
        place->connections.remove(place->socket);
        delete place;
    }
}

int place_index() {
    static const int kIndex = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, leave);
    return kIndex;
}

/// OpenSSL's info callback: a server's handshake starts before the first byte has come.
void enter(const SSL* ssl, int where, int /*ret*/) {
    if ((where & SSL_CB_HANDSHAKE_START) == 0 || SSL_get_ex_data(ssl, place_index()) != nullptr) {
        return;
    }
    auto* connections = static_cast<Connections*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
    const int socket = SSL_get_fd(ssl);
    SSL_set_ex_data(const_cast<SSL*>(ssl), place_index(), new Place{*connections, socket});
    connections->add(socket);
}

int any_client(int /*preverified*/, X509_STORE_CTX* /*context*/) {
    return 1;
}

bool has_body(const std::string& method) {
    return method == "POST" || method == "PUT" || method == "PATCH" || method == "DELETE";
}

std::string client_of(const SSL* ssl) {
    X509* certificate = SSL_get0_peer_certificate(ssl);
    if (certificate == nullptr) {
        return {};
    }
    char name[256] = {};
    X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, name,
                              sizeof name);
    return name;
}

ApiCall call_of(const httplib::Request& request) {
    ApiCall call;
    call.method = request.method;
    call.path = request.path;
    call.query = request.params;
    for (const auto& [name, value] : request.headers) {
        call.headers.emplace(lower(name), value);
    }
    call.body = request.body;
    call.client = client_of(request.ssl);
    return call;
}

/// Until the peer or the server goes; nothing but that when `span` is negative.
bool gone_within(int socket, std::chrono::milliseconds span) {
    pollfd descriptor{socket, POLLRDHUP, 0};
    int ready = 0;
    do {
        ready = ::poll(&descriptor, 1, static_cast<int>(span.count()));
    } while (ready < 0 && errno == EINTR);
    return ready > 0;
}

/// False ends the connection in the middle.
bool take(const Step& step, int socket, httplib::DataSink& sink) {
    if (const auto* send = std::get_if<Send>(&step)) {
        // Nothing to send would be taken for the end.
        return send->bytes.empty() || sink.write(send->bytes.data(), send->bytes.size());
    }
    if (const auto* sleep = std::get_if<Sleep>(&step)) {
        return !gone_within(socket, sleep->span);
    }
    if (std::holds_alternative<Close>(step)) {
        sink.done();
        return true;
    }
    if (std::holds_alternative<Hold>(step)) {
        gone_within(socket, std::chrono::milliseconds{-1});
    }
    ::shutdown(socket, SHUT_RDWR);
    return false;
}

void write(ApiReply reply, const httplib::Request& request, httplib::Response& response) {
    response.status = reply.status;
    for (const auto& [name, value] : reply.headers) {
        response.headers.emplace(name, value);
    }
    if (!reply.stream) {
        response.set_content(reply.body, reply.content_type);
        return;
    }
    const int socket = SSL_get_fd(request.ssl);
    response.set_chunked_content_provider(
        reply.content_type, [stream = std::move(reply.stream), socket](std::size_t /*offset*/,
                                                                       httplib::DataSink& sink) {
            return take(stream(), socket, sink);
        });
}

std::string first(const std::multimap<std::string, std::string>& values, const std::string& name) {
    const auto found = values.lower_bound(name);
    return found == values.end() || found->first != name ? "" : found->second;
}

}  // namespace

std::string ApiCall::parameter(const std::string& name) const {
    return first(query, name);
}

std::string ApiCall::header(const std::string& name) const {
    return first(headers, name);
}

std::function<Step()> steps(std::vector<Step> steps) {
    return [all = std::move(steps), next = std::size_t{0}]() mutable -> Step {
        return next < all.size() ? all[next++] : Close{};
    };
}

ApiReply status_reply(int code, const std::string& reason, const std::string& message) {
    std::string body =
        R"({"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":)";
    append_quoted(body, message);
    body += R"(,"reason":)";
    append_quoted(body, reason);
    body += fmt::format(R"(,"code":{}}})", code);
    ApiReply reply;
    reply.status = code;
    reply.body = std::move(body);
    return reply;
}

struct FakeApiServer::State {
    explicit State(Answer said) : answer(std::move(said)) {
        CertificateSpec authority;
        authority.common_name = "fake API server's CA";
        authority.san.clear();
        authority.extended_key_usage.clear();
        authority.is_ca = true;
        const KeyPtr authority_key = make_key();
        const Issuer issuer{issue(authority, authority_key), authority_key};
        ca_pem = to_pem(issuer.certificate);
        certificate = issue({}, key, &issuer);
    }

    void configure(httplib::SSLServer& made) {
        require(made.is_valid(), "the TLS context");
        SSL_CTX_set_app_data(made.ssl_context(), &connections);
        SSL_CTX_set_info_callback(made.ssl_context(), enter);
        SSL_CTX_set_verify(made.ssl_context(), SSL_VERIFY_PEER, any_client);
        made.new_task_queue = [] {
            return new httplib::ThreadPool(kThreads);
        };
        made.set_socket_options(Port::reuse);
        made.set_tcp_nodelay(true);
        made.set_keep_alive_max_count(1'000'000);
        made.set_keep_alive_timeout(3600);
        made.set_payload_max_length(kMostPayload);
        route(made);
    }

    /// httplib reads the body of what it routes only: the rest is answered before.
    void route(httplib::SSLServer& made) {
        made.set_pre_routing_handler([this](const auto& request, auto& response) {
            if (has_body(request.method)) {
                return httplib::Server::HandlerResponse::Unhandled;
            }
            take_call(request, response);
            return httplib::Server::HandlerResponse::Handled;
        });
        const httplib::Server::Handler take_routed = [this](const auto& request, auto& response) {
            take_call(request, response);
        };
        const char* const any_path = ".*";
        made.Post(any_path, take_routed);
        made.Put(any_path, take_routed);
        made.Patch(any_path, take_routed);
        made.Delete(any_path, take_routed);
    }

    void take_call(const httplib::Request& request, httplib::Response& response) {
        const ApiCall call = call_of(request);
        {
            const std::scoped_lock lock{mutex};
            calls.push_back(call);
        }
        write(answer(call), request, response);
    }

    const Answer answer;
    const KeyPtr key = make_key();
    CertificatePtr certificate;
    std::string ca_pem;
    Port port;
    Connections connections;
    std::mutex mutex;
    std::vector<ApiCall> calls;
    std::unique_ptr<httplib::SSLServer> server;
    std::thread thread;
};

FakeApiServer::FakeApiServer(Answer answer) : state_(std::make_unique<State>(std::move(answer))) {
    start();
}

FakeApiServer::~FakeApiServer() {
    stop();
}

std::uint16_t FakeApiServer::port() const {
    return state_->port.number();
}

const std::string& FakeApiServer::ca_pem() const {
    return state_->ca_pem;
}

void FakeApiServer::start() {
    if (state_->server) {
        return;
    }
    state_->connections.allow();
    auto server =
        std::make_unique<httplib::SSLServer>(state_->certificate.get(), state_->key.get());
    state_->configure(*server);
    require(server->bind_to_port("127.0.0.1", state_->port.number()), "listening on the port");
    state_->thread = std::thread{[listening = server.get()] {
        listening->listen_after_bind();
    }};
    // stop() does nothing to a server that is not running yet.
    const bool running = eventually([&server] { return server->is_running(); });
    state_->server = std::move(server);
    if (!running) {
        throw std::runtime_error{"the fake API server does not start"};
    }
}

void FakeApiServer::stop() {
    if (!state_->server) {
        return;
    }
    state_->server->stop();
    state_->connections.cut();
    state_->thread.join();
    state_->server.reset();
}

std::vector<ApiCall> FakeApiServer::calls() const {
    const std::scoped_lock lock{state_->mutex};
    return state_->calls;
}

}  // namespace smw::test
