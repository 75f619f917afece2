#include "cert_rotation/schedule.hpp"

#include <gtest/gtest.h>

namespace smw::cert_rotation {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

const WallTime kBegin{hours{500000}};

tls::CertificateDetails valid(WallTime from, WallTime until) {
    tls::CertificateDetails details;
    details.not_before = from;
    details.not_after = until;
    return details;
}

Settings lives(hours leaf, hours ca) {
    Settings settings;
    settings.leaf_lifetime = leaf;
    settings.ca_lifetime = ca;
    return settings;
}

TEST(RotationDate, IsWithAThirdOfItsLifeLeft) {
    const auto ca = valid(kBegin - hours{1}, kBegin + hours{900});
    EXPECT_EQ(rotation_date(ca, kBegin, lives(hours{1}, hours{900})), kBegin + hours{600});
}

TEST(RotationDate, IsWithAThirdOfWhatItReallyHas) {
    const auto ca = valid(kBegin, kBegin + hours{90});
    EXPECT_EQ(rotation_date(ca, kBegin, lives(hours{1}, hours{900})), kBegin + hours{60});
}

TEST(RotationDate, IsNotPutOffByALongLife) {
    const auto ca = valid(kBegin, kBegin + hours{9000});
    EXPECT_EQ(rotation_date(ca, kBegin + hours{5}, lives(hours{1}, hours{900})),
              kBegin + hours{605});
}

TEST(RotationDate, OfCertificatesWithoutAnEndIsReckonedWith) {
    EXPECT_EQ(
        rotation_date(valid(WallTime::min(), WallTime::max()), kBegin, lives(hours{1}, hours{900})),
        kBegin + hours{600});
}

TEST(LifetimeOfNext, IsLongEnoughToWaitItsTurn) {
    const auto settings = lives(hours{1}, hours{900});
    const auto next = valid(kBegin - hours{1}, kBegin + lifetime_of_next(settings));
    const auto turn = kBegin + hours{600};
    EXPECT_GT(staleness_date(next, settings), turn);
    EXPECT_EQ(rotation_date(next, turn, settings), turn + hours{600});
}

TEST(RenewalDate, IsWithAThirdOfItsLifeLeft) {
    const auto ca = valid(kBegin, kBegin + hours{900});
    const auto leaf = valid(kBegin - hours{1}, kBegin + hours{90});
    EXPECT_EQ(renewal_date(leaf, ca, lives(hours{90}, hours{900})), kBegin + hours{60});
}

TEST(RenewalDate, IsNoneWhenANewOneWouldNotLastLonger) {
    const auto ca = valid(kBegin, kBegin + hours{90});
    EXPECT_EQ(renewal_date(valid(kBegin, ca.not_after), ca, lives(hours{900}, hours{90})),
              std::nullopt);
}

TEST(WithinReason, BoundsEachSpan) {
    Settings wanted;
    wanted.leaf_lifetime = seconds{-5};
    wanted.ca_lifetime = seconds::max();
    wanted.ca_overlap = seconds{-1};
    wanted.ca_publish_wait = seconds::max();
    const auto bound = within_reason(wanted);
    EXPECT_EQ(bound.leaf_lifetime, seconds{1});
    EXPECT_EQ(bound.ca_lifetime, hours{24 * 365 * 100});
    EXPECT_EQ(bound.ca_overlap, seconds{0});
    EXPECT_EQ(bound.ca_publish_wait, hours{24 * 365 * 100});
}

}  // namespace
}  // namespace smw::cert_rotation
