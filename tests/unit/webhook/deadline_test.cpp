#include "smw/webhook/endpoint.hpp"

#include <gtest/gtest.h>

namespace smw::webhook {
namespace {

using namespace std::chrono_literals;

struct Case {
    const char* query;
    std::chrono::milliseconds expected;
};

class DeadlineOf : public testing::TestWithParam<Case> {};

TEST_P(DeadlineOf, RunsFromTheEndOfTheHead) {
    http::RequestHead head;
    head.query = GetParam().query;
    head.received = TimePoint{} + 1h;
    EXPECT_EQ(deadline_of(head).when() - head.received, GetParam().expected) << GetParam().query;
}

INSTANTIATE_TEST_SUITE_P(Timeout, DeadlineOf,
                         testing::Values(Case{"timeout=10s", 9s},       // minus 10 %
                                         Case{"timeout=30s", 27s},      //
                                         Case{"timeout=2s", 1500ms},    // minus 500 ms
                                         Case{"timeout=1s", 500ms},     //
                                         Case{"timeout=900ms", 450ms},  // half below a second
                                         Case{"timeout=500ms", 250ms},  //
                                         Case{"timeout=1m30s", 30s},    // never more than 30 s
                                         Case{"timeout=2h", 30s},       //
                                         Case{"timeout=33s", 29700ms},  //
                                         Case{"a=b&timeout=2s&c=d", 1500ms},
                                         Case{"", 10s},              // without one
                                         Case{"timeout=", 10s},      // unreadable: as if absent
                                         Case{"timeout=10", 10s},    //
                                         Case{"timeout=soon", 10s},  //
                                         Case{"timeout=0s", 10s},    //
                                         Case{"timeout=-5s", 10s},   //
                                         Case{"timeouts=2s", 10s},   //
                                         Case{"timeout=99999999999h", 10s}));

}  // namespace
}  // namespace smw::webhook
