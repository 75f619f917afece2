#include "smw/tls/inspect.hpp"
#include "unit/cli/certs_world.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

namespace smw::cli {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

client::Failure failure(Code code, int status, const std::string& message) {
    client::Failure made;
    made.error = {code, message};
    made.status.code = status;
    return made;
}

/// A Secret as the replicas keep it; "eA==" is base64.
std::string secret(const std::string& annotations = "") {
    return fmt::format(R"({{"metadata":{{"annotations":{{{}}}}},"data":{{"ca.crt":"eA==",)"
                       R"("ca.key":"eA==","ca-next.crt":"eA==","ca-next.key":"eA=="}}}})",
                       annotations);
}

class CertsRotate : public test::Certs {
protected:
    CertsRotate() {
        app::OpenCluster cluster;
        cluster.ask = [this](client::ApiRequest request) -> client::Answered<json::Document> {
            asked_.push_back(request.verb + " " + request.namespace_ + "/" + request.name);
            if (answer_.error) {
                return tl::unexpected(*answer_.error);
            }
            return *json::Document::parse(answer_.body);
        };
        cluster.change = [this](client::ApiWrite write) -> client::Answered<json::Document> {
            written_.push_back(write);
            if (refusal_) {
                return tl::unexpected(*refusal_);
            }
            return *json::Document::parse("{}");
        };
        cluster.pause = [this](Duration) {
            on_pause_();
        };
        found_ = cluster;
    }

    int rotate(std::vector<std::string> words) {
        words.insert(words.begin(), {"rotate", "--service-namespace", "ns"});
        return run(std::move(words));
    }
    /// As the replica answers: it has carried out what was asked for now.
    void carry_out(const std::string& annotation, const std::string& why = "") {
        answer_.body = secret(fmt::format(R"("stateful-migration.dcnlab.com/{}":"{}{}")",
                                          annotation, tls::to_text(now_), why));
    }

    struct {
        std::string body = secret();
        std::optional<client::Failure> error;
    } answer_;
    std::optional<client::Failure> refusal_;
    std::function<void()> on_pause_ = [] {
    };
    std::vector<std::string> asked_;
    std::vector<client::ApiWrite> written_;
};

TEST_F(CertsRotate, AsksByAnAnnotationAndSaysWhereToLook) {
    EXPECT_EQ(rotate({}), 0) << err_;
    ASSERT_EQ(written_.size(), 1U);
    const auto& write = written_.front();
    EXPECT_EQ(write.request.verb, "patch");
    EXPECT_EQ(write.request.namespace_ + "/" + write.request.name,
              "ns/stateful-migration-webhook-ca");
    EXPECT_EQ(write.content_type, client::kMergePatch);
    EXPECT_EQ(
        write.body.json,
        fmt::format(
            R"({{"metadata":{{"annotations":{{"stateful-migration.dcnlab.com/rotate":"{}"}}}}}})",
            tls::to_text(now_)));
    EXPECT_THAT(out_, AllOf(HasSubstr("asked for a rotation"),
                            HasSubstr("involvedObject.name=stateful-migration-webhook-ca")));
    EXPECT_THAT(err_, IsEmpty());
}

TEST_F(CertsRotate, ACompromisedKeyIsSaidWithItsReasonAndTheDate) {
    EXPECT_EQ(rotate({"--compromised", "laptop lost"}), 0) << err_;
    ASSERT_EQ(written_.size(), 1U);
    EXPECT_THAT(
        written_.front().body.json,
        HasSubstr(fmt::format(R"("stateful-migration.dcnlab.com/compromised":"{} laptop lost")",
                              tls::to_text(now_))));
}

TEST_F(CertsRotate, WaitsUntilItIsDone) {
    for (const auto& flags : {std::vector<std::string>{}, {"--compromised", "lost"}}) {
        answer_.body = secret();
        int slept = 0;
        on_pause_ = [&] {
            if (++slept == 2) {
                flags.empty() ? carry_out("rotated") : carry_out("compromised-done", " lost");
            }
        };
        auto words = flags;
        words.insert(words.end(), {"--wait", "5s"});
        EXPECT_EQ(rotate(words), 0) << err_;
        EXPECT_EQ(slept, 2);
        EXPECT_THAT(out_, HasSubstr("the new CA is in use"));
    }
}

TEST_F(CertsRotate, SaysWhenItWasNotDoneInTime) {
    EXPECT_EQ(rotate({"--wait=3s"}), kFailed);
    EXPECT_THAT(err_, AllOf(HasSubstr("not done within --wait"), HasSubstr("get events")));
    EXPECT_EQ(asked_.size(), 4U);
}

TEST_F(CertsRotate, ASecretThatNobodyRotatesIsLeftAlone) {
    answer_.body = R"({"metadata":{},"data":{"ca.crt":"eA==","ca.key":"eA=="}})";
    EXPECT_EQ(rotate({}), kFailed);
    EXPECT_THAT(err_, AllOf(HasSubstr("holds no next CA"), HasSubstr("--renew-ca")));
    EXPECT_THAT(written_, IsEmpty());
}

TEST_F(CertsRotate, SaysWhatTheApiServerRefuses) {
    answer_.error = failure(Code::NotFound, 404, "not found");
    EXPECT_EQ(rotate({}), kFailed);
    EXPECT_THAT(err_, AllOf(HasSubstr("there is no Secret ns/stateful-migration-webhook-ca"),
                            HasSubstr("--service-namespace")));
    answer_.error = failure(Code::Forbidden, 403, "getting secrets: forbidden");
    EXPECT_EQ(rotate({}), kFailed);
    EXPECT_THAT(err_, HasSubstr("getting secrets: forbidden"));
    answer_.error.reset();
    refusal_ = failure(Code::Forbidden, 403, "patching secrets: forbidden");
    EXPECT_EQ(rotate({}), kFailed);
    EXPECT_THAT(err_, HasSubstr("patching secrets: forbidden"));
}

TEST_F(CertsRotate, NeedsACluster) {
    found_ = std::nullopt;
    EXPECT_EQ(rotate({}), kBadUsage);
    EXPECT_THAT(err_, HasSubstr("there is no cluster to ask"));
    found_ = fail(Code::BadRequest, "k.conf: no such file");
    EXPECT_EQ(rotate({}), kBadUsage);
    EXPECT_THAT(err_, HasSubstr("finding the cluster: k.conf: no such file"));
}

}  // namespace
}  // namespace smw::cli
