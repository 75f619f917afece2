# smw_options: warnings and sanitizers for our own sources; third-party headers are SYSTEM.
add_library(smw_options INTERFACE)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")  # clang compiles for fuzzing only: it warns of other things
  target_compile_options(smw_options INTERFACE
    -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wold-style-cast -Wnon-virtual-dtor -Werror
    # g++ 12 takes the inlined operator delete of a coroutine frame for a foreign one.
    -Wno-mismatched-new-delete)
endif()

set(SMW_SANITIZE "" CACHE STRING "address, thread, fuzzer or empty")
if(SMW_SANITIZE STREQUAL "address")
  add_compile_options(-fsanitize=address -fno-omit-frame-pointer)
  add_link_options(-fsanitize=address)
elseif(SMW_SANITIZE STREQUAL "thread")
  # -Wno-tsan: gcc warns that it does not see atomic_thread_fence, which Asio uses.
  add_compile_options(-fsanitize=thread -Wno-tsan)
  add_link_options(-fsanitize=thread)
elseif(SMW_SANITIZE STREQUAL "fuzzer")
  add_compile_options(-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined
                      -fno-omit-frame-pointer)
  add_link_options(-fsanitize=address,undefined)
elseif(SMW_SANITIZE)
  message(FATAL_ERROR "SMW_SANITIZE=${SMW_SANITIZE}: address, thread, fuzzer or empty")
endif()

# UBSan beside ASan, but not where Beast and Asio are compiled: 70 s and 1.5 GB a file. Whoever links
# such a room needs the runtime, too.
function(smw_undefined_sanitizer)
  if(SMW_SANITIZE STREQUAL "address")
    foreach(target ${ARGN})
      target_compile_options(smw_${target} PRIVATE -fsanitize=undefined
                                                   -fno-sanitize-recover=undefined)
      target_link_options(smw_${target} INTERFACE -fsanitize=undefined)
    endforeach()
  endif()
endfunction()
