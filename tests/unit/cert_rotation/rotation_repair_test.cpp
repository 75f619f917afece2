// What somebody breaks is mended, with a reason that says what was wrong.

#include "unit/cert_rotation/model.hpp"

#include <functional>
#include <ostream>

namespace smw::cert_rotation {
namespace {

using namespace model;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const std::string kCaWords = "Secret ns/stateful-migration-webhook-ca";
const std::string kCertsWords = "Secret ns/stateful-migration-webhook-certs";
constexpr auto kOldStays = "the old one stays trusted for 24 h";

struct Damage {
    std::string name;
    std::function<void(Cluster&)> happens;
    std::vector<std::string> reasons;  ///< parts of that of the first write
    std::vector<std::string> events;   ///< until nothing more is due before the overlap is over
};

void PrintTo(const Damage& damage, std::ostream* out) {
    *out << damage.name;
}

std::function<void(Cluster&)> data(std::string path, std::string key, std::string bytes) {
    return [=](Cluster& cluster) {
        cluster.api.set_data(path, key, bytes);
    };
}

std::function<void(Cluster&)> without(std::string path, std::string key) {
    return [=](Cluster& cluster) {
        cluster.api.change(path, [&](Json& object) { object["data"].erase(key); });
    };
}

/// A key that is another CA's.
void foreign_key(Cluster& cluster, const std::string& path, const std::string& key) {
    cluster.api.set_data(path, key, tls::issue_ca({"x", cluster.now.wall, hours{1}})->key_pem);
}

void leaf_for(Cluster& cluster, const std::vector<std::string>& names, hours lifetime) {
    const tls::Issued ca{cluster.api.data(kCaSecret, "ca.crt"),
                         cluster.api.data(kCaSecret, "ca.key")};
    const auto leaf = tls::issue_leaf({"leaf", names, cluster.now.wall, lifetime}, ca);
    cluster.api.set_data(kCertsSecret, "tls.crt", leaf->certificate_pem);
    cluster.api.set_data(kCertsSecret, "tls.key", leaf->key_pem);
}

/// The CA of the Secret is replaced by one of another time.
void ca_of(Cluster& cluster, WallTime from, hours lifetime) {
    const auto ca = tls::issue_ca({"of another time", from, lifetime}).value();
    cluster.api.set_data(kCaSecret, "ca.crt", ca.certificate_pem);
    cluster.api.set_data(kCaSecret, "ca.key", ca.key_pem);
}

const std::vector<std::string> kPromoted{"SecretMended", "CABundlePublished", "LeafIssued"};
const std::vector<Damage> kDamages{
    {"CaKeyIsMissing",
     without(kCaSecret, "ca.key"),
     {kCaWords + " has no ca.key: the next CA (CN=", "is in use now", kOldStays},
     kPromoted},
    {"CaKeyIsAnother",
     [](Cluster& cluster) { foreign_key(cluster, kCaSecret, "ca.key"); },
     {"the key ca.key in " + kCaWords + " is not that of ca.crt: the next CA", kOldStays},
     kPromoted},
    {"CaIsNoPem",
     data(kCaSecret, "ca.crt", "rubbish"),
     {"ca.crt in " + kCaWords + ": there is no PEM certificate"},
     kPromoted},
    {"CaIsNoBase64",
     [](Cluster& cluster) {
         cluster.api.change(kCaSecret, [](Json& object) { object["data"]["ca.crt"] = "!!!"; });
     },
     {kCaWords + " has a ca.crt that is no base64"},
     kPromoted},
    {"CaIsNoText",
     [](Cluster& cluster) {
         cluster.api.change(kCaSecret, [](Json& object) { object["data"]["ca.crt"] = 5; });
     },
     {kCaWords + " has a ca.crt that is no base64"},
     kPromoted},
    {"CaIsExpired",
     [](Cluster& cluster) { ca_of(cluster, cluster.now.wall - hours{48}, hours{24}); },
     {"ca.crt in " + kCaWords + ": the CA (CN=of another time) expired at "},
     kPromoted},
    {"CaIsNotValidYet",
     [](Cluster& cluster) { ca_of(cluster, cluster.now.wall + hours{48}, hours{24}); },
     {"is not valid before "},
     kPromoted},
    {"CaIsALeaf",
     [](Cluster& cluster) {
         cluster.api.set_data(kCaSecret, "ca.crt", cluster.api.data(kCertsSecret, "tls.crt"));
         cluster.api.set_data(kCaSecret, "ca.key", cluster.api.data(kCertsSecret, "tls.key"));
     },
     {"ca.crt in " + kCaWords + ": "},
     kPromoted},
    {"AllCasAreGone",
     [](Cluster& cluster) {
         cluster.api.change(kCaSecret, [](Json& object) { object.erase("data"); });
     },
     {kCaWords + " has no ca.crt: made a new CA; " + kOldStays},
     {"CAIssued", "CABundlePublished", "LeafIssued"}},
    {"DataIsAList",
     [](Cluster& cluster) {
         cluster.api.change(kCaSecret, [](Json& object) { object["data"] = Json::array({1}); });
     },
     {kCaWords + " has no ca.crt: made a new CA"},
     {"CAIssued", "CABundlePublished", "LeafIssued"}},
    {"NextIsMissing",
     without(kCaSecret, "ca-next.crt"),
     {kCaWords + " has no ca-next.crt: made a new next CA"},
     {"CAIssued", "CABundlePublished", "CABundlePublished"}},
    {"NextIsTheSame",
     [](Cluster& cluster) {
         for (const auto* part : {".crt", ".key"}) {
             cluster.api.set_data(kCaSecret, std::string{"ca-next"} + part,
                                  cluster.api.data(kCaSecret, std::string{"ca"} + part));
         }
     },
     {"ca-next.crt in " + kCaWords + " is the same as ca.crt: made a new next CA"},
     {"CAIssued", "CABundlePublished", "CABundlePublished"}},
    {"NextEndsSoon",
     [](Cluster& cluster) {
         const auto next = tls::issue_ca({"short", cluster.now.wall, hours{100}}).value();
         cluster.api.set_data(kCaSecret, "ca-next.crt", next.certificate_pem);
         cluster.api.set_data(kCaSecret, "ca-next.key", next.key_pem);
         cluster.skip(hours{70});
     },
     {"the next CA (CN=short) would end too soon"},
     {"CAIssued", "CABundlePublished", "CABundlePublished"}},
    {"SinceIsMissing",
     [](Cluster& cluster) {
         cluster.api.change(kCaSecret,
                            [](Json& object) { object["metadata"].erase("annotations"); });
     },
     {"it was not written down since when the CA is in use in " + kCaWords},
     {"SecretMended"}},
    {"SinceIsNoDate",
     [](Cluster& cluster) { cluster.api.set_annotation(kCaSecret, "ca-in-use-since", "?"); },
     {"annotation ca-in-use-since is no date"},
     {"SecretMended"}},
    {"SinceLiesAhead",
     [](Cluster& cluster) {
         cluster.api.set_annotation(kCaSecret, "ca-in-use-since", "2200-01-01T00:00:00Z");
     },
     {"annotation ca-in-use-since lies ahead"},
     {"SecretMended"}},
    {"LeafIsMissing",
     without(kCertsSecret, "tls.crt"),
     {kCertsWords + " has no tls.crt: signed a new one"},
     {"SecretMended"}},
    {"LeafKeyIsAnother",
     [](Cluster& cluster) { foreign_key(cluster, kCertsSecret, "tls.key"); },
     {"the key tls.key in " + kCertsWords + " is not that of tls.crt"},
     {"SecretMended"}},
    {"LeafKeyIsNoKey",
     data(kCertsSecret, "tls.key", "rubbish"),
     {"tls.key in " + kCertsWords + ": there is no PEM private key"},
     {"SecretMended"}},
    {"LeafLacksTheName",
     [](Cluster& cluster) { leaf_for(cluster, {"other.example.com"}, hours{168}); },
     {"tls.crt in " + kCertsWords + " has no SAN svc.ns.svc"},
     {"SecretMended"}},
    {"LeafLacksAnotherName",
     [](Cluster& cluster) { leaf_for(cluster, {"svc.ns.svc"}, hours{168}); },
     {"has no SAN svc.ns:"},
     {"SecretMended"}},
    {"LeafIsExpired",
     [](Cluster& cluster) {
         leaf_for(cluster, cluster.settings.names, hours{1});
         cluster.skip(hours{2});
     },
     {"tls.crt in " + kCertsWords + ": ", "expired at"},
     {"SecretMended"}},
    {"LeafIsOfAStranger",
     [](Cluster& cluster) {
         const auto stranger = other_tool(cluster);
         cluster.api.set_data(kCertsSecret, "tls.crt", stranger.leaf.certificate_pem);
         cluster.api.set_data(kCertsSecret, "tls.key", stranger.leaf.key_pem);
     },
     {"is not signed by the CA in use"},
     {"LeafIssued"}},
    {"RecordIsMissing",
     without(kCertsSecret, "ca.crt"),
     {"ca.crt of " + kCertsWords + " says now what is published"},
     {"SecretMended"}},
    {"BundleIsEmptied",
     [](Cluster& cluster) { cluster.api.set_bundle("", 0); },
     {"caBundle of MutatingWebhookConfiguration pods had lost CN="},
     {"CABundleMended"}},
    {"BundlesAreEmptied",
     [](Cluster& cluster) {
         cluster.api.set_bundle("", 0);
         cluster.api.set_bundle("", 1);
         cluster.excuse();
         cluster.pass(minutes{1});
     },
     {"had lost CN="},
     {"CABundleMended"}},
    {"BundleIsGarbage",
     [](Cluster& cluster) { cluster.api.set_bundle("garbage", 1); },
     {"had lost CN="},
     {"CABundleMended"}},
    {"BundleHasAStranger",
     [](Cluster& cluster) {
         cluster.api.set_bundle(cluster.api.bundle() + other_tool(cluster).ca.certificate_pem);
     },
     {"had CN=other, which signs nothing here: taken out"},
     {"CABundleMended"}},
    {"BundleHasAKey",
     [](Cluster& cluster) {
         cluster.api.set_bundle(cluster.api.bundle() + cluster.api.data(kCaSecret, "ca.key"));
     },
     {"had more in it than certificates: taken out"},
     {"CABundleMended"}},
};

std::string name_of(const testing::TestParamInfo<Damage>& info) {
    return info.param.name;
}

class Repair : public testing::TestWithParam<Damage> {};

TEST_P(Repair, SaysWhyAndEndsWell) {
    Cluster cluster;
    make_steady(cluster);
    Writer writer{cluster.settings};
    cluster.run(writer, minutes{2});
    const auto theirs = cluster.api.get(kOurConfiguration).at("webhooks").at(1);
    GetParam().happens(cluster);
    cluster.run(writer, minutes{5});
    ASSERT_THAT(cluster.written, testing::Not(IsEmpty()));
    for (const auto& part : GetParam().reasons) {
        EXPECT_THAT(cluster.written.front().reason, HasSubstr(part));
    }
    EXPECT_EQ(events(cluster.written), GetParam().events);
    EXPECT_TRUE(cluster.is_believed());
    cluster.skip(hours{25});
    cluster.run(writer, minutes{3});
    for (const auto& bundle :
         {cluster.api.bundle(0), cluster.api.bundle(1), cluster.api.data(kCertsSecret, "ca.crt")}) {
        EXPECT_THAT(cluster.subjects(bundle), ElementsAre("used", "next"));
    }
    EXPECT_EQ(cluster.issuer_of_leaf(), cluster.ca());
    EXPECT_EQ(cluster.api.get(kOurConfiguration).at("webhooks").at(1), theirs);
    EXPECT_TRUE(cluster.is_believed());
    EXPECT_EQ(cluster.resting->phase, Phase::Steady);
}

INSTANTIATE_TEST_SUITE_P(Of, Repair, testing::ValuesIn(kDamages), name_of);

TEST(Publish, LeavesATextAloneThatSaysTheSame) {
    Cluster cluster;
    make_steady(cluster);
    const auto used = cluster.api.data(kCaSecret, "ca.crt");
    const auto next = cluster.api.data(kCaSecret, "ca-next.crt");
    cluster.api.set_bundle("# ours\n" + next + "\n\n# and\r\n" + used + next);
    Writer writer{cluster.settings};
    cluster.run(writer, minutes{3});
    EXPECT_THAT(cluster.written, IsEmpty());
}

TEST(Publish, GoesThroughAllConfigurations) {
    Cluster cluster;
    cluster.api.put("ValidatingWebhookConfiguration/pods",
                    {{"webhooks", {entry("v.example.com"), entry("w.example.com", "theirs")}}});
    Writer writer{cluster.settings};
    EXPECT_EQ(cluster.settle(writer), 4);
    const auto& webhooks = cluster.api.get("ValidatingWebhookConfiguration/pods").at("webhooks");
    EXPECT_EQ(unbase64(webhooks.at(0).at("clientConfig").at("caBundle")), cluster.api.bundle());
    EXPECT_FALSE(webhooks.at(1).at("clientConfig").contains("caBundle"));
}

/// Somebody empties it each time: each time it is one request.
TEST(Publish, AnswersEachChangeWithOneWrite) {
    Cluster cluster;
    make_steady(cluster);
    Writer writer{cluster.settings};
    cluster.run(writer, minutes{2});
    for (std::size_t round = 1; round <= 5; ++round) {
        cluster.api.set_bundle("");
        cluster.settle(writer);
        EXPECT_EQ(cluster.written.size(), round);
    }
}

TEST(LeafRenewal, TouchesOneSecretOnly) {
    Cluster cluster;
    make_steady(cluster);
    auto before = cluster.api.objects;
    cluster.skip(hours{112});
    Writer writer{cluster.settings};
    cluster.run(writer, minutes{3});
    EXPECT_THAT(events(cluster.written), ElementsAre("LeafIssued"));
    EXPECT_THAT(cluster.written.front().reason, HasSubstr(" ends at "));
    EXPECT_THAT(cluster.written.front().reason, HasSubstr(", good for 168 h"));
    EXPECT_EQ(cluster.written.front().phase, Phase::Signing);
    EXPECT_NE(cluster.api.objects, before);
    before[kCertsSecret] = cluster.api.get(kCertsSecret);
    EXPECT_EQ(cluster.api.objects, before);
}

TEST(LeafRenewal, WaitsForNothingAfterARestart) {
    Cluster cluster;
    make_steady(cluster);
    cluster.skip(hours{112});
    cluster.api.set_bundle(cluster.api.bundle() + other_tool(cluster).ca.certificate_pem, 1);
    Writer writer{cluster.settings};
    cluster.settle(writer);
    EXPECT_THAT(events(cluster.written), testing::Contains("LeafIssued"));
}

/// Whose leaf replicas serve meanwhile is not known: they took none of this Secret.
TEST(LeafRenewal, OfWhatIsNoPairWaits) {
    Cluster cluster;
    install(cluster, other_tool(cluster));
    Writer first{cluster.settings};
    cluster.run(first, minutes{3});
    foreign_key(cluster, kCertsSecret, "tls.key");
    const auto before = cluster.api.data(kCertsSecret, "tls.crt");
    Writer second{cluster.settings};
    cluster.run(second, seconds{40});
    EXPECT_EQ(cluster.api.data(kCertsSecret, "tls.crt"), before);
    cluster.run(second, seconds{20});
    EXPECT_NE(cluster.api.data(kCertsSecret, "tls.crt"), before);
}

TEST(Failure, IsToldAndTriedAgain) {
    Cluster cluster;
    Issuers issuers;
    issuers.ca = [](const tls::CaRequest&) -> Expected<tls::Issued> {
        return fail(Code::Internal, "no randomness");
    };
    Rotation rotation{cluster.settings, issuers};
    const auto plan = rotation.next(cluster.api.world(), cluster.now);
    EXPECT_FALSE(plan.write);
    ASSERT_TRUE(plan.failure);
    EXPECT_EQ(plan.failure->message, "no randomness");
    EXPECT_EQ(plan.look_again, cluster.now.steady + seconds{10});
}

TEST(Failure, OfALeafWithoutNames) {
    auto settings = default_settings();
    settings.names.clear();
    Cluster cluster{settings};
    cluster.settings.names = {"unused"};
    Rotation rotation{settings};
    for (int writes = 0; writes < 2; ++writes) {
        EXPECT_EQ(cluster.api.write(*rotation.next(cluster.api.world(), cluster.now).write), 200);
    }
    EXPECT_TRUE(rotation.next(cluster.api.world(), cluster.now).failure);
}

}  // namespace
}  // namespace smw::cert_rotation
