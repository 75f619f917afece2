// The race among those who all behave.

#include "race.hpp"

#include <algorithm>
#include <vector>

namespace smw::coordination {
namespace {

using LeaderElectorRace = Race;
using ::testing::HasSubstr;

TEST_F(LeaderElectorRace, CreatesWhatIsAbsent) {
    expect_get();
    EXPECT_FALSE(failed(Code::NotFound, 404)) << "that is no problem";
    const auto action = next();
    const auto* create = std::get_if<CreateLease>(&action);
    ASSERT_NE(create, nullptr);
    EXPECT_EQ(create->record.holder_identity, kMe);
    EXPECT_EQ(create->record.lease_duration_seconds, 15);
    EXPECT_EQ(create->record.acquire_time, wall_);
    EXPECT_EQ(create->record.renew_time, wall_);
    EXPECT_EQ(create->record.lease_transitions, 0);
    EXPECT_FALSE(leads());
    elector_.written(stored(create->record), now_);
    EXPECT_TRUE(leads());
    EXPECT_EQ(elector_.holder(), kMe);
}

TEST_F(LeaderElectorRace, TakesWhatNobodyHolds) {
    expect_get();
    got(record_of(""));
    const auto record = written_record();
    EXPECT_EQ(record.holder_identity, kMe);
    EXPECT_EQ(record.acquire_time, wall_);
    EXPECT_EQ(record.lease_transitions, 4);
    write();
    EXPECT_TRUE(leads());
}

TEST_F(LeaderElectorRace, WaitsWhileAnotherRenews) {
    auto record = record_of(kOther);
    for (int round = 0; round < 20; ++round) {
        expect_get();
        *record.renew_time += 1s;
        got(record);
        EXPECT_FALSE(leads());
        EXPECT_EQ(elector_.holder(), kOther);
        sit_out_a_wait();
    }
}

TEST_F(LeaderElectorRace, TakesWhatIsNotRenewedForItsDuration) {
    const auto record = record_of(kOther);
    const auto first_seen = now_;
    Action action;
    for (;;) {
        expect_get();
        got(record);
        action = next();
        if (!std::holds_alternative<Pause>(action)) {
            break;
        }
        ASSERT_LT(now_ - first_seen, 15s);
        sit_out_a_wait();
    }
    EXPECT_GE(now_ - first_seen, 15s);
    ASSERT_TRUE(std::holds_alternative<UpdateLease>(action));
    EXPECT_EQ(std::get<UpdateLease>(action).object.json, "version " + std::to_string(version_));
    EXPECT_EQ(std::get<UpdateLease>(action).record.lease_transitions, 4);
    write();
    EXPECT_TRUE(leads());
}

TEST_F(LeaderElectorRace, CountsFromItsOwnSightAndNotFromTheTimesInTheLease) {
    for (const auto skew : {-1000h, 0h, 1000h}) {
        LeaderElector elector{{.identity = kMe}};
        auto record = record_of(kOther);
        record.renew_time = wall_ + skew;
        EXPECT_EQ(elector.next(now_, wall_), Action{GetLease{}});
        elector.got(stored(record), now_);
        EXPECT_TRUE(std::holds_alternative<Pause>(elector.next(now_, wall_)));
        EXPECT_EQ(elector.next(now_ + 14s, wall_), Action{GetLease{}});
        elector.got(stored(record), now_ + 14s);
        EXPECT_TRUE(std::holds_alternative<Pause>(elector.next(now_ + 14s, wall_)));
        EXPECT_EQ(elector.next(now_ + 20s, wall_), Action{GetLease{}});
        elector.got(stored(record), now_ + 20s);
        EXPECT_TRUE(std::holds_alternative<UpdateLease>(elector.next(now_ + 20s, wall_)));
    }
}

TEST_F(LeaderElectorRace, BelievesAHolderThatSaysAnotherDuration) {
    auto record = record_of(kOther);
    record.lease_duration_seconds = 60;
    const auto first_seen = now_;
    while (!leads()) {
        expect_get();
        got(record);
        if (now_ - first_seen >= 60s) {
            write();
        } else {
            sit_out_a_wait();
        }
    }
    EXPECT_LT(now_ - first_seen, 65s);
}

TEST_F(LeaderElectorRace, RenewsWithoutLookingFirst) {
    lead();
    const auto acquired = wall_;
    for (int round = 0; round < 20; ++round) {
        sit_out(2s, 2s);
        const auto action = next();
        const auto* update = std::get_if<UpdateLease>(&action);
        ASSERT_NE(update, nullptr);
        EXPECT_EQ(update->object.json, "version " + std::to_string(version_));
        EXPECT_EQ(update->record.acquire_time, acquired);
        EXPECT_EQ(update->record.renew_time, wall_);
        EXPECT_EQ(update->record.lease_transitions, 0);
        write();
        EXPECT_TRUE(leads());
    }
}

TEST_F(LeaderElectorRace, GoesOnWithWhatItHeldBefore) {
    // As after an answer that got lost: the acquireTime stays, but it leads by a write only.
    expect_get();
    got(record_of(kMe));
    EXPECT_FALSE(leads());
    const auto record = written_record();
    EXPECT_EQ(record.acquire_time, WallTime{} + 1h);
    EXPECT_EQ(record.lease_transitions, 3);
    write();
    EXPECT_TRUE(leads());
}

TEST_F(LeaderElectorRace, LeadsFromWhenItAskedAndNotFromTheAnswer) {
    lead();
    const auto until = elector_.leading_until();
    sit_out(2s, 2s);
    const auto asked = now_;
    const auto record = written_record();
    pass(3s);
    elector_.written(stored(record), now_);
    EXPECT_EQ(elector_.leading_until(), asked + 10s);
    EXPECT_GT(elector_.leading_until(), until);
}

TEST_F(LeaderElectorRace, LeadsNoLongerThanItsRenewalLasts) {
    lead();
    pass(10s - 1ns);
    EXPECT_TRUE(leads());
    pass(1ns);
    EXPECT_FALSE(leads()) << "though nobody stepped it";
    // What it saw so long ago is no ground to write on.
    expect_get();
    EXPECT_THAT(elector_.lost_because(), HasSubstr("not renewed for 10 s"));
    got(record_of(kMe));
    write();
    EXPECT_TRUE(leads());
}

TEST_F(LeaderElectorRace, DoesNotMindAWallClockThatJumps) {
    lead();
    for (const auto jump : {-2000h, 4000h}) {
        wall_ += jump;
        EXPECT_TRUE(leads());
        sit_out(2s, 2s);
        EXPECT_EQ(written_record().renew_time, wall_);
        write();
        EXPECT_TRUE(leads());
    }
}

TEST_F(LeaderElectorRace, LosesWhenItWakesUpLate) {
    lead();
    pass(100h);
    EXPECT_FALSE(leads());
    expect_get();
    got(record_of(kOther));
    EXPECT_FALSE(leads());
    sit_out_a_wait();
}

TEST_F(LeaderElectorRace, WritesTimesThatComeBackTheSame) {
    wall_ += 123ns;
    expect_get();
    got(record_of(""));
    EXPECT_EQ(written_record().renew_time,
              std::chrono::time_point_cast<WallTime::duration>(
                  std::chrono::floor<std::chrono::microseconds>(wall_)));
}

TEST_F(LeaderElectorRace, DoesNotWaitInStepWithOthers) {
    std::vector<Duration> waits;
    for (std::uint64_t seed = 0; seed < 8; ++seed) {
        LeaderElector elector{{.identity = kMe, .settings = {}, .seed = seed}};
        EXPECT_EQ(elector.next(now_, wall_), Action{GetLease{}});
        elector.got(stored(record_of(kOther)), now_);
        waits.push_back(std::get<Pause>(elector.next(now_, wall_)).until - now_);
    }
    std::sort(waits.begin(), waits.end());
    EXPECT_EQ(std::unique(waits.begin(), waits.end()), waits.end());
}

TEST_F(LeaderElectorRace, CountsTransitionsNoFurtherThanTheApi) {
    auto record = record_of("");
    record.lease_transitions = 2'147'483'647;
    expect_get();
    got(record);
    EXPECT_EQ(written_record().lease_transitions, 2'147'483'647);
}

TEST_F(LeaderElectorRace, SaysItsDurationInWholeSeconds) {
    ElectionSettings settings;
    settings.lease_duration = 900ms;
    LeaderElector elector{{.identity = kMe, .settings = settings}};
    EXPECT_EQ(elector.next(now_, wall_), Action{GetLease{}});
    elector.failed(failure(Code::NotFound, 404), now_);
    EXPECT_EQ(std::get<CreateLease>(elector.next(now_, wall_)).record.lease_duration_seconds, 1);
}

}  // namespace
}  // namespace smw::coordination
