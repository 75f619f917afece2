#pragma once
// `certs issue` in a folder of its own, and what it made there.

#include "smw/tls/inspect.hpp"
#include "unit/cli/certs_world.hpp"

#include <gmock/gmock.h>

#include <string>
#include <sys/stat.h>
#include <utility>
#include <vector>

namespace smw::cli::test {

class CertsIssue : public Certs {
protected:
    int issue(std::vector<std::string> flags = {}, const std::string& out = "d") {
        flags.insert(flags.begin(), {"issue", "--out", path(out), "--service-namespace", "ns"});
        return run(std::move(flags));
    }

    [[nodiscard]] tls::CertificateDetails details(const std::string& file) const {
        return tls::inspect_trust(read(file), now_).certificates.at(0);
    }
    [[nodiscard]] tls::Inspection judged(const std::string& folder = "d") const {
        return tls::inspect({read(folder + "/tls.crt"), read(folder + "/tls.key")},
                            {{"stateful-migration-webhook-service.ns.svc"}, now_});
    }
    [[nodiscard]] mode_t mode(const std::string& file) const {
        struct stat status {};
        EXPECT_EQ(::stat(path(file).c_str(), &status), 0);
        return status.st_mode & 0777U;
    }
    [[nodiscard]] std::string refusal() const {
        const std::string program = "stateful-migration-webhook: ";
        EXPECT_THAT(err_, testing::StartsWith(program));
        EXPECT_THAT(out_, testing::IsEmpty());
        return err_.substr(program.size());
    }
};

}  // namespace smw::cli::test
