#include "commands/job_printer.h"

#include "base/text.h"

#include <algorithm>
#include <fmt/format.h>

namespace scad::commands {

namespace {

constexpr std::size_t tool_width = 160; // columns of a tool's line where there is no terminal
constexpr std::size_t pending_limit = std::size_t{64} << 10;

} // namespace

void JobPrinter::lines(std::string_view text, base::Style style) {
    for (const auto& line : base::lines(text)) terminal_.line(prefix_ + terminal_.style(style, line));
}

void JobPrinter::event(const agent::Event& event) {
    using base::Style;
    using Kind = agent::Event::Kind;
    const auto width = terminal_.out_is_terminal() ? terminal_.width() : tool_width;
    const auto room = width - std::min(width - 20, base::display_width(prefix_) + 2);
    switch (event.kind) {
        case Kind::text:
            lines(base::visible(base::trim(event.text), true), Style::plain);
            break;
        case Kind::tool: {
            const auto line = base::one_line(event.text.empty() ? event.name : event.text, room);
            terminal_.line(prefix_ + terminal_.style(event.failed ? Style::red : Style::dim, "› " + line));
            break;
        }
        case Kind::waiting:
            lines("waiting: " + base::one_line(event.text), Style::yellow);
            break;
        case Kind::error:
            lines("error: " + base::one_line(event.text), Style::red);
            break;
        case Kind::started:
        case Kind::usage:
        case Kind::result: // repeats the last text, or is told as the job's reason
            break;
    }
}

void JobPrinter::output(std::string_view bytes) {
    auto text = stream_.pass(bytes);
    if (text.empty()) return;
    if (prefix_.empty()) {
        terminal_.write(text);
        line_open_ = text.back() != '\n';
        return;
    }
    pending_ += text;
    const auto last = pending_.rfind('\n');
    if (last != std::string::npos) {
        for (const auto& line : base::lines(pending_.substr(0, last + 1))) terminal_.line(prefix_ + line);
        pending_.erase(0, last + 1);
    }
    if (pending_.size() > pending_limit) {
        terminal_.line(prefix_ + pending_);
        pending_.clear();
    }
}

void JobPrinter::end() {
    const auto rest = stream_.rest();
    if (prefix_.empty()) {
        if (!rest.empty()) {
            terminal_.write(rest);
            line_open_ = rest.back() != '\n';
        }
        // What follows in a terminal starts on a line of its own; a file gets the bytes as they were.
        if (line_open_ && terminal_.out_is_terminal()) terminal_.write("\n");
        line_open_ = false;
        return;
    }
    pending_ += rest;
    if (!pending_.empty()) terminal_.line(prefix_ + pending_);
    pending_.clear();
}

} // namespace scad::commands
