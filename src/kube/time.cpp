// metav1.Time: what Go 1.26's time.Parse takes for the layout time.RFC3339. That is a little more
// than RFC 3339: an hour of one digit, a comma before the fraction, offsets up to 24:60. A leap
// second is refused. Any thread.

#include "kube/ascii.hpp"
#include "smw/kube/meta.hpp"

namespace smw::kube {
namespace {

using std::chrono::system_clock;

/// A text and what went wrong with it so far: reading on after a failure is harmless.
class Reader {
public:
    explicit Reader(std::string_view text) : rest_(text) {}

    /// Nothing wrong, nothing left.
    [[nodiscard]] bool finished() const { return good_ && rest_.empty(); }
    [[nodiscard]] bool next_is(char wanted) const { return rest_.starts_with(wanted); }
    [[nodiscard]] bool digit_at(std::size_t index) const {
        return index < rest_.size() && ascii::is_digit(rest_[index]);
    }

    void expect(char wanted) {
        good_ = good_ && next_is(wanted);
        skip();
    }

    void skip() { rest_.remove_prefix(rest_.empty() ? 0 : 1); }

    /// A number of exactly `digits` digits.
    int number(std::size_t digits, int least, int most) {
        int value = 0;
        for (std::size_t i = 0; i < digits; ++i) {
            good_ = good_ && digit_at(0);
            value = good_ ? value * 10 + (rest_.front() - '0') : 0;
            skip();
        }
        good_ = good_ && least <= value && value <= most;
        return value;
    }

    /// Digits behind the point, cut after the ninth.
    std::chrono::nanoseconds fraction() {
        std::int64_t value = 0;
        std::int64_t unit = 100'000'000;
        for (; digit_at(0); unit /= 10) {
            value += unit * (rest_.front() - '0');
            skip();
        }
        return std::chrono::nanoseconds{value};
    }

private:
    std::string_view rest_;
    bool good_ = true;
};

std::optional<std::chrono::sys_days> read_date(Reader& reader) {
    const int year = reader.number(4, 0, 9999);
    reader.expect('-');
    const int month = reader.number(2, 1, 12);
    reader.expect('-');
    const int day = reader.number(2, 1, 31);
    const std::chrono::year_month_day date{std::chrono::year{year},
                                           std::chrono::month{static_cast<unsigned>(month)},
                                           std::chrono::day{static_cast<unsigned>(day)}};
    if (!date.ok()) {
        return std::nullopt;
    }
    return std::chrono::sys_days{date};
}

std::chrono::seconds read_clock(Reader& reader) {
    const std::chrono::hours hours{reader.number(reader.digit_at(1) ? 2 : 1, 0, 23)};
    reader.expect(':');
    const std::chrono::minutes minutes{reader.number(2, 0, 59)};
    reader.expect(':');
    const std::chrono::seconds seconds{reader.number(2, 0, 59)};
    return hours + minutes + seconds;
}

std::chrono::nanoseconds read_fraction(Reader& reader) {
    if ((reader.next_is('.') || reader.next_is(',')) && reader.digit_at(1)) {
        reader.skip();
        return reader.fraction();
    }
    return std::chrono::nanoseconds::zero();
}

std::chrono::seconds read_offset(Reader& reader) {
    if (reader.next_is('Z')) {
        reader.skip();
        return std::chrono::seconds::zero();
    }
    const bool west = reader.next_is('-');
    reader.expect(west ? '-' : '+');
    const std::chrono::hours hours{reader.number(2, 0, 24)};
    reader.expect(':');
    const std::chrono::minutes minutes{reader.number(2, 0, 60)};
    return west ? -(hours + minutes) : hours + minutes;
}

/// The clock counts nanoseconds in 64 bits, from 1677 to 2262: beyond, its nearest end.
system_clock::time_point clamp(std::chrono::sys_seconds whole, std::chrono::nanoseconds fraction) {
    using std::chrono::seconds;
    constexpr auto kMost = system_clock::time_point::max();
    constexpr auto kLeast = system_clock::time_point::min();
    const auto last = std::chrono::floor<seconds>(kMost);
    if (whole > last || (whole == last && fraction > kMost - last)) {
        return kMost;
    }
    if (whole < std::chrono::ceil<seconds>(kLeast)) {
        return kLeast;
    }
    return system_clock::time_point{whole} + fraction;
}

}  // namespace

std::optional<system_clock::time_point> parse_time(std::string_view text) {
    Reader reader{text};
    const auto date = read_date(reader);
    if (!date) {
        return std::nullopt;
    }
    reader.expect('T');
    const auto clock = read_clock(reader);
    const auto fraction = read_fraction(reader);
    const auto offset = read_offset(reader);
    if (!reader.finished()) {
        return std::nullopt;
    }
    return clamp(*date + clock - offset, fraction);
}

}  // namespace smw::kube
