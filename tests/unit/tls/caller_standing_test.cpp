// For how long what a handshake has found out about a caller holds.

#include "unit/tls/callers_world.hpp"

#include <tuple>
#include <utility>
#include <vector>

namespace smw::tls::calls {
namespace {

using std::chrono::seconds;

TEST_F(CallersTest, StandsUntilAnotherCaComes) {
    trust({ca_});
    for (const auto mode : {ClientAuth::Require, ClientAuth::Report}) {
        const auto judging = callers({mode, {}});
        for (const auto& shown : {leaf_of(ca_), leaf_of(make_ca("stranger")), Shown{}}) {
            const auto session = connect(&judging, shown);
            ASSERT_TRUE(session);
            const auto standing = judging.hear(session.get(), clock_.now());
            EXPECT_EQ(judging.stands(standing, kNow), standing.refused.empty());
            trust({ca_});
            EXPECT_FALSE(judging.stands(standing, kNow));
        }
    }
}

TEST_F(CallersTest, DoesNotStandWhenTheCaChangedDuringTheHandshake) {
    trust({ca_});
    const auto judging = callers();
    const auto session = connect(&judging, leaf_of(ca_));
    ASSERT_TRUE(session);
    trust({ca_});
    EXPECT_FALSE(judging.stands(judging.hear(session.get(), clock_.now()), kNow));
}

TEST_F(CallersTest, StandsWithoutACaUntilThereIsOne) {
    const auto report = callers({ClientAuth::Report, {}});
    const auto session = connect(&report, leaf_of(ca_));
    ASSERT_TRUE(session);
    const auto standing = report.hear(session.get(), clock_.now());
    EXPECT_TRUE(report.stands(standing, kNow));
    trust({ca_});
    EXPECT_FALSE(report.stands(standing, kNow));
    EXPECT_FALSE(report.stands(report.hear(session.get(), clock_.now()), kNow));
}

TEST_F(CallersTest, StandsUntilACertificateOfItsChainExpires) {
    const auto brief = make_ca("brief", nullptr, {.not_after = kNow + hours{3}});
    trust({ca_, brief});
    const auto judging = callers();
    auto spec = client_spec();
    for (const auto& [ca, ends, left] :
         {std::tuple{&ca_, hours{2}, hours{2}}, std::tuple{&brief, hours{4}, hours{3}}}) {
        spec.not_after = kNow + ends;
        const auto session = connect(&judging, leaf_of(*ca, spec));
        ASSERT_TRUE(session);
        const auto standing = judging.hear(session.get(), clock_.now());
        EXPECT_TRUE(judging.stands(standing, kNow + left - seconds{2}));
        EXPECT_FALSE(judging.stands(standing, kNow + left));
    }
}

TEST_F(CallersTest, StandsAsLongAsTheCaOfThatNameThatVerifiedIt) {
    const auto brief = make_ca("client-ca", nullptr, {.not_after = kNow + hours{3}});
    for (const auto& order : {std::vector{brief, ca_}, std::vector{ca_, brief}}) {
        trust(order);
        const auto judging = callers();
        for (const auto& [ca, left] : {std::pair{&ca_, hours{5}}, std::pair{&brief, hours{3}}}) {
            auto spec = client_spec();
            spec.not_after = kNow + hours{5};
            const auto session = connect(&judging, leaf_of(*ca, spec));
            ASSERT_TRUE(session);
            const auto standing = judging.hear(session.get(), clock_.now());
            EXPECT_TRUE(judging.stands(standing, kNow + left - seconds{2}));
            EXPECT_FALSE(judging.stands(standing, kNow + left));
        }
    }
}

TEST_F(CallersTest, WhoIsNotVerifiedStandsWhateverItsDates) {
    trust({ca_});
    const auto report = callers({ClientAuth::Report, {}});
    auto spec = client_spec();
    spec.not_after = kNow - hours{1};
    const auto session = connect(&report, leaf_of(ca_, spec));
    ASSERT_TRUE(session);
    EXPECT_TRUE(report.stands(report.hear(session.get(), clock_.now()), kNow));
}

}  // namespace
}  // namespace smw::tls::calls
