// Whoever writes may die after any write: the next one, who knows nothing but what stands in the
// cluster, ends where the first would have, and nobody notices.

#include "unit/cert_rotation/model.hpp"

#include <functional>
#include <ostream>
#include <random>

namespace smw::cert_rotation {
namespace {

using namespace model;
using testing::ElementsAre;

struct Scenario {
    std::string name;
    std::function<void(Cluster&)> begin;
    bool old_is_dropped_late = false;  ///< after the overlap
    std::size_t writes = 0;            ///< of one who does not die
};

void PrintTo(const Scenario& scenario, std::ostream* out) {
    *out << scenario.name;
}

void trust_and_rotate(Cluster& cluster, std::string_view annotation) {
    make_steady(cluster);
    cluster.api.set_annotation(kCaSecret, std::string{annotation}, "now");
}

void remove_after_steady(Cluster& cluster, const std::vector<std::string>& paths) {
    make_steady(cluster);
    for (const auto& path : paths) {
        cluster.api.remove(path);
    }
}

const std::vector<Scenario> kScenarios{
    {"FirstStart", [](Cluster&) {}, false, 3},
    {"LeafRenewal",
     [](Cluster& cluster) {
         make_steady(cluster);
         cluster.skip(hours{112});
     },
     false, 1},
    {"CaRotation",
     [](Cluster& cluster) {
         make_steady(cluster);
         // For the CA it is a year later.
         cluster.api.set_annotation(kCaSecret, "ca-in-use-since",
                                    tls::to_text(cluster.now.wall - hours{5900}));
         cluster.api.change(kCaSecret, [&](Json& object) {
             const auto old =
                 tls::issue_ca({"aged", cluster.now.wall - hours{6000}, hours{8760}}).value();
             object["data"]["ca.crt"] = base64(old.certificate_pem);
             object["data"]["ca.key"] = base64(old.key_pem);
             const auto leaf = tls::issue_leaf(
                 {"leaf", cluster.settings.names, cluster.now.wall, hours{168}}, old);
             cluster.api.set_data(kCertsSecret, "tls.crt", leaf->certificate_pem);
             cluster.api.set_data(kCertsSecret, "tls.key", leaf->key_pem);
             const auto next = unbase64(object["data"]["ca-next.crt"]);
             for (const auto index : {0U, 1U}) {
                 cluster.api.set_bundle(old.certificate_pem + next, index);
             }
             cluster.api.set_data(kCertsSecret, "ca.crt", old.certificate_pem + next);
         });
         cluster.excuse();
         cluster.pass(minutes{2});
     },
     true, 5},
    {"ForcedRotation", [](Cluster& cluster) { trust_and_rotate(cluster, kRotate); }, true, 9},
    {"Compromised", [](Cluster& cluster) { trust_and_rotate(cluster, kCompromised); }, false, 9},
    {"Takeover", [](Cluster& cluster) { install(cluster, other_tool(cluster)); }, true, 6},
    {"CaSecretDeleted", [](Cluster& cluster) { remove_after_steady(cluster, {kCaSecret}); }, true,
     5},
    {"CertsSecretDeleted", [](Cluster& cluster) { remove_after_steady(cluster, {kCertsSecret}); },
     false, 1},
    {"BothDeleted",
     [](Cluster& cluster) {
         remove_after_steady(cluster, {kCaSecret, kCertsSecret});
     },
     true, 5},
};

std::string name_of(const testing::TestParamInfo<Scenario>& info) {
    return info.param.name;
}

void finish(Cluster& cluster, Writer& writer, const Scenario& scenario) {
    cluster.run(writer, minutes{4});
    EXPECT_TRUE(cluster.is_believed());
    if (scenario.old_is_dropped_late) {
        EXPECT_GT(cluster.subjects(cluster.api.bundle()).size(), 2U);
        EXPECT_EQ(cluster.resting->phase, Phase::Overlap);
        cluster.skip(hours{23});
        cluster.run(writer, minutes{2});
        EXPECT_GT(cluster.subjects(cluster.api.bundle()).size(), 2U);
        cluster.skip(hours{1});
        cluster.run(writer, minutes{2});
    }
    EXPECT_EQ(cluster.resting->phase, Phase::Steady);
    for (const auto& bundle :
         {cluster.api.bundle(0), cluster.api.bundle(1), cluster.api.data(kCertsSecret, "ca.crt")}) {
        EXPECT_THAT(cluster.subjects(bundle), ElementsAre("used", "next"));
    }
    EXPECT_EQ(cluster.issuer_of_leaf(), cluster.ca());
    EXPECT_TRUE(cluster.is_believed());
}

class Crash : public testing::TestWithParam<Scenario> {};

TEST_P(Crash, OfNobody) {
    Cluster cluster;
    GetParam().begin(cluster);
    Writer writer{cluster.settings};
    finish(cluster, writer, GetParam());
    EXPECT_EQ(cluster.written.size(), GetParam().writes)
        << testing::PrintToString(events(cluster.written));
    EXPECT_EQ(cluster.conflicts, 0);
}

TEST_P(Crash, AfterEachWrite) {
    Cluster begun;
    GetParam().begin(begun);
    for (std::size_t writes = 0; writes <= GetParam().writes; ++writes) {
        SCOPED_TRACE(writes);
        auto cluster = begun;
        Writer first{cluster.settings};
        for (int looks = 0; cluster.written.size() < writes && looks < 20; ++looks) {
            if (cluster.step(first) == 0) {
                cluster.pass(cluster.tick);
            }
        }
        Writer second{cluster.settings};
        finish(cluster, second, GetParam());
        EXPECT_LE(cluster.written.size(), GetParam().writes + 1);
    }
}

TEST_P(Crash, AfterEveryWrite) {
    Cluster cluster;
    GetParam().begin(cluster);
    for (std::size_t restart = 0; restart <= GetParam().writes; ++restart) {
        Writer writer{cluster.settings};
        for (int looks = 0; looks < 5 && cluster.step(writer) == 0; ++looks) {
            cluster.pass(cluster.tick);
        }
    }
    Writer last{cluster.settings};
    finish(cluster, last, GetParam());
}

/// Two who both think that it is theirs to write, each with what they saw a while ago.
TEST_P(Crash, OfTheLeaseItself) {
    for (unsigned seed = 0; seed < 4; ++seed) {
        SCOPED_TRACE(seed);
        std::mt19937 random{seed};
        Cluster cluster;
        GetParam().begin(cluster);
        std::vector<Writer> writers(2, Writer{cluster.settings});
        std::vector<std::optional<Plan>> intended(2);
        for (int turn = 0; turn < 80; ++turn) {
            const auto who = random() % 2;
            if (intended[who]) {
                if (intended[who]->write) {
                    cluster.api.write(*intended[who]->write);
                }
                intended[who].reset();
            } else {
                intended[who] = writers[who].next(cluster.api.world(), cluster.now);
            }
            if (random() % 3 == 0) {
                cluster.pass(cluster.tick);
            }
        }
        finish(cluster, writers.front(), GetParam());
    }
}

INSTANTIATE_TEST_SUITE_P(In, Crash, testing::ValuesIn(kScenarios), name_of);

}  // namespace
}  // namespace smw::cert_rotation
