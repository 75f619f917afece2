#include "smw/metrics/registry.hpp"

#include "metrics/process.hpp"
#include "smw/base/quote.hpp"

#include <fmt/format.h>
#include <prometheus/check_names.h>
#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <mutex>
#include <sstream>
#include <stdexcept>
#include <variant>

namespace smw::metrics {

using Families =
    std::variant<prometheus::Family<prometheus::Counter>*, prometheus::Family<prometheus::Gauge>*,
                 prometheus::Family<prometheus::Histogram>*>;

/// What a Family refers to. Immutable once made.
struct FamilyState {
    Description description;
    std::vector<double> buckets;
    Families family;
};

namespace {

prometheus::Counter& counter_of(void* counter) {
    return *static_cast<prometheus::Counter*>(counter);
}
prometheus::Gauge& gauge_of(void* gauge) {
    return *static_cast<prometheus::Gauge*>(gauge);
}
prometheus::Histogram& histogram_of(void* histogram) {
    return *static_cast<prometheus::Histogram*>(histogram);
}

/// The exposition is UTF-8; prometheus-cpp escapes label values but takes any bytes.
std::string valid_utf8(std::string_view text) {
    std::string out;
    while (!text.empty()) {
        const std::size_t length = utf8_sequence_length(text);
        out += length == 0 ? "\xEF\xBF\xBD" : text.substr(0, length);
        text.remove_prefix(std::max<std::size_t>(length, 1));
    }
    return out;
}

prometheus::Labels labels_of(const FamilyState& state,
                             std::initializer_list<std::string_view> values) {
    const Description& description = state.description;
    if (values.size() != description.labels.size()) {
        throw std::logic_error(fmt::format("metric {} has {} labels, not {}", description.name,
                                           description.labels.size(), values.size()));
    }
    prometheus::Labels labels;
    auto name = description.labels.begin();
    for (const std::string_view value : values) {
        labels.emplace(*name++, valid_utf8(value));
    }
    return labels;
}

template <class Metric, class... Extra>
Metric& metric_of(const FamilyState& state, std::initializer_list<std::string_view> values,
                  const Extra&... extra) {
    return std::get<prometheus::Family<Metric>*>(state.family)
        ->Add(labels_of(state, values), extra...);
}

void check_names(const Description& description) {
    if (!prometheus::CheckMetricName(description.name)) {
        throw std::logic_error(fmt::format("{} is no name for a metric", description.name));
    }
    std::vector<std::string> labels = description.labels;
    std::sort(labels.begin(), labels.end());
    const bool distinct = std::adjacent_find(labels.begin(), labels.end()) == labels.end();
    if (!distinct || !std::all_of(labels.begin(), labels.end(), prometheus::CheckLabelName)) {
        throw std::logic_error(fmt::format("metric {} has a wrong label", description.name));
    }
}

void check_buckets(const Description& description, const std::vector<double>& buckets) {
    const auto& labels = description.labels;
    const bool rising = std::adjacent_find(buckets.begin(), buckets.end(), [](double a, double b) {
                            return !(a < b);
                        }) == buckets.end();
    const bool finite =
        std::all_of(buckets.begin(), buckets.end(), [](double b) { return std::isfinite(b); });
    if (buckets.empty() || !rising || !finite) {
        throw std::logic_error(
            fmt::format("metric {} needs finite buckets in rising order", description.name));
    }
    if (std::find(labels.begin(), labels.end(), "le") != labels.end()) {
        throw std::logic_error(
            fmt::format("metric {} is a histogram: le is its own label", description.name));
    }
}

/// The exposition format has a newline end the line: in help texts it becomes `\n`.
std::string escape_help(std::string_view help) {
    std::string out;
    for (const char character : help) {
        if (character == '\n') {
            out += "\\n";
        } else if (character == '\\') {
            out += "\\\\";
        } else {
            out += character;
        }
    }
    return out;
}

prometheus::MetricFamily family_of(const ProcessMetric& metric) {
    prometheus::ClientMetric value;
    value.counter.value = metric.value;
    value.gauge.value = metric.value;
    return {std::string{metric.name},
            std::string{metric.help},
            metric.counts ? prometheus::MetricType::Counter : prometheus::MetricType::Gauge,
            {value}};
}

/// By name, metrics by labels: the same state gives the same text.
void sort(std::vector<prometheus::MetricFamily>& families) {
    std::sort(families.begin(), families.end(),
              [](const auto& left, const auto& right) { return left.name < right.name; });
    for (prometheus::MetricFamily& family : families) {
        std::sort(family.metric.begin(), family.metric.end(),
                  [](const auto& left, const auto& right) { return left.label < right.label; });
    }
}

}  // namespace

void Counter::increment(double by) const {
    counter_of(counter_).Increment(by);
}
double Counter::value() const {
    return counter_of(counter_).Value();
}

void Gauge::set(double value) const {
    gauge_of(gauge_).Set(value);
}
void Gauge::add(double by) const {
    gauge_of(gauge_).Increment(by);
}
double Gauge::value() const {
    return gauge_of(gauge_).Value();
}

void Histogram::observe(double value) const {
    histogram_of(histogram_).Observe(value);
}

template <>
Counter Family<Counter>::with(std::initializer_list<std::string_view> values) const {
    return Counter{&metric_of<prometheus::Counter>(*state_, values)};
}

template <>
Gauge Family<Gauge>::with(std::initializer_list<std::string_view> values) const {
    return Gauge{&metric_of<prometheus::Gauge>(*state_, values)};
}

template <>
Histogram Family<Histogram>::with(std::initializer_list<std::string_view> values) const {
    return Histogram{&metric_of<prometheus::Histogram>(*state_, values, state_->buckets)};
}

struct Registry::State {
    mutable std::mutex mutex;  ///< guards families and refreshers
    prometheus::Registry registry{prometheus::Registry::InsertBehavior::Throw};
    std::map<std::string, std::unique_ptr<FamilyState>> families;
    std::vector<std::function<void()>> refreshers;
    mutable std::mutex collecting;  ///< refreshers run on one thread at a time

