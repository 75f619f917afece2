#pragma once
// Waiting in a test: for what must become true, however loaded the machine is.

#include <chrono>
#include <poll.h>

namespace smw::test {

/// Nothing in a test takes longer than this, unless it hangs.
inline constexpr std::chrono::seconds kPatience{20};

/// Whether `holds` became true. Asks every 2 ms.
template <class Predicate>
bool eventually(Predicate holds) {
    const auto until = std::chrono::steady_clock::now() + kPatience;
    while (!holds()) {
        if (std::chrono::steady_clock::now() > until) {
            return false;
        }
        ::poll(nullptr, 0, 2);
    }
    return true;
}

}  // namespace smw::test
