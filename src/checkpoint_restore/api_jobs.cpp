#include "checkpoint_restore/api_jobs.hpp"

#include "checkpoint_restore/job_cache.hpp"
#include "checkpoint_restore/job_request.hpp"
#include "smw/async/latch.hpp"

#include <fmt/format.h>

#include <array>
#include <map>
#include <mutex>
#include <optional>
#include <utility>

namespace smw::checkpoint_restore {
namespace {

/// The label `result` of smw_job_lookups_total.
enum class Result { Cached, Found, Missing, Timeout, Refused, Error };

constexpr std::array<std::string_view, 6> kResults = {"cached",  "found",   "missing",
                                                      "timeout", "refused", "error"};

/// A dead API server fails every lookup: one line says so as well as a thousand.
constexpr std::chrono::seconds kBetweenLines{1};

std::size_t index_of(Result result) {
    return static_cast<std::size_t>(result);
}

struct Outcome {
    Result result = Result::Timeout;
    Owner owner;
    std::string why;      ///< it gave no answer; else empty
    bool joined = false;  ///< the flight was under way before this review came
};

Outcome outcome_of(Result result, Owner::State state, std::string why = {}) {
    Outcome outcome;
    outcome.result = result;
    outcome.owner.state = state;
    outcome.why = std::move(why);
    return outcome;
}

Outcome read_failure(const client::Failure& failure) {
    switch (failure.status.code) {
        case 404:
            if (failure.is_said_by_api_server()) {
                return outcome_of(Result::Missing, Owner::State::Gone);
            }
            break;
        case 401:
        case 403:
            return outcome_of(Result::Refused, Owner::State::Refused, failure.error.message);
        default:
            break;
    }
    // With a status it is the API server that ran out of time, and it said so in time.
    if (failure.status.code == 0 && failure.error.code == Code::DeadlineExceeded) {
        return outcome_of(Result::Timeout, Owner::State::Unanswered, failure.error.message);
    }
    return outcome_of(Result::Error, Owner::State::Refused, failure.error.message);
}

Outcome read_answer(const JobQuestion& question, json::Value object) {
    auto owner = read_owner(question, object);
    if (!owner) {
        return outcome_of(Result::Error, Owner::State::Refused,
                          "the answer is no Job of that name and namespace");
    }
    Outcome outcome;
    outcome.result = is_another(question, *owner) ? Result::Missing : Result::Found;
    outcome.owner = *std::move(owner);
    return outcome;
}

}  // namespace

/// One GET, and those who wait for it.
struct ApiJobs::Flight {
    JobQuestion question;
    Outcome outcome;  ///< written before `landed` is set, read after
    async::Latch landed;
};

/// Where a question leads: to an answer, or to a flight.
struct ApiJobs::Entry {
    std::optional<Owner> cached;
    std::shared_ptr<Flight> flight;
    bool begun = false;  ///< by this call: whoever began it spawns it
};

struct ApiJobs::State {
    explicit State(Parts given) : parts(std::move(given)) {}

    /// One flight, or what is known without one.
    static Task<Outcome> ask(std::shared_ptr<State> state, JobQuestion question, Deadline until);

    Entry enter(const JobQuestion& question);
    void land(const std::shared_ptr<Flight>& flight, Outcome outcome);
    void say(const JobQuestion& question, const Outcome& outcome);
    void count(Result result) const { lookups[index_of(result)].increment(); }

    const Parts parts;
    std::vector<metrics::Counter> lookups;  ///< by Result

