// What a review allocates, on its whole way from a TLS record to the answer: as much as the one
// before it, however many CheckpointBackups there are. A program of its own, for it counts in
// operator new. (Not counted are OpenSSL's malloc and the frames of coroutines, which Asio keeps.)
#include "checkpoint_restore/handler.hpp"
#include "checkpoint_restore/resources.hpp"
#include "smw/async/latch.hpp"
#include "smw/async/shards.hpp"
#include "smw/async/snapshot.hpp"
#include "smw/base/file.hpp"
#include "smw/http/listener.hpp"
#include "smw/metrics/registry.hpp"
#include "smw/webhook/endpoint.hpp"
#include "support/client.hpp"
#include "support/http_server.hpp"

#include <boost/asio/post.hpp>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <future>
#include <new>

namespace {

thread_local std::size_t allocations = 0;

}  // namespace

// The other forms of the standard library come down to these, but for what is aligned.
void* operator new(std::size_t size) {
    ++allocations;
    if (void* memory = std::malloc(size == 0 ? 1 : size)) {
        return memory;
    }
    throw std::bad_alloc{};
}
// ASan has its own, and would find its memory freed by the one below.
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
    ++allocations;
    return std::malloc(size == 0 ? 1 : size);
}
void operator delete(void* memory) noexcept {
    std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
    std::free(memory);
}

namespace smw::checkpoint_restore {
namespace {

constexpr std::size_t kMostBytes = std::size_t{1} << 20;

class NoJobs final : public JobLookup {
public:
    Task<Owner> owner_of(kube::ObjectKey, std::string, Deadline) override {
        Owner owner;
        owner.state = Owner::State::Gone;
        co_return owner;
    }
};

std::string backup_of(std::string_view job) {
    return fmt::format(
        R"({{"apiVersion":"migration.dcnlab.com/v1","kind":"CheckpointBackup",)"
        R"("metadata":{{"name":"of-{0}","namespace":"default"}},)"
        R"("spec":{{"resourceRef":{{"apiVersion":"batch/v1","kind":"Job","name":"{0}"}},)"
        R"("containers":[{{"name":"app-container","image":"team/app:checkpoint"}}]}}}})",
        job);
}

/// All that a review passes through, at log level warn.
class Way {
public:
    explicit Way(std::size_t backups) {
        apply(backup_of("test-migration-job"));
        for (std::size_t index = 1; index < backups; ++index) {
            apply(backup_of(fmt::format("other-{}", index)));
        }
        synced_.set();
        contexts_.publish(test::make_context());
        http::ListenerSettings settings;
        settings.name = "webhook";
        settings.address = "127.0.0.1";
        settings.tls = &contexts_;
        listener_ = std::make_unique<http::Listener>(
            std::move(settings), std::vector{&shards_.at(0)}, endpoint_, logger_, metrics_);
        if (const auto bound = listener_->bind(); !bound) {
            throw std::runtime_error{bound.error().message};
        }
        shards_.start();
        listener_->start();
        test::ClientSettings client;
        client.port = listener_->port();
        client_.emplace(client);
    }

    ~Way() {
        client_.reset();
        listener_->stop(Deadline::after(std::chrono::seconds{10}));
        shards_.stop();
    }

    /// What so many reviews allocate on the shard.
    std::size_t allocated_by(std::size_t reviews) {
        const std::size_t before = so_far();
        for (std::size_t review = 0; review < reviews; ++review) {
            client_->send(request_);
            const auto answer = client_->read_answer();
            EXPECT_TRUE(answer && answer->status == 200 &&
                        answer->body.find("JSONPatch") != std::string::npos);
        }
        return so_far() - before;
    }

private:
    void apply(const std::string& backup) {
        const auto document = json::Document::parse(backup);
        if (!document || !backups_.apply(document->root())) {
            throw std::runtime_error{"a backup was not taken"};
        }
    }

    std::size_t so_far() {
        std::promise<std::size_t> count;
        boost::asio::post(shards_.at(0).executor(), [&count] { count.set_value(allocations); });
        return count.get_future().get();
    }

    std::unique_ptr<log::Output> output_ = log::make_null_output();
    log::Logger logger_{"pod-mutator", {log::Level::Warn, log::Format::Text}, *output_};
    metrics::Registry metrics_;
    Settings settings_;
    BackupStore backups_{project_backups(logger_)};
    async::Latch synced_;
    NoJobs jobs_;
    PodMutator mutator_{{settings_, backups_, synced_, jobs_, logger_}};
    webhook::InFlight in_flight_{256};
    webhook::Endpoint endpoint_{mutator_, {}, in_flight_, logger_, metrics_};
    async::Snapshot<tls::ServerContext> contexts_;
    async::Shards shards_{1};
    std::unique_ptr<http::Listener> listener_;
    std::optional<test::Client> client_;
    const std::string request_ =
        test::post("/mutate-v1-pod?timeout=10s",
                   *read_file(SMW_TEST_DATA "/reviews-1.36/002-create-pod.json", kMostBytes));
};

/// Memory that is kept for the next review is there after these.
constexpr std::size_t kFirst = 20;
constexpr std::size_t kReviews = 500;
/// A change that needs more says why.
constexpr std::size_t kMost = 26;

TEST(Allocations, AreTheSameForEveryReview) {
    Way way{1};
    way.allocated_by(kFirst);
    const std::size_t one = way.allocated_by(1);
    EXPECT_LE(one, kMost);
    EXPECT_EQ(way.allocated_by(kReviews), kReviews * one);
}

TEST(Allocations, DoNotGrowWithTheBackups) {
    Way few{1};
    Way many{10'000};
    few.allocated_by(kFirst);
    many.allocated_by(kFirst);
    EXPECT_EQ(few.allocated_by(kReviews), many.allocated_by(kReviews));
}

}  // namespace
}  // namespace smw::checkpoint_restore
