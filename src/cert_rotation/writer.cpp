#include "cert_rotation/writer.hpp"

#include "smw/async/sleep.hpp"
#include "smw/tls/inspect.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <random>
#include <utility>

namespace smw::cert_rotation {
namespace {

/// For one write.
constexpr std::chrono::seconds kPatience{15};
/// For what was written to come back by the watch.
constexpr std::chrono::seconds kEcho{5};
/// The wall clock is looked at this often: a machine that slept notices.
constexpr std::chrono::seconds kLook{10};
/// After being overtaken, and between steps that somebody undoes; that doubles.
constexpr std::chrono::seconds kPause{1};
constexpr std::chrono::seconds kLongest{60};
/// The same step within this time is no coincidence.
constexpr std::chrono::seconds kSoon{3};
/// So often it is told.
constexpr int kManyTimes = 4;
constexpr int kManyConflicts = 10;
/// A failure that lasts is told again.
constexpr std::chrono::minutes kRepeat{1};

constexpr std::string_view kCreate = "create";
constexpr std::string_view kPatch = "patch";
/// Not that of the deploy scripts: what one of two managers of the same name leaves out is taken
/// away.
constexpr std::string_view kFieldManager = "stateful-migration-webhook-certificates";

client::ApiWrite request_for(const Write& write) {
    client::ApiWrite made;
    made.request.resource = write.resource;
    made.request.namespace_ = write.key.namespace_;
    made.request.verb = kPatch;
    made.request.name = write.key.name;
    made.request.query = {{"fieldManager", std::string{kFieldManager}}};
    made.body = write.body;
    switch (write.verb) {
        case Write::Verb::Create:
            made.request.verb = kCreate;
            made.request.name.clear();
            break;
        case Write::Verb::MergePatch:
            made.content_type = client::kMergePatch;
            break;
        case Write::Verb::Apply:
            // caBundle is ours, whoever wrote it before.
            made.request.query.emplace_back("force", "true");
            made.content_type = client::kApplyPatch;
            break;
    }
    return made;
}

kube::Resource secrets() {
    return {"", "v1", "Secret", "secrets"};
}

kube::Resource events() {
    return {"", "v1", "Event", "events"};
}

std::string seen_version(const World& world, const Write& write) {
    switch (write.target) {
        case Write::Target::CaSecret:
            return world.ca ? world.ca->seen.resource_version : "";
        case Write::Target::CertsSecret:
            return world.certs ? world.certs->seen.resource_version : "";
        case Write::Target::Configuration:
            break;
    }
    const auto found = std::ranges::find_if(world.configurations, [&](const auto& configuration) {
        return configuration.name == write.key.name &&
               to_string(configuration.kind) == write.resource.kind;
    });
    return found == world.configurations.end() ? "" : found->seen.resource_version;
}

}  // namespace

Writer::Writer(Parts parts)
    : parts_(std::move(parts)),
      rotation_(parts_.settings),
      meters_(parts_.metrics),
      started_(parts_.clock.now()),
      backoff_({}, std::random_device{}()) {}

Task<void> Writer::round() {
    const TimePoint until = co_await step();
    // News does not make this shorter: it may be what somebody does against each write.
    co_await async::sleep(std::max(not_before_ - now(), Duration::zero()));
    co_await news_.wait(Deadline::at(std::min(until, now() + kLook)));
}

Task<TimePoint> Writer::step() {
    const auto world = parts_.look();
    Plan plan;
    plan.look_again = TimePoint::max();
    if (!world) {
        plan.phase = Phase::Unknown;
        plan.reason = "the Secrets and webhook configurations have not been read yet";
        show(plan);
        be_stuck(now() - started_ < kLook ? std::string{}
                                          : plan.reason + "; the lines watch-… say why");
        co_return plan.look_again;
    }
    meters_.look(*world);
    const Now moment{parts_.clock.wall(), now()};
    if (!parts_.may_write()) {
        rotation_.observe(*world, moment.steady);
        plan.phase = Phase::WaitingForLease;
        const auto holder = parts_.holder();
        plan.reason = holder.empty() ? "nobody has the Lease yet"
                                     : fmt::format("{} looks after the certificates", holder);
        show(plan);
        be_stuck(holder.empty() ? fmt::format("nobody holds Lease {}, so nobody writes; the log "
                                              "says why it cannot be had",
                                              kLease)
                                : std::string{});
        co_return plan.look_again;
    }
    plan = rotation_.next(*world, moment);
    show(plan);
    if (plan.failure) {
        auto event = event_about(secrets(), parts_.settings.ca_secret);
        co_return co_await failed(std::move(event), std::move(plan.failure->message));
    }
    if (!plan.write) {
        be_stuck(quarrel());
        co_return plan.look_again;
    }
    Due due{*std::move(plan.write), {}, std::move(plan.reason)};
    due.before = seen_version(*world, due.write);
    co_return co_await perform(std::move(due));
}

Task<TimePoint> Writer::perform(Due due) {
    const auto& write = due.write;
    auto request = request_for(write);
    auto event = event_about(write.resource, write.key.name);
    event.uid = write.uid;
    const auto deadline = Deadline::at(now() + kPatience);
    auto answer = co_await parts_.api.write(std::move(request), deadline);
    const bool overtaken = !answer && answer.error().error.code == Code::Conflict;
    conflicts_ = overtaken ? conflicts_ + 1 : 0;
    if (overtaken && conflicts_ < kManyConflicts) {
        // Somebody was faster; the watch will bring what they wrote.
        parts_.logger.debug("Overtaken", {{"why", answer.error().error.message}});
        not_before_ = now() + kPause;
        co_return not_before_;
    }
    if (!answer) {
        meters_.count(write.event, false);
        co_return co_await failed(std::move(event), std::move(answer.error().error.message));
    }
    const auto seen = read_seen(answer->root());
    if (seen.resource_version == due.before) {
        meters_.count(write.event, false);
        co_return co_await failed(
            std::move(event),
            fmt::format("{} {} was written and is as before: an admission webhook or policy takes "
                        "out what is written there",
                        write.resource.kind, write.key.name));
    }
    backoff_.reset();
    meters_.count(write.event, true);
    parts_.logger.info("Rotation step", {{"step", to_string(write.event)},
                                         {"kind", write.resource.kind},
                                         {"namespace", write.key.namespace_},
                                         {"name", write.key.name},
                                         {"why", due.reason}});
    note(write);
    be_stuck(quarrel());
    co_await shown(due);
    event.reason = to_string(write.event);
    event.uid = seen.uid;
    event.message = std::move(due.reason);
    co_await tell(std::move(event));
    co_return now();
}

/// Until the watch has brought what was written, or what came of it: the next plan is made of it.
Task<void> Writer::shown(const Due& due) {
    const auto deadline = Deadline::at(now() + kEcho);
    bool goes_on = true;
    while (goes_on) {
        const auto world = parts_.look();
        goes_on = world && seen_version(*world, due.write) == due.before;
        if (goes_on) {
            goes_on = co_await news_.wait(deadline);
        }
    }
}

/// The same step again at once means that somebody undoes it: each time it waits longer.
void Writer::note(const Write& write) {
    const TimePoint moment = now();
    auto what =
        fmt::format("{} {}: {}", write.resource.kind, write.key.name, to_string(write.event));
    const bool again = what == last_.what && moment - last_.at <= kSoon + last_.pause;
    last_.times = again ? last_.times + 1 : 1;
    last_.pause = again ? std::min<Duration>(std::max<Duration>(2 * last_.pause, kPause), kLongest)
                        : Duration::zero();
    last_.what = std::move(what);
    last_.at = moment;
    not_before_ = moment + last_.pause;
}

std::string Writer::quarrel() const {
    const bool lasts = last_.times >= kManyTimes && now() - last_.at <= kSoon + last_.pause;
    return lasts ? fmt::format(
                       "{} was done {} times in a row: somebody undoes it; the object's "
                       "managedFields say who",
                       last_.what, last_.times)
                 : std::string{};
}

/// Events are for people, and for nothing that depends on them.
Task<void> Writer::tell(EventRecord event) {
    client::ApiWrite post;
    post.request.verb = kCreate;
    post.request.resource = events();
    post.request.namespace_ = parts_.settings.namespace_;
    post.body = create_event(event);
    const auto answer = co_await parts_.api.write(std::move(post), Deadline::at(now() + kPatience));
    if (!answer) {
        parts_.logger.debug("An Event could not be stored",
                            {{"why", answer.error().error.message}});
    }
}

EventRecord Writer::event_about(kube::Resource resource, std::string name) const {
    EventRecord event;
    event.resource = std::move(resource);
    event.involved = {parts_.settings.namespace_, std::move(name)};
    event.at = parts_.clock.wall();
    event.host = parts_.identity;
    return event;
}

void Writer::show(const Plan& plan) {
    meters_.show(plan);
    const auto line = fmt::format("{}: {}", to_string(plan.phase), plan.reason);
    if (plan.failure || plan.write || line == told_) {
        return;
    }
    told_ = line;
    const auto next = plan.next_date ? tls::to_text(*plan.next_date) : std::string{};
    parts_.logger.info("Rotation phase", {{"phase", to_string(plan.phase)},
                                          {"why", plan.reason},
                                          {"next", plan.next_step},
                                          {"at", next}});
}

void Writer::be_stuck(const std::string& why) {
    const auto before = problem_.load();
    if ((before ? *before : std::string{}) != why) {
        problem_.publish(why.empty() ? nullptr : std::make_shared<const std::string>(why));
        failure_told_ = TimePoint::min();
    }
}

Task<TimePoint> Writer::failed(EventRecord event, std::string why) {
    const TimePoint moment = now();
    const TimePoint again = moment + backoff_.next(moment);
    be_stuck(why);
    if (failure_told_ == TimePoint::min() || moment - failure_told_ >= kRepeat) {
        parts_.logger.warn("Certificates cannot be looked after", {{"why", why}});
        failure_told_ = moment;
        event.reason = to_string(EventReason::RotationFailed);
        event.is_warning = true;
        event.message = std::move(why);
        co_await tell(std::move(event));
    }
    not_before_ = again;
    co_return again;
}

}  // namespace smw::cert_rotation