    template <class Metric, class Build>
    FamilyState* family(Description description, std::vector<double> buckets, Build build) {
        check_names(description);
        const std::scoped_lock lock(mutex);
        const auto found = families.find(description.name);
        if (found == families.end()) {
            prometheus::Family<Metric>& made = build()
                                                   .Name(description.name)
                                                   .Help(escape_help(description.help))
                                                   .Register(registry);
            const std::string name = description.name;
            auto state = std::make_unique<FamilyState>(
                FamilyState{std::move(description), std::move(buckets), &made});
            return families.emplace(name, std::move(state)).first->second.get();
        }
        FamilyState* state = found->second.get();
        if (!std::holds_alternative<prometheus::Family<Metric>*>(state->family) ||
            state->description.labels != description.labels || state->buckets != buckets) {
            throw std::logic_error(
                fmt::format("metric {} was made before in another shape", description.name));
        }
        return state;
    }
};

Registry::Registry() : state_(std::make_unique<State>()) {}
Registry::~Registry() = default;

Family<Counter> Registry::counter(Description description) {
    return Family<Counter>{
        state_->family<prometheus::Counter>(std::move(description), {}, prometheus::BuildCounter)};
}

Family<Gauge> Registry::gauge(Description description) {
    return Family<Gauge>{
        state_->family<prometheus::Gauge>(std::move(description), {}, prometheus::BuildGauge)};
}

Family<Histogram> Registry::histogram(Description description, std::span<const double> buckets) {
    std::vector<double> bounds(buckets.begin(), buckets.end());
    check_buckets(description, bounds);
    return Family<Histogram>{state_->family<prometheus::Histogram>(
        std::move(description), std::move(bounds), prometheus::BuildHistogram)};
}

void Registry::on_collect(std::function<void()> refresh) {
    const std::scoped_lock lock(state_->mutex);
    state_->refreshers.push_back(std::move(refresh));
}

std::string Registry::expose() const {
    std::vector<prometheus::MetricFamily> families;
    {
        const std::scoped_lock collecting(state_->collecting);
        std::vector<std::function<void()>> refreshers;
        {
            const std::scoped_lock lock(state_->mutex);
            refreshers = state_->refreshers;
        }
        for (const std::function<void()>& refresh : refreshers) {
            refresh();
        }
        families = state_->registry.Collect();
    }
    for (const ProcessMetric& metric : read_process_metrics()) {
        families.push_back(family_of(metric));
    }
    sort(families);
    std::ostringstream out;
    prometheus::TextSerializer{}.Serialize(out, families);
    return std::move(out).str();
}

}  // namespace smw::metrics
