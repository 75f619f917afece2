// The orderly end.

#include "race.hpp"

namespace smw::coordination {
namespace {

using LeaderElectorRelease = Race;

const Action kNothingLeft = Pause{TimePoint::max()};

TEST_F(LeaderElectorRelease, FreesWhatItHolds) {
    lead();
    pass(1s);
    elector_.resign();
    EXPECT_FALSE(leads()) << "before it is free";
    EXPECT_EQ(elector_.lost_because(), "it is given up");
    const auto action = next();
    const auto* update = std::get_if<UpdateLease>(&action);
    ASSERT_NE(update, nullptr) << "at once, in the middle of a pause";
    EXPECT_EQ(update->object.json, "version 1");
    EXPECT_EQ(update->record.holder_identity, "");
    EXPECT_EQ(update->record.lease_duration_seconds, 1);
    EXPECT_EQ(update->record.renew_time, wall_);
    EXPECT_EQ(update->record.acquire_time, wall_);
    EXPECT_EQ(update->record.lease_transitions, 0);
    elector_.written(stored(update->record), now_);
    EXPECT_FALSE(leads());
    EXPECT_EQ(next(), kNothingLeft);
    EXPECT_EQ(elector_.holder(), "");
}

TEST_F(LeaderElectorRelease, HasNothingToDoForWhoNeverHeldIt) {
    elector_.resign();
    EXPECT_EQ(next(), kNothingLeft);
    LeaderElector waiting{{.identity = kMe}};
    EXPECT_EQ(waiting.next(now_, wall_), Action{GetLease{}});
    waiting.got(stored(record_of(kOther)), now_);
    waiting.resign();
    EXPECT_EQ(waiting.next(now_, wall_), kNothingLeft);
}

TEST_F(LeaderElectorRelease, HasNothingToDoForWhoLostIt) {
    lead();
    pass(2s);
    (void)written_record();
    failed(Code::Conflict, 409);
    expect_get();
    got(record_of(kOther));
    elector_.resign();
    EXPECT_EQ(next(), kNothingLeft);
}

TEST_F(LeaderElectorRelease, FreesWhatAnUnansweredWriteMayHaveTaken) {
    // A creation that was cut short.
    expect_get();
    failed(Code::NotFound, 404);
    (void)written_record();
    elector_.resign();
    expect_get();
    got(record_of(kMe));
    EXPECT_EQ(written_record().holder_identity, "");
    write();
    EXPECT_EQ(next(), kNothingLeft);
}

TEST_F(LeaderElectorRelease, FreesAfterARenewalThatWasCutShort) {
    lead();
    pass(2s);
    (void)written_record();
    elector_.resign();
    EXPECT_EQ(written_record().holder_identity, "");
    EXPECT_FALSE(failed(Code::Conflict, 409)) << "the renewal has arrived";
    expect_get();
    got(record_of(kMe));
    EXPECT_EQ(written_record().holder_identity, "");
    write();
    EXPECT_EQ(next(), kNothingLeft);
}

TEST_F(LeaderElectorRelease, LeavesToAnotherWhatAnotherHas) {
    lead();
    elector_.resign();
    (void)written_record();
    failed(Code::Conflict, 409);
    expect_get();
    got(record_of(kOther));
    EXPECT_EQ(next(), kNothingLeft);
}

TEST_F(LeaderElectorRelease, GivesUpAtTheFirstFailure) {
    for (const auto code :
         {Code::Unavailable, Code::DeadlineExceeded, Code::Forbidden, Code::NotFound}) {
        LeaderElector elector{{.identity = kMe}};
        EXPECT_EQ(elector.next(now_, wall_), Action{GetLease{}});
        elector.got(stored(record_of("")), now_);
        EXPECT_TRUE(std::holds_alternative<UpdateLease>(elector.next(now_, wall_)));
        elector.written(stored(record_of(kMe)), now_);
        elector.resign();
        EXPECT_TRUE(std::holds_alternative<UpdateLease>(elector.next(now_, wall_)));
        const int status = code == Code::NotFound ? 404 : 0;
        EXPECT_EQ(elector.failed(failure(code, status), now_), code != Code::NotFound);
        EXPECT_EQ(elector.next(now_, wall_), kNothingLeft) << to_string(code);
    }
}

TEST_F(LeaderElectorRelease, GivesUpWhenConflictsDoNotEnd) {
    lead();
    elector_.resign();
    (void)written_record();
    failed(Code::Conflict, 409);
    expect_get();
    got(record_of(kMe));
    (void)written_record();
    failed(Code::Conflict, 409);
    EXPECT_EQ(next(), kNothingLeft);
}

TEST_F(LeaderElectorRelease, NeverLeadsAgain) {
    lead();
    pass(2s);
    const auto renewal = written_record();
    elector_.resign();
    elector_.written(stored(renewal), now_);
    EXPECT_FALSE(leads());
    (void)next();
    EXPECT_FALSE(leads());
}

}  // namespace
}  // namespace smw::coordination
