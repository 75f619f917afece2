#include "smw/coordination/election.hpp"

#include "smw/async/forever.hpp"
#include "smw/async/sleep.hpp"
#include "smw/base/thrown.hpp"

#include <algorithm>
#include <string_view>
#include <utility>
#include <variant>

namespace smw::coordination {
namespace {

/// A problem of one kind is logged at most so often: it is tried anew every few seconds.
constexpr Duration kQuiet = std::chrono::minutes{1};

metrics::Gauge make_gauge(metrics::Registry& metrics, std::string_view lease) {
    return metrics
        .gauge({"smw_lease_holder",
                "1 while this replica holds the Lease and so is the one that acts, else 0.",
                {"lease"}})
        .with({lease});
}

}  // namespace

Election::Election(Parts parts)
    : parts_(std::move(parts)),
      elector_({parts_.identity, parts_.settings, parts_.seed}),
      gauge_(make_gauge(parts_.metrics, parts_.name)) {
    holder_.publish(std::make_shared<const std::string>());
}

Election::~Election() = default;

Task<void> Election::run() {
    return async::forever([this] { return step(); },
                          [this](const std::exception_ptr& thrown) { threw(thrown); });
}

Task<void> Election::step() {
    auto action = next();
    if (const auto* pause = std::get_if<Pause>(&action)) {
        co_await async::sleep(std::max(pause->until - parts_.clock.now(), Duration::zero()));
    } else {
        co_await perform(std::move(action), Deadline::never());
    }
}

Task<void> Election::release(Deadline deadline) {
    elector_.resign();
    for (auto action = next(); !std::holds_alternative<Pause>(action); action = next()) {
        co_await perform(std::move(action), deadline);
    }
}

Action Election::next() {
    auto action = elector_.next(parts_.clock.now(), parts_.clock.wall());
    tell();
    return action;
}

Task<void> Election::perform(Action action, Deadline deadline) {
    const auto nearest = deadline.nearer(Deadline::at(elector_.answer_by()));
    auto asked = ask(action, nearest);
    const auto answer = co_await std::move(asked);
    if (answer) {
        answered(action, answer->root());
    } else {
        failed(answer.error());
    }
}

Task<client::Answered<json::Document>> Election::ask(Action action, Deadline deadline) {
    if (std::holds_alternative<GetLease>(action)) {
        auto get = request("get");
        co_return co_await parts_.api.get(std::move(get), deadline);
    }
    client::ApiWrite write;
    if (const auto* create = std::get_if<CreateLease>(&action)) {
        write.request = request("create");
        write.request.name.clear();
        write.body = lease_body(kube::ObjectKey{parts_.namespace_, parts_.name}, create->record);
    } else if (const auto* update = std::get_if<UpdateLease>(&action)) {
        auto body = lease_body(update->object, update->record);
        if (!body) {
            client::Failure failure;
            failure.error = annotate(std::move(body).error(), "writing the Lease").value();
            failure.status.code = 0;
            co_return tl::unexpected(std::move(failure));
        }
        write.request = request("update");
        write.body = *std::move(body);
    }
    co_return co_await parts_.api.write(std::move(write), deadline);
}

client::ApiRequest Election::request(std::string verb) const {
    client::ApiRequest request;
    request.verb = std::move(verb);
    request.resource = {"coordination.k8s.io", "v1", "Lease", "leases"};
    request.namespace_ = parts_.namespace_;
    request.name = parts_.name;
    return request;
}

void Election::answered(const Action& action, json::Value object) {
    auto lease = read_lease(object);
    if (!lease) {
        client::Failure failure;
        failure.error = {Code::Unavailable, "reading the Lease: " + lease.error().message};
        failure.status.code = 0;
        failed(failure);
    } else if (std::holds_alternative<GetLease>(action)) {
        elector_.got(*std::move(lease), parts_.clock.now());
    } else {
        elector_.written(*std::move(lease), parts_.clock.now());
    }
}

void Election::failed(const client::Failure& failure) {
    const auto now = parts_.clock.now();
    if (!elector_.failed(failure, now)) {
        return;
    }
    const auto code = failure.error.code;
    const auto told = told_problems_.find(code);
    if (told != told_problems_.end() && now - told->second < kQuiet) {
        return;
    }
    told_problems_[code] = now;
    // Rights that are missing stay so until somebody grants them.
    parts_.logger.write(code == Code::Forbidden ? log::Level::Error : log::Level::Warn,
                        "Lease cannot be read or written",
                        {{"lease", std::string_view{parts_.name}},
                         {"namespace", std::string_view{parts_.namespace_}},
                         {"why", std::string_view{failure.error.message}}});
}

/// A defect of ours, or no memory: it must not end what may be the only replica that acts.
void Election::threw(const std::exception_ptr& thrown) {
    client::Failure failure;
    failure.error = {Code::Internal, "an exception: " + describe_thrown(thrown)};
    failure.status.code = 0;
    failed(failure);
}

bool Election::is_leader() const {
    return parts_.clock.now() < leading_until_.load(std::memory_order_relaxed);
}

void Election::tell() {
    tell_holder();
    const bool leads = elector_.is_leader(parts_.clock.now());
    leading_until_.store(leads ? elector_.leading_until() : TimePoint::min());
    if (std::exchange(told_leading_, leads) != leads) {
        tell_change(leads);
    }
}

void Election::tell_change(bool leads) {
    gauge_.set(leads ? 1 : 0);
    const std::string_view lease{parts_.name};
    if (leads) {
        parts_.logger.info("Lease acquired",
                           {{"lease", lease}, {"holder", std::string_view{parts_.identity}}});
    } else {
        parts_.logger.write(elector_.is_resigned() ? log::Level::Info : log::Level::Warn,
                            "Lease lost",
                            {{"lease", lease}, {"why", std::string_view{elector_.lost_because()}}});
    }
    if (parts_.on_change) {
        parts_.on_change();
    }
}

void Election::tell_holder() {
    const auto holder = elector_.holder();
    if (holder == *holder_.load()) {
        return;
    }
    holder_.publish(std::make_shared<const std::string>(holder));
    if (!holder.empty() && holder != parts_.identity) {
        parts_.logger.info("Lease is held by another", {{"lease", std::string_view{parts_.name}},
                                                        {"holder", std::string_view{holder}}});
    }
}

}  // namespace smw::coordination
