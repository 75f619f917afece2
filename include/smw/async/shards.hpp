#pragma once
// N threads, each with one single-threaded io_context: no strands, no locks between what lives on
// one shard.

#include "smw/base/clock.hpp"

#include <boost/asio/io_context.hpp>

#include <atomic>
#include <cstddef>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace smw::async {

/// One io_context and the thread that runs it.
class Shard {
public:
    /// `name` is the thread's, at most 15 characters.
    explicit Shard(std::string name);
    /// Stops and joins.
    ~Shard();
    Shard(const Shard&) = delete;
    Shard& operator=(const Shard&) = delete;

    void start();
    /// Ends the loop after the handler it is running.
    void stop();
    [[nodiscard]] boost::asio::io_context& context() { return context_; }
    [[nodiscard]] boost::asio::io_context::executor_type executor() {
        return context_.get_executor();
    }

private:
    std::string name_;
    boost::asio::io_context context_{1};
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
    std::thread thread_;
};

class Shards {
public:
    explicit Shards(std::size_t count);

    void start();
    void stop();
    [[nodiscard]] std::size_t size() const { return shards_.size(); }
    [[nodiscard]] Shard& at(std::size_t index) { return *shards_.at(index); }

private:
    std::vector<std::unique_ptr<Shard>> shards_;
};

}  // namespace smw::async
