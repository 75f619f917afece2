#pragma once
// An API server that answers as a test tells it to, over TLS, made of cpp-httplib: a second
// implementation of HTTP on the other side of our client.

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace smw::test {

struct ApiCall {
    std::string method;
    std::string path;
    std::multimap<std::string, std::string> query;    ///< decoded
    std::multimap<std::string, std::string> headers;  ///< names in lower case
    std::string body;                                 ///< of POST, PUT, PATCH and DELETE
    std::string client;  ///< common name of the client's certificate; empty: it has none

    /// The first value, or empty.
    [[nodiscard]] std::string parameter(const std::string& name) const;
    [[nodiscard]] std::string header(const std::string& name) const;
};

/// What a stream does next: bytes in one chunk, a pause, and one of three ends.
struct Send {
    std::string bytes;
};
struct Sleep {
    std::chrono::milliseconds span;
};
struct Close {};  ///< the last chunk, in good order
struct Cut {};    ///< the connection ends in the middle
struct Hold {};   ///< silence until the peer or the server goes
using Step = std::variant<Send, Sleep, Close, Cut, Hold>;

struct ApiReply {
    int status = 200;
    std::string content_type = "application/json";
    std::multimap<std::string, std::string> headers;
    std::string body;
    /// A chunked body instead of `body`: asked on the connection's thread for one step at a time.
    std::function<Step()> stream;
};

/// A stream of these steps, then Close.
[[nodiscard]] std::function<Step()> steps(std::vector<Step> steps);
/// A failure with a metav1.Status as its body.
[[nodiscard]] ApiReply status_reply(int code, const std::string& reason,
                                    const std::string& message = "as the test wants it");

class FakeApiServer {
public:
    /// `answer` is called on many threads at once, and outlives the server.
    using Answer = std::function<ApiReply(const ApiCall&)>;
    explicit FakeApiServer(Answer answer);
    /// Ends all connections.
    ~FakeApiServer();
    FakeApiServer(const FakeApiServer&) = delete;
    FakeApiServer& operator=(const FakeApiServer&) = delete;

    [[nodiscard]] std::uint16_t port() const;
    /// What signed its certificate, good for 127.0.0.1 and localhost.
    [[nodiscard]] const std::string& ca_pem() const;
    /// Gone as after kill -9: connections are cut, new ones are refused. Waits for calls of
    /// `answer` that are under way. Not to be called by `answer`.
    void stop();
    /// Back on the same port, with the same certificate.
    void start();
    /// Every call so far, in order of arrival.
    [[nodiscard]] std::vector<ApiCall> calls() const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace smw::test
