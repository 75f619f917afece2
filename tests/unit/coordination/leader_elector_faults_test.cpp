// The race when the API server, other people or the Lease misbehave.

#include "race.hpp"

namespace smw::coordination {
namespace {

using LeaderElectorFaults = Race;
using ::testing::HasSubstr;

TEST_F(LeaderElectorFaults, LooksAtOnceWhoWasFaster) {
    expect_get();
    got(record_of(""));
    (void)written_record();
    EXPECT_FALSE(failed(Code::Conflict, 409)) << "that is no problem";
    expect_get();
    got(record_of(kOther));
    EXPECT_FALSE(leads());
    sit_out_a_wait();
}

TEST_F(LeaderElectorFaults, LooksAtOnceWhoCreated) {
    expect_get();
    failed(Code::NotFound, 404);
    (void)written_record();
    EXPECT_FALSE(failed(Code::Conflict, 409));
    expect_get();
    // It was our own request, sent twice.
    got(record_of(kMe));
    write();
    EXPECT_TRUE(leads());
}

TEST_F(LeaderElectorFaults, RestsWhenConflictsDoNotEnd) {
    expect_get();
    for (int round = 0; round < 3; ++round) {
        got(record_of(""));
        (void)written_record();
        failed(Code::Conflict, 409);
        expect_get();
        got(record_of(""));
        (void)written_record();
        EXPECT_FALSE(failed(Code::Conflict, 409));
        sit_out_a_wait();
        expect_get();
    }
}

TEST_F(LeaderElectorFaults, RenewsWhatSomebodyHasAnnotated) {
    lead();
    sit_out(2s, 2s);
    (void)written_record();
    failed(Code::Conflict, 409);
    EXPECT_TRUE(leads());
    expect_get();
    got(record_of(kMe));
    write();
    EXPECT_TRUE(leads());
}

TEST_F(LeaderElectorFaults, LosesWhatAnotherHasTaken) {
    lead();
    sit_out(2s, 2s);
    (void)written_record();
    failed(Code::Conflict, 409);
    expect_get();
    got(record_of(kOther));
    EXPECT_FALSE(leads()) << "long before its time is over";
    EXPECT_EQ(elector_.lost_because(), "pod-b_2 has taken it");
    sit_out_a_wait();
}

TEST_F(LeaderElectorFaults, LosesWhatSomebodyHasFreedAndTakesItAgain) {
    lead();
    sit_out(2s, 2s);
    (void)written_record();
    failed(Code::Conflict, 409);
    expect_get();
    got(record_of(""));
    EXPECT_FALSE(leads());
    EXPECT_EQ(elector_.lost_because(), "somebody has freed it");
    write();
    EXPECT_TRUE(leads());
}

TEST_F(LeaderElectorFaults, LosesWhatSomebodyHasDeletedAndCreatesItAgain) {
    lead();
    sit_out(2s, 2s);
    (void)written_record();
    EXPECT_FALSE(failed(Code::NotFound, 404));
    EXPECT_FALSE(leads());
    EXPECT_EQ(elector_.lost_because(), "somebody has deleted it");
    EXPECT_TRUE(std::holds_alternative<CreateLease>(next()));
    write();
    EXPECT_TRUE(leads());
}

TEST_F(LeaderElectorFaults, TriesUntilTheRenewDeadlineAndLosesThen) {
    lead();
    const auto begin = now_;
    int tries = 0;
    while (leads()) {
        const auto action = next();
        if (const auto* pause = std::get_if<Pause>(&action)) {
            ASSERT_LE(pause->until - begin, 10s) << "it must notice";
            pass(pause->until - now_);
        } else {
            ++tries;
            EXPECT_TRUE(failed(Code::Unavailable, 503));
        }
    }
    EXPECT_EQ(now_ - begin, 10s);
    EXPECT_EQ(tries, 4) << "every two seconds";
    (void)next();
    EXPECT_EQ(elector_.lost_because(), "it was not renewed for 10 s: as the test wants it");
}

TEST_F(LeaderElectorFaults, LeadsOnWhenTheApiServerComesBackInTime) {
    lead();
    sit_out(2s, 2s);
    (void)written_record();
    failed(Code::Unavailable);
    EXPECT_TRUE(leads());
    sit_out(2s, 2s);
    expect_get();
    failed(Code::Unavailable);
    sit_out(2s, 2s);
    expect_get();
    got(record_of(kMe));
    write();
    EXPECT_TRUE(leads());
    EXPECT_EQ(elector_.leading_until(), now_ + 10s);
    EXPECT_EQ(elector_.lost_because(), "");
}

TEST_F(LeaderElectorFaults, WaitsForAnAnswerNoLongerThanItMay) {
    expect_get();
    EXPECT_EQ(elector_.answer_by(), now_ + 5s);
    failed(Code::NotFound, 404);
    write();
    pass(4s);
    (void)written_record();
    EXPECT_EQ(elector_.answer_by(), now_ + 5s);
    pass(5s);
    failed(Code::DeadlineExceeded);
    sit_out(1s, 1s);
    EXPECT_FALSE(leads());
}

TEST_F(LeaderElectorFaults, AsksNoLongerThanItLeads) {
    lead();
    pass(7s);
    (void)written_record();
    EXPECT_EQ(elector_.answer_by(), elector_.leading_until());
    pass(3s);
    EXPECT_FALSE(leads());
}

TEST_F(LeaderElectorFaults, TriesOnWhenNothingIsAllowed) {
    for (int round = 0; round < 5; ++round) {
        expect_get();
        EXPECT_TRUE(failed(Code::Forbidden, 403));
        EXPECT_FALSE(leads());
        sit_out_a_wait();
    }
    expect_get();
    got(record_of(""));
    (void)written_record();
    EXPECT_TRUE(failed(Code::Forbidden, 403));
    sit_out_a_wait();
    expect_get();
}

TEST_F(LeaderElectorFaults, DoesNotTakeAnyNotFoundForAbsence) {
    // Of a load balancer without a backend.
    expect_get();
    auto page = failure(Code::NotFound, 404);
    page.status.causes.push_back({"UnexpectedServerResponse", "<html>", ""});
    EXPECT_TRUE(elector_.failed(page, now_));
    sit_out_a_wait();
    // Of the namespace.
    expect_get();
    failed(Code::NotFound, 404);
    EXPECT_TRUE(std::holds_alternative<CreateLease>(next()));
    EXPECT_TRUE(failed(Code::NotFound, 404));
    sit_out_a_wait();
    expect_get();
}

TEST_F(LeaderElectorFaults, WaitsForAHolderThatDoesNotSayHowLong) {
    for (const std::int64_t said : {std::int64_t{0}, std::int64_t{2'147'483'647}}) {
        const auto begin = now_;
        auto record = record_of(kOther);
        record.lease_duration_seconds = said;
        record.renew_time.reset();
        record.acquire_time.reset();
        LeaderElector elector{{.identity = kMe}};
        const Duration valid = said == 0 ? Duration{15s} : Duration{1h};
        for (const Duration at : {Duration::zero(), valid - 1s}) {
            EXPECT_EQ(elector.next(begin + at, wall_), Action{GetLease{}});
            elector.got(stored(record), begin + at);
            EXPECT_TRUE(std::holds_alternative<Pause>(elector.next(begin + at, wall_))) << said;
        }
        EXPECT_EQ(elector.next(begin + valid + 5s, wall_), Action{GetLease{}});
        elector.got(stored(record), begin + valid + 5s);
        EXPECT_TRUE(std::holds_alternative<UpdateLease>(elector.next(begin + valid + 5s, wall_)));
    }
}

TEST_F(LeaderElectorFaults, GoesOnWithItsOwnThatLostItsTimes) {
    auto record = record_of(kMe);
    record.acquire_time.reset();
    expect_get();
    got(record);
    EXPECT_EQ(written_record().acquire_time, wall_);
}

TEST_F(LeaderElectorFaults, DoesNotLeadByAWriteThatCameOutDifferent) {
    // As an admission webhook might have it.
    for (const char* holder : {kOther, ""}) {
        LeaderElector elector{{.identity = kMe}};
        EXPECT_EQ(elector.next(now_, wall_), Action{GetLease{}});
        elector.got(stored(record_of("")), now_);
        EXPECT_TRUE(std::holds_alternative<UpdateLease>(elector.next(now_, wall_)));
        elector.written(stored(record_of(holder)), now_);
        EXPECT_FALSE(elector.is_leader(now_));
        EXPECT_TRUE(std::holds_alternative<Pause>(elector.next(now_, wall_))) << "no rush";
    }
}

TEST_F(LeaderElectorFaults, DoesNotLeadByAnAnswerThatComesTooLate) {
    expect_get();
    failed(Code::NotFound, 404);
    const auto record = written_record();
    pass(11s);
    elector_.written(stored(record), now_);
    EXPECT_FALSE(leads());
    (void)next();
    EXPECT_FALSE(leads());
}

}  // namespace
}  // namespace smw::coordination
