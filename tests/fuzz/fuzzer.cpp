// What libFuzzer calls; compiled once for each target, whose name SMW_FUZZ_TARGET is.

#include "targets.hpp"

#include <cstddef>
#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    smw::fuzz::SMW_FUZZ_TARGET({reinterpret_cast<const char*>(data), size});
    return 0;
}
