#pragma once
// Pods judged without a server, by what a test has added.

#include "smw/checkpoint_restore/offline.hpp"
#include "world.hpp"

namespace smw::checkpoint_restore {

class OfflineTest : public ::testing::Test {
protected:
    Expected<Judgement> judge(const testing::Json& pod) {
        const auto document = json::Document::parse(pod.dump());
        return offline.judge(testing::create_request(*document));
    }
    void add(const testing::Json& object) {
        const auto document = json::Document::parse(object.dump());
        ASSERT_TRUE(offline.add(document->root()).has_value());
    }

    Offline offline;
};

}  // namespace smw::checkpoint_restore
