#include "base/text.h"
#include "agent/readers/line_splitter.h"
#include "agent/readers/readers.h"
#include "base/process.h"

namespace scad::agent {

namespace {

class TextReader final : public EventReader {
  public:
    std::vector<Event> feed(std::string_view bytes) override {
        std::vector<Event> events;
        lines_.feed(bytes, [&](std::string_view line, bool) { events.push_back(text_event(line)); });
        return events;
    }

    std::vector<Event> end() override {
        std::vector<Event> events;
        lines_.finish([&](std::string_view line, bool) { events.push_back(text_event(line)); });
        return events;
    }

    Verdict finish(int wait_status, std::string_view stderr_tail) override {
        if (wait_status == 0) return {true, {}};
        auto reason = base::describe_wait_status(wait_status);
        auto lines = base::lines(stderr_tail);
        while (!lines.empty() && base::trim(lines.back()).empty()) lines.pop_back();
        if (!lines.empty()) reason += ": " + base::one_line(base::trim(lines.back()), 200);
        return {false, reason};
    }

  private:
    static Event text_event(std::string_view line) {
        if (line.ends_with('\r')) line.remove_suffix(1);
        Event event;
        event.text = line;
        return event;
    }

    LineSplitter lines_;
};

} // namespace

std::unique_ptr<EventReader> make_text_reader() { return std::make_unique<TextReader>(); }

} // namespace scad::agent
