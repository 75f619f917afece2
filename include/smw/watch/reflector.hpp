#pragma once
// List and watch of one resource as a state machine without I/O: what to ask the API server next,
// and what its answers change (client-go tools/cache/reflector.go). A thin shell performs the
// actions (watch/cluster.hpp).

#include "smw/base/backoff.hpp"
#include "smw/base/clock.hpp"
#include "smw/client/api_client.hpp"
#include "smw/json/document.hpp"
#include "smw/watch/sink.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <variant>

namespace smw::watch {

struct ReflectorSettings {
    std::size_t page_limit = 500;
    /// timeoutSeconds is random in between: load balancers cut at 240 s of silence at the earliest,
    /// and bookmarks break the silence each minute.
    std::chrono::seconds least_watch{240};
    std::chrono::seconds most_watch{290};
    /// Bookmarks come every 60 s: so long without a byte, the connection is dead. And so long a
    /// streaming list may take as a whole.
    Duration silence = std::chrono::seconds{130};
    /// For a page, and for the head of a watch.
    Duration answer = std::chrono::seconds{60};
    /// While the resource is not installed.
    Duration absent_retry = std::chrono::seconds{5};
    /// A 404 that lasts is believed, and what was known is forgotten: that of a starting server or
    /// of a load balancer does not last.
    Duration absent_for_good = std::chrono::seconds{60};
    BackoffSettings backoff;
};

// What the shell shall do.
struct GetPage {
    std::string continue_token;  ///< empty: the first page
    std::size_t limit = 0;
    friend bool operator==(const GetPage&, const GetPage&) = default;
};
struct OpenWatch {
    std::string resource_version;
    bool initial_events = false;  ///< a streaming list (WatchList)
    std::chrono::seconds timeout{};
    friend bool operator==(const OpenWatch&, const OpenWatch&) = default;
};
struct ReadLine {
    TimePoint until;  ///< past it the stream counts as dead
    friend bool operator==(const ReadLine&, const ReadLine&) = default;
};
struct Pause {
    TimePoint until;
    friend bool operator==(const Pause&, const Pause&) = default;
};
using Action = std::variant<GetPage, OpenWatch, ReadLine, Pause>;

struct WatchEvent;

/// Why everything had to be read anew; the label `cause`.
enum class RelistCause { Initial, Gone, Error };
[[nodiscard]] std::string_view to_string(RelistCause cause);

/// How far the knowledge has come, truthfully at every moment.
struct Condition {
    bool synced = false;   ///< one whole list has been read; stays
    bool absent = false;   ///< the API server does not serve the resource: the CRD is not installed
    bool emptied = false;  ///< absence lasted, and what was known is forgotten
    /// Empty while all is well: what keeps us from following, in one clause.
    std::string problem;
    /// An event, a bookmark, a page, or that the resource is absent.
    std::optional<TimePoint> last_heard;
    std::array<std::uint64_t, 3> relists{};  ///< begun, by RelistCause
    /// Objects in lists that have no name, or are of another namespace than the one listed.
    std::uint64_t skipped = 0;
};

/// One thread. The sink is called from the functions that report.
class Reflector {
public:
    struct Parts {
        std::string namespace_;  ///< empty: all
        Sink& sink;
        ReflectorSettings settings;
        std::uint64_t seed = 0;  ///< of jitter and of watch timeouts
    };
    explicit Reflector(Parts parts);

    /// What to do now; the same until something of it was reported. A Pause ends by itself.
    [[nodiscard]] Action next(TimePoint now);

    // What became of the action.
    void got_page(json::Value list, TimePoint now);
    void opened(TimePoint now);
    void got_line(std::string line, TimePoint now);
    /// The stream was closed in good order.
    void closed(TimePoint now);
    /// The action failed; DeadlineExceeded while reading is silence, Internal a defect of ours.
    void failed(const client::Failure& failure, TimePoint now);

    [[nodiscard]] const Condition& condition() const { return condition_; }

private:
    struct Waiting {
        TimePoint until;
    };
    struct Listing {
        std::string token;    ///< of the page that is asked for
        std::string version;  ///< of the first page: all pages show one state
        std::size_t pages = 0;
    };
    struct Opening {
        OpenWatch watch;
    };
    struct Reading {
        bool initial_events = false;  ///< they have not ended
        bool begun = false;           ///< the relist that they are
        TimePoint opened;
        TimePoint heard;
    };

    /// A relist when no resource version is known, else a watch.
    void proceed();
    /// The same, later.
    void retry(std::string problem, TimePoint now,
               std::chrono::seconds least = std::chrono::seconds{0});
    /// What is known is not continued: the next step is a relist.
    void forget(RelistCause cause);
    void begin_relist();
    void end_relist(std::string_view version);

    void refused(const kube::Status& status, const std::string& why, TimePoint now);
    void gone(const std::string& why, TimePoint now, std::chrono::seconds least);
    void absent(TimePoint now);
    /// It was answered that the resource is there, or what is the case is not known.
    void not_absent();
    void page_too_large(const std::string& why, TimePoint now);

    void initial_event(const WatchEvent& event, TimePoint now);
    void live_event(const WatchEvent& event, TimePoint now);
    [[nodiscard]] bool apply(const WatchEvent& event);
    void garbage(std::string_view what, TimePoint now);
    /// What the stream holds next breaks it, and may do so each time it is watched from here.
    void count_break();
    void stream_ended(const std::string& why, TimePoint now);
    void silent(TimePoint now);
    /// The end of all initial events is late: is told, and at last they are given up.
    void late(TimePoint now);
    /// A streaming list ended half-way.
    void count_unfinished();
    /// Whether a streaming list is what is asked for or read.
    [[nodiscard]] bool is_streaming() const;
    [[nodiscard]] std::size_t most_pages() const;
    /// Past it the stream counts as dead.
    [[nodiscard]] TimePoint silent_at(const Reading& reading) const;

    Parts parts_;
    Condition condition_;
    std::mt19937_64 random_;
    Backoff backoff_;
    std::variant<Waiting, Listing, Opening, Reading> phase_;
    std::string version_;                       ///< to watch from; empty: a relist is needed
    RelistCause cause_ = RelistCause::Initial;  ///< of the next relist
    std::size_t limit_;                         ///< of a page
    bool lists_only_ = false;                   ///< streaming lists are not understood
    int unfinished_streams_ = 0;                ///< in a row
    int breaks_in_a_row_ = 0;                   ///< at one resource version
    int gone_in_a_row_ = 0;                     ///< without news in between
    std::optional<TimePoint> absent_since_;
};

}  // namespace smw::watch
