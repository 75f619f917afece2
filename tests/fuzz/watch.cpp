// The stream of a watch: cut anywhere (the first byte says where) it gives the same lines, and the
// Reflector goes on sensibly whatever they say.

#include "client/line_buffer.hpp"
#include "client/text.hpp"
#include "reflected.hpp"
#include "target.hpp"
#include "targets.hpp"

#include <vector>

namespace smw::fuzz {
namespace {

using Lines = std::vector<std::string>;

Lines split_naively(std::string_view stream) {
    Lines lines;
    while (stream.find('\n') != std::string_view::npos) {
        auto line = take_until(stream, '\n');
        if (line.ends_with('\r')) {
            line.remove_suffix(1);
        }
        if (!client::trim(line).empty()) {
            lines.emplace_back(line);
        }
    }
    return lines;
}

Lines split_in_pieces(std::string_view stream, std::size_t piece) {
    Lines lines;
    client::LineBuffer buffer;
    while (!stream.empty()) {
        buffer.append(stream.substr(0, piece));
        stream.remove_prefix(std::min(piece, stream.size()));
        for (auto next = buffer.next(); next && *next; next = buffer.next()) {
            check((*next)->capacity() >= (*next)->size() + json::Document::kPadding,
                  "a line without padding");
            lines.push_back(**next);
        }
    }
    return lines;
}

/// Until a line can be read: whoever asks for a list or a watch gets one.
void go_on_to_reading(Reflected& reflected) {
    constexpr int kMostSteps = 20;
    for (int step = 0; step < kMostSteps; ++step) {
        const auto action = reflected.next();
        if (std::holds_alternative<watch::ReadLine>(action)) {
            return;
        }
        if (std::holds_alternative<watch::OpenWatch>(action)) {
            reflected.reflector().opened(reflected.now());
        } else {
            const auto list =
                json::Document::parse(R"({"metadata":{"resourceVersion":"7"},"items":[]})");
            reflected.reflector().got_page(list->root(), reflected.now());
        }
    }
    check(false, "a watch that is never read");
}

void follow(const std::string& namespace_, const Lines& lines) {
    Reflected reflected{namespace_};
    for (const auto& line : lines) {
        go_on_to_reading(reflected);
        reflected.reflector().got_line(line, reflected.now());
    }
    go_on_to_reading(reflected);
}

}  // namespace

void watch(std::string_view bytes) {
    if (bytes.empty()) {
        return;
    }
    const auto piece = std::size_t{1} + static_cast<unsigned char>(bytes.front());
    bytes.remove_prefix(1);
    const auto lines = split_in_pieces(bytes, piece);
    check(lines == split_naively(bytes), "other lines when cut into pieces");
    follow("", lines);
    follow("default", lines);
}

}  // namespace smw::fuzz
