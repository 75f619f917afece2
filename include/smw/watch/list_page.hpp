#pragma once
// What an API server's answer to a list says. Pure: every byte of it is untrusted.

#include "smw/base/error.hpp"
#include "smw/json/document.hpp"

#include <string_view>

namespace smw::watch {

/// One page of a list, as views into its document.
struct ListPage {
    json::Value items;                ///< an array, or null: Go writes an empty list so
    std::string_view version;         ///< a resourceVersion to watch from
    std::string_view continue_token;  ///< empty: the last page
};
[[nodiscard]] Expected<ListPage> read_list_page(json::Value list);

}  // namespace smw::watch
