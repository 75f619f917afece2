// The pages of a list, one in each line.

#include "reflected.hpp"
#include "smw/watch/list_page.hpp"
#include "target.hpp"
#include "targets.hpp"

namespace smw::fuzz {
namespace {

/// Until a page is asked for: streaming lists are refused, watches begin too late.
watch::GetPage go_on_to_listing(Reflected& reflected) {
    constexpr int kMostSteps = 20;
    for (int step = 0; step < kMostSteps; ++step) {
        const auto action = reflected.next();
        if (const auto* page = std::get_if<watch::GetPage>(&action)) {
            return *page;
        }
        if (const auto* open = std::get_if<watch::OpenWatch>(&action)) {
            reflected.reflector().failed(failure(open->initial_events ? 400 : 410),
                                         reflected.now());
        } else {
            check(false, "a line is to be read of no watch");
        }
    }
    check(false, "a list that is never asked for");
    return {};
}

void follow(const std::string& namespace_, std::string_view pages) {
    Reflected reflected{namespace_};
    std::string token;
    std::size_t items = 0;
    while (!pages.empty()) {
        const auto document = json::Document::parse(std::string{take_until(pages, '\n')});
        const auto asked = go_on_to_listing(reflected);
        check(asked.continue_token.empty() || asked.continue_token == token,
              "a page is asked for that nobody offered");
        if (!document) {
            reflected.reflector().failed(failure(500), reflected.now());
            continue;
        }
        const auto page = watch::read_list_page(document->root());
        token = page ? page->continue_token : "";
        items += page ? page->items.size() : 0;
        reflected.reflector().got_page(document->root(), reflected.now());
    }
    check(items == reflected.sink().applied() + reflected.reflector().condition().skipped,
          "an item that was neither taken nor counted as skipped");
    static_cast<void>(go_on_to_listing(reflected));
}

}  // namespace

void list(std::string_view bytes) {
    follow("", bytes);
    follow("default", bytes);
}

}  // namespace smw::fuzz
