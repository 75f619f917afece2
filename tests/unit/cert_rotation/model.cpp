#include "unit/cert_rotation/model.hpp"

#include "smw/base/base64.hpp"
#include "smw/json/document.hpp"
#include "smw/tls/bundle.hpp"

#include <algorithm>

namespace smw::cert_rotation::model {
namespace {

json::Document parse(const Json& object) {
    return json::Document::parse(object.dump()).value();
}

std::string path_of(const Write& write) {
    return write.resource.kind + "/" + write.key.name;
}

/// Whether the body was made for another version of the object.
bool is_overtaken(const Json& body, const Json& object) {
    const auto& metadata = body.at("metadata");
    return metadata.at("uid") != object.at("metadata").at("uid") ||
           metadata.at("resourceVersion") != object.at("metadata").at("resourceVersion");
}

const Json& member(const Json& object, const std::string& key) {
    static const Json kNothing = Json::object();
    return object.contains(key) ? object.at(key) : kNothing;
}

}  // namespace

std::string base64(const std::string& bytes) {
    return encode_base64(bytes);
}

std::string unbase64(const std::string& text) {
    return decode_base64(text).value();
}

void ApiServer::put(const std::string& path, Json object) {
    store(path, std::move(object));
}

void ApiServer::remove(const std::string& path) {
    objects.erase(path);
    ++version;
}

int ApiServer::store(const std::string& path, Json object) {
    auto& metadata = object["metadata"];
    metadata["name"] = path.substr(path.find('/') + 1);
    if (objects.contains(path)) {
        metadata["uid"] = objects.at(path).at("metadata").at("uid");
        metadata["resourceVersion"] = objects.at(path).at("metadata").at("resourceVersion");
        if (objects.at(path) == object) {
            return 200;  // the API server does not write what is the same
        }
    } else {
        metadata["uid"] = "uid-" + std::to_string(version);
    }
    metadata["resourceVersion"] = std::to_string(++version);
    objects[path] = std::move(object);
    return 200;
}

int ApiServer::create(const Write& write, const Json& body) {
    EXPECT_EQ(body.at("kind"), write.resource.kind);
    EXPECT_EQ(body.at("metadata").at("name"), write.key.name);
    EXPECT_EQ(body.at("metadata").at("namespace"), kNamespace);
    return has(path_of(write)) ? 409 : store(path_of(write), body);
}

int ApiServer::patch(const Write& write, const Json& body) {
    if (!has(path_of(write))) {
        return 404;
    }
    Json object = get(path_of(write));
    if (is_overtaken(body, object)) {
        return 409;
    }
    object.merge_patch(body);
    return store(path_of(write), std::move(object));
}

int ApiServer::apply(const Write& write, const Json& body) {
    if (!has(path_of(write)) || is_overtaken(body, get(path_of(write)))) {
        return 409;
    }
    Json object = get(path_of(write));
    for (const auto& wanted : body.at("webhooks")) {
        for (auto& present : object["webhooks"]) {
            if (present.at("name") == wanted.at("name")) {
                present.merge_patch(wanted);
            }
        }
    }
    return store(path_of(write), std::move(object));
}

int ApiServer::write(const Write& write) {
    const Json body = Json::parse(write.body.json);
    switch (write.verb) {
        case Write::Verb::Create:
            return create(write, body);
        case Write::Verb::MergePatch:
            return patch(write, body);
        case Write::Verb::Apply:
            return apply(write, body);
    }
    return 0;
}

std::string ApiServer::data(const std::string& path, const std::string& key) const {
    if (!has(path)) {
        return "";
    }
    const auto& all = member(get(path), "data");
    return all.contains(key) ? unbase64(all.at(key)) : "";
}

std::string ApiServer::annotation(const std::string& path, const std::string& name) const {
    const auto& all = member(member(get(path), "metadata"), "annotations");
    const auto key = std::string{kAnnotationPrefix} + name;
    return all.contains(key) ? all.at(key).get<std::string>() : "";
}

void ApiServer::set_data(const std::string& path, const std::string& key,
                         const std::string& bytes) {
    change(path, [&](Json& object) { object["data"][key] = base64(bytes); });
}

void ApiServer::set_annotation(const std::string& path, const std::string& name,
                               const std::string& text) {
    change(path, [&](Json& object) {
        object["metadata"]["annotations"][std::string{kAnnotationPrefix} + name] = text;
    });
}

std::string ApiServer::bundle(std::size_t index) const {
    std::size_t seen = 0;
    for (const auto& webhook : get(kOurConfiguration).at("webhooks")) {
        const auto& client = webhook.at("clientConfig");
        if (client.at("service").at("name") == kService && seen++ == index) {
            return client.contains("caBundle") ? unbase64(client.at("caBundle")) : "";
        }
    }
    return "";
}

void ApiServer::set_bundle(const std::string& bytes, std::size_t index) {
    change(kOurConfiguration, [&](Json& object) {
        std::size_t seen = 0;
        for (auto& webhook : object["webhooks"]) {
            auto& client = webhook["clientConfig"];
            if (client["service"]["name"] == kService && seen++ == index) {
                client["caBundle"] = base64(bytes);
            }
        }
    });
}

World ApiServer::world() const {
    World world;
    for (const auto& [path, object] : objects) {
        const auto document = parse(object);
        if (path == kCaSecret) {
            world.ca = read_ca_secret(document.root());
        } else if (path == kCertsSecret) {
            world.certs = read_certs_secret(document.root());
        } else if (path.starts_with("Mutating")) {
            world.configurations.push_back(read_configuration(
                document.root(), ConfigurationKind::Mutating, {kNamespace, kService}));
        } else if (path.starts_with("Validating")) {
            world.configurations.push_back(read_configuration(
                document.root(), ConfigurationKind::Validating, {kNamespace, kService}));
        }
    }
    return world;
}

Json entry(const std::string& name, const std::string& service, const std::string& bundle) {
    Json made{{"name", name},
              {"clientConfig",
               {{"service", {{"name", service}, {"namespace", kNamespace}, {"port", 443}}}}},
              {"failurePolicy", "Fail"}};
    if (!bundle.empty()) {
        made["clientConfig"]["caBundle"] = base64(bundle);
    }
    return made;
}

Json configuration() {
    return {{"metadata", {{"labels", {{"of", "somebody"}}}}},
            {"webhooks",
             {entry("one.example.com"), entry("theirs.example.com", "theirs", "their bundle"),
              entry("two.example.com")}}};
}

void Late::hear(const std::string& text, TimePoint now) {
    if (text != last_) {
        last_ = text;
        coming_.emplace_back(now + delay_, text);
    }
    while (!coming_.empty() && coming_.front().first <= now) {
        seen_ = coming_.front().second;
        coming_.pop_front();
    }
}

Settings default_settings() {
    Settings settings;
    settings.namespace_ = kNamespace;
    settings.names = tls::dns_names({kService, kNamespace});
    return settings;
}

Cluster::Cluster(Settings wanted)
    : settings(std::move(wanted)),
      now{std::chrono::floor<seconds>(std::chrono::system_clock::now()), TimePoint{hours{1}}},
      replicas_{{Late{seconds{0}}, "", ""}, {Late{seconds{15}}, "", ""}},
      trusting_{Late{seconds{0}}, Late{seconds{20}}, Late{seconds{10}}, Late{seconds{25}}} {
    api.put(kOurConfiguration, configuration());
}

void Cluster::hear() {
    const auto chain = api.data(kCertsSecret, "tls.crt");
    const auto key = api.data(kCertsSecret, "tls.key");
    for (auto& replica : replicas_) {
        replica.certificate.hear(chain + '\0' + key, now.steady);
        const auto& heard = replica.certificate.sees();
        if (heard == replica.looked_at) {
            continue;
        }
        replica.looked_at = heard;
        const auto split = heard.find('\0');
        const tls::Material material{heard.substr(0, split), heard.substr(split + 1)};
        if (!tls::inspect(material, {settings.names, now.wall}).is_refused()) {
            replica.chain = material.chain;
        }
    }
    // Half of the API servers look at the first entry, half at the second.
    for (std::size_t index = 0; index < trusting_.size(); ++index) {
        trusting_[index].hear(api.has(kOurConfiguration) ? api.bundle(index % 2) : "", now.steady);
    }
}

bool Cluster::believes(const std::string& bundle, const std::string& chain) {
    const auto quarter = std::chrono::floor<hours>(now.wall).time_since_epoch().count() / 6;
    const auto [found, is_new] = judged_.try_emplace({bundle, chain, quarter}, false);
    if (is_new) {
        found->second =
            tls::believes({bundle, settings.names.front(), now.wall}, chain).has_value();
    }
    return found->second;
}

void Cluster::look_at_promise() {
    hear();
    bool all = true;
    for (const auto& replica : replicas_) {
        for (const auto& api_server : trusting_) {
            all = all && believes(api_server.sees(), replica.chain);
        }
    }
    EXPECT_TRUE(all || !is_believed_) << "a replica is not believed any more, after "
                                      << (written.empty() ? "nothing" : written.back().reason);
    is_believed_ = all;
    for (const auto& text :
         {api.has(kOurConfiguration) ? api.bundle(0) : "", api.data(kCertsSecret, "ca.crt")}) {
        EXPECT_THAT(written.empty() ? "" : text, testing::Not(testing::HasSubstr("PRIVATE KEY")));
    }
    if (api.has(kOurConfiguration)) {
        EXPECT_EQ(api.get(kOurConfiguration).at("webhooks").at(1),
                  configuration().at("webhooks").at(1));
    }
}

void Cluster::pass(Duration span) {
    for (Duration passed{}; passed < span; passed += tick) {
        now.steady += tick;
        now.wall += tick;
        look_at_promise();
    }
}

void Cluster::skip(Duration span) {
    now.steady += span;
    now.wall += span;
    look_at_promise();
}

int Cluster::step(Writer& writer) {
    auto plan = writer.next(api.world(), now);
    EXPECT_FALSE(plan.failure) << plan.failure->message;
    if (!plan.write) {
        resting = std::move(plan);
        look_at_promise();
        return 0;
    }
    EXPECT_NE(plan.reason, "");
    EXPECT_THAT(plan.reason, testing::Not(testing::HasSubstr("PRIVATE")));
    const int status = api.write(*plan.write);
    conflicts += status == 409 ? 1 : 0;
    if (status == 200) {
        written.push_back(std::move(plan));
    }
    look_at_promise();
    return status;
}

int Cluster::settle(Writer& writer) {
    constexpr int kMostSteps = 12;
    int writes = 0;
    while (step(writer) != 0) {
        if (++writes > kMostSteps) {
            ADD_FAILURE() << "it writes for ever: " << written.back().reason;
            return writes;
        }
    }
    return writes;
}

void Cluster::run(Writer& writer, Duration span) {
    for (Duration passed{}; passed < span; passed += tick) {
        settle(writer);
        pass(tick);
    }
    settle(writer);
}

std::vector<std::string> Cluster::subjects(const std::string& pem) const {
    std::vector<std::string> names;
    for (const auto& certificate : tls::read_bundle(pem)) {
        const auto& subject = certificate.details.subject;
        names.push_back("CN=" + ca() == subject        ? "used"
                        : "CN=" + next_ca() == subject ? "next"
                                                       : subject.substr(3));
    }
    return names;
}

std::string Cluster::ca() const {
    const auto read = tls::read_bundle(api.data(kCaSecret, "ca.crt"));
    return read.empty() ? "" : read.front().details.subject.substr(3);
}

std::string Cluster::next_ca() const {
    const auto read = tls::read_bundle(api.data(kCaSecret, "ca-next.crt"));
    return read.empty() ? "" : read.front().details.subject.substr(3);
}

std::string Cluster::issuer_of_leaf() const {
    const auto read = tls::read_bundle(api.data(kCertsSecret, "tls.crt"));
    return read.empty() ? "" : read.front().details.issuer.substr(3);
}

OtherTool other_tool(const Cluster& cluster, const std::string& name) {
    OtherTool tool;
    tool.ca = tls::issue_ca({name, cluster.now.wall, hours{8760}}).value();
    tool.leaf =
        tls::issue_leaf({"leaf of " + name, cluster.settings.names, cluster.now.wall, hours{2160}},
                        tool.ca)
            .value();
    return tool;
}

void install(Cluster& cluster, const OtherTool& tool) {
    cluster.api.put(kCertsSecret, {{"type", "kubernetes.io/tls"},
                                   {"data",
                                    {{"tls.crt", base64(tool.leaf.certificate_pem)},
                                     {"tls.key", base64(tool.leaf.key_pem)}}}});
    cluster.api.set_bundle(tool.ca.certificate_pem, 0);
    cluster.api.set_bundle(tool.ca.certificate_pem, 1);
    cluster.pass(minutes{1});
    EXPECT_TRUE(cluster.is_believed());
}

void make_steady(Cluster& cluster) {
    Writer writer{cluster.settings};
    cluster.run(writer, minutes{2});
    cluster.skip(hours{25});
    cluster.run(writer, minutes{2});
    EXPECT_TRUE(cluster.is_believed());
    cluster.written.clear();
}

std::vector<std::string> events(const std::vector<Plan>& plans) {
    std::vector<std::string> names;
    for (const auto& plan : plans) {
        names.emplace_back(to_string(plan.write->event));
    }
    return names;
}

}  // namespace smw::cert_rotation::model
