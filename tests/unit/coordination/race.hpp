#pragma once
// A LeaderElector with time that a test turns, and Leases as an API server would give them.

#include "smw/coordination/leader_elector.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <utility>
#include <variant>

namespace smw::coordination {

using namespace std::chrono_literals;

class Race : public ::testing::Test {
protected:
    static constexpr const char* kMe = "pod-a_1";
    static constexpr const char* kOther = "pod-b_2";

    static LeaseRecord record_of(std::string holder) {
        LeaseRecord record;
        record.holder_identity = std::move(holder);
        record.lease_duration_seconds = 15;
        record.acquire_time = WallTime{} + 1h;
        record.renew_time = WallTime{} + 2h;
        record.lease_transitions = 3;
        return record;
    }
    /// As the API server gives it, each time of another version.
    Lease stored(LeaseRecord record) {
        Lease lease;
        lease.record = std::move(record);
        lease.object.json = "version " + std::to_string(++version_);
        return lease;
    }
    static client::Failure failure(Code code, int status = 0) {
        client::Failure failure;
        failure.error = {code, "as the test wants it"};
        failure.status.code = status;
        return failure;
    }

    Action next() { return elector_.next(now_, wall_); }
    /// The record of the write that is asked for.
    LeaseRecord written_record() {
        const auto action = next();
        if (const auto* create = std::get_if<CreateLease>(&action)) {
            return create->record;
        }
        if (const auto* update = std::get_if<UpdateLease>(&action)) {
            return update->record;
        }
        ADD_FAILURE() << "nothing is to be written, but action " << action.index();
        return {};
    }
    void pass(Duration span) {
        now_ += span;
        wall_ += std::chrono::duration_cast<WallTime::duration>(span);
    }
    void got(LeaseRecord record) { elector_.got(stored(std::move(record)), now_); }
    /// The write that is asked for is done, at once.
    void write() {
        auto record = written_record();
        elector_.written(stored(std::move(record)), now_);
    }
    bool failed(Code code, int status = 0) { return elector_.failed(failure(code, status), now_); }
    [[nodiscard]] bool leads() const { return elector_.is_leader(now_); }

    void expect_get() { EXPECT_EQ(next(), Action{GetLease{}}); }
    /// Nothing to do for so long; then the time has passed.
    void sit_out(Duration least, Duration most) {
        const auto action = next();
        const auto* pause = std::get_if<Pause>(&action);
        ASSERT_NE(pause, nullptr) << "action " << action.index();
        EXPECT_GE(pause->until - now_, least);
        EXPECT_LE(pause->until - now_, most);
        pass(pause->until - now_);
    }
    /// As one who waits: two seconds and up to 1.2 times as much more.
    void sit_out_a_wait() { sit_out(2s, 4400ms); }
    void lead() {
        ASSERT_EQ(next(), Action{GetLease{}});
        ASSERT_FALSE(failed(Code::NotFound, 404));
        write();
        ASSERT_TRUE(leads());
    }

    TimePoint now_{1000h};
    WallTime wall_{500'000h + 7us};
    int version_ = 0;
    LeaderElector elector_{{.identity = kMe, .settings = {}, .seed = 7}};
};

}  // namespace smw::coordination
