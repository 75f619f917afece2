#include "smw/async/shards.hpp"

#include <pthread.h>
#include <string>
#include <utility>

namespace smw::async {

Shard::Shard(std::string name)
    : name_(std::move(name)), work_(boost::asio::make_work_guard(context_)) {}

Shard::~Shard() {
    stop();
}

void Shard::start() {
    thread_ = std::thread{[this] {
        pthread_setname_np(pthread_self(), name_.substr(0, 15).c_str());
        context_.run();
    }};
}

void Shard::stop() {
    context_.stop();
    if (thread_.joinable()) {
        thread_.join();
    }
}

Shards::Shards(std::size_t count) {
    for (std::size_t index = 0; index < count; ++index) {
        shards_.push_back(std::make_unique<Shard>("shard-" + std::to_string(index)));
    }
}

void Shards::start() {
    for (const auto& shard : shards_) {
        shard->start();
    }
}

void Shards::stop() {
    for (const auto& shard : shards_) {
        shard->stop();
    }
}

}  // namespace smw::async
