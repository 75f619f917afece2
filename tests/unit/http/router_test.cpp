#include "smw/http/router.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <gtest/gtest.h>

namespace smw::http {
namespace {

class OneWord final : public Service {
public:
    explicit OneWord(std::string word) : word_(std::move(word)) {}
    Task<Response> serve(Exchange&) override { co_return text_response(200, word_); }

private:
    std::string word_;
};

class PathOnly final : public Exchange {
public:
    explicit PathOnly(std::string_view path) { head_.path = path; }
    [[nodiscard]] const RequestHead& head() const override { return head_; }
    Task<Expected<std::string>> read_body(Deadline) override { co_return std::string{}; }
    void recycle(std::string) override {}

private:
    RequestHead head_;
};

Response ask(Service& service, std::string_view path) {
    boost::asio::io_context context;
    PathOnly exchange{path};
    auto answer = boost::asio::co_spawn(context, service.serve(exchange), boost::asio::use_future);
    context.run();
    return answer.get();
}

TEST(Router, ComparesPathsByBytes) {
    OneWord one{"one"};
    OneWord two{"two"};
    Router router{{{"/one", &one}, {"/one/two", &two}}};
    EXPECT_EQ(ask(router, "/one").body, "one");
    EXPECT_EQ(ask(router, "/one/two").body, "two");
    for (const char* path : {"", "/", "/ONE", "/one/", "/one/two/three", "//one", "/%6fne"}) {
        EXPECT_EQ(ask(router, path).status, 404U) << path;
    }
}

}  // namespace
}  // namespace smw::http