    std::mutex mutex;  ///< held for what one of the functions above does with the following
    JobCache cache;
    std::map<std::string, std::shared_ptr<Flight>> flights;  ///< by question
    std::array<std::optional<TimePoint>, kResults.size()> said;
};

ApiJobs::Entry ApiJobs::State::enter(const JobQuestion& question) {
    const auto now = parts.clock.now();
    Entry entry;
    const std::scoped_lock lock{mutex};
    entry.cached = cache.find(question, now);
    if (!entry.cached) {
        auto& flight = flights[question.text()];
        entry.begun = flight == nullptr;
        if (entry.begun) {
            flight = std::make_shared<Flight>();
            flight->question = question;
        }
        entry.flight = flight;
    }
    return entry;
}

void ApiJobs::State::land(const std::shared_ptr<Flight>& flight, Outcome outcome) {
    const auto now = parts.clock.now();
    flight->outcome = std::move(outcome);
    {
        const std::scoped_lock lock{mutex};
        cache.keep(flight->question, flight->outcome.owner, now);
        flights.erase(flight->question.text());
    }
    flight->landed.set();
}

void ApiJobs::State::say(const JobQuestion& question, const Outcome& outcome) {
    const auto now = parts.clock.now();
    {
        const std::scoped_lock lock{mutex};
        auto& last = said[index_of(outcome.result)];
        if (last && now < *last + kBetweenLines) {
            return;
        }
        last = now;
    }
    parts.logger.warn("Cannot ask for the owner of a Job",
                      {{"job", std::string_view{question.name}},
                       {"namespace", std::string_view{question.namespace_}},
                       {"result", kResults[index_of(outcome.result)]},
                       {"why", std::string_view{outcome.why}}});
}

/// Ends its flight, whatever becomes of the task: nobody shall wait for one that was never begun,
/// or whose key would be taken for ever.
class ApiJobs::Landing {
public:
    Landing(std::shared_ptr<State> state, std::shared_ptr<Flight> flight)
        : state_(std::move(state)), flight_(std::move(flight)) {}
    ~Landing() {
        if (!flight_->landed.is_set()) {
            state_->land(flight_, outcome_of(Result::Timeout, Owner::State::Unanswered));
        }
    }
    Landing(const Landing&) = delete;
    Landing& operator=(const Landing&) = delete;

    [[nodiscard]] const JobQuestion& question() const { return flight_->question; }
    [[nodiscard]] const Parts& parts() const { return state_->parts; }

    void land(Outcome outcome) {
        if (!outcome.why.empty()) {
            state_->say(question(), outcome);
        }
        state_->land(flight_, std::move(outcome));
    }

private:
    std::shared_ptr<State> state_;
    std::shared_ptr<Flight> flight_;
};

ApiJobs::ApiJobs(Parts parts) : state_(std::make_shared<State>(std::move(parts))) {
    const auto lookups =
        state_->parts.metrics.counter({"smw_job_lookups_total",
                                       "Questions about a Job's owner, by what answered them.",
                                       {"result"}});
    for (const auto result : kResults) {
        state_->lookups.push_back(lookups.with({result}));
    }
}

ApiJobs::~ApiJobs() = default;

Task<void> ApiJobs::fly(std::shared_ptr<Landing> landing) {
    auto request = job_request(landing->question());
    const auto deadline = Deadline::after(landing->parts().budget);
    const auto answer = co_await landing->parts().fetch(std::move(request), deadline);
    landing->land(answer ? read_answer(landing->question(), answer->root())
                         : read_failure(answer.error()));
}

Task<Owner> ApiJobs::owner_of(kube::ObjectKey job, std::string uid, Deadline deadline) {
    JobQuestion question;
    question.namespace_ = std::move(job.namespace_);
    question.name = std::move(job.name);
    question.uid = std::move(uid);
    Owner owner;
    if (!question.can_exist()) {
        owner.state = Owner::State::Gone;
        state_->count(Result::Missing);
        co_return owner;
    }
    // A quarter of what is left at most: the review has other things to do than to wait.
    const auto now = std::chrono::steady_clock::now();
    const auto share = deadline.is_never() ? state_->parts.budget : deadline.remaining(now) / 4;
    const auto until = Deadline::at(now + std::min(state_->parts.budget, share));
    auto outcome = co_await State::ask(state_, question, until);
    const bool in_time = !until.passed(std::chrono::steady_clock::now());
    if (outcome.joined && outcome.result == Result::Timeout && in_time) {
        outcome = co_await State::ask(state_, question, until);  // that flight had less time left
    }
    state_->count(outcome.result);
    co_return std::move(outcome.owner);
}

Task<Outcome> ApiJobs::State::ask(std::shared_ptr<State> state, JobQuestion question,
                                  Deadline until) {
    const auto entry = state->enter(question);
    if (entry.cached) {
        Outcome cached;
        cached.result = Result::Cached;
        cached.owner = *entry.cached;
        co_return cached;
    }
    if (entry.begun) {
        auto landing = std::make_shared<Landing>(state, entry.flight);
        state->parts.spawn([landing = std::move(landing)] { return fly(landing); });
    }
    const bool landed = co_await entry.flight->landed.wait(until);
    if (!landed) {
        co_return outcome_of(Result::Timeout, Owner::State::Unanswered);
    }
    Outcome outcome = entry.flight->outcome;
    outcome.joined = !entry.begun;
    co_return outcome;
}

}  // namespace smw::checkpoint_restore
