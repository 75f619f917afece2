#pragma once
// Typed metric families over prometheus-cpp. Families are made once by whoever counts; handles
// (Counter, Gauge, Histogram) are cheap copies, thread-safe, valid while the Registry lives.
// Resolve labels to handles at start-up, not on the way of a request. Labels come from closed sets:
// never a name, a namespace or an image.

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace smw::metrics {

class Counter {
public:
    void increment(double by = 1) const;
    [[nodiscard]] double value() const;

private:
    friend class Registry;
    template <class>
    friend class Family;
    explicit Counter(void* counter) : counter_(counter) {}
    void* counter_;
};

class Gauge {
public:
    void set(double value) const;
    void add(double by) const;
    [[nodiscard]] double value() const;

private:
    template <class>
    friend class Family;
    explicit Gauge(void* gauge) : gauge_(gauge) {}
    void* gauge_;
};

class Histogram {
public:
    void observe(double value) const;

private:
    template <class>
    friend class Family;
    explicit Histogram(void* histogram) : histogram_(histogram) {}
    void* histogram_;
};

struct FamilyState;

template <class Metric>
class Family {
public:
    /// Values in the order of the family's label names; the same values give the same metric. A
    /// metric exists, at zero, once it was asked for.
    [[nodiscard]] Metric with(std::initializer_list<std::string_view> values) const;

private:
    friend class Registry;
    explicit Family(FamilyState* state) : state_(state) {}
    FamilyState* state_;
};

struct Description {
    std::string name;
    std::string help;
    std::vector<std::string> labels;
};

/// Thread-safe.
class Registry {
public:
    Registry();
    ~Registry();
    Registry(const Registry&) = delete;
    Registry& operator=(const Registry&) = delete;

    /// Asking again for a name gives the same family.
    [[nodiscard]] Family<Counter> counter(Description description);
    [[nodiscard]] Family<Gauge> gauge(Description description);
    [[nodiscard]] Family<Histogram> histogram(Description description,
                                              std::span<const double> buckets);

    /// Run before each exposition, on its thread: to set gauges from values kept elsewhere.
    void on_collect(std::function<void()> refresh);

    /// Prometheus text format 0.0.4 of everything, process metrics included.
    [[nodiscard]] std::string expose() const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace smw::metrics
