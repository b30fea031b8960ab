#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace scad::agent {

// scad's own events: what every agent's stream becomes, one line each in events.jsonl. Texts are foreign: to
// be made visible before they are printed.
struct Event {
    enum class Kind { started, text, tool, waiting, usage, error, result };
    Kind kind = Kind::text;
    std::string text;         // text; the tool's summary (one line); the error; the result's text
    std::string name;         // the tool's name
    std::string conversation; // started: the agent's id of the conversation
    std::string model;        // started
    std::int64_t input_tokens = 0, output_tokens = 0, cache_read_tokens = 0,
                 cache_write_tokens = 0; // usage, result: of this job
    double cost = 0; // US dollars, of the whole conversation up to now (agents tell no other); 0: not known
    bool failed = false; // tool, result
    bool operator==(const Event&) const = default;
};

std::string to_json_line(const Event& event, std::int64_t time); // without newline
std::optional<Event> from_json_line(std::string_view line);      // empty: not one of ours
std::string_view kind_name(Event::Kind kind);

// How a job came out: an agent's success is believed only on evidence.
struct Verdict {
    bool ok = false;
    std::string reason; // one line when not ok: "API error: 529 overloaded", "denied tool: Bash", "empty
                        // result", "did nothing", "ended without a result"
};

// Turns an agent's output into events. Unknown lines are kept as they are in the raw log and are no error;
// lines over 8 MiB are cut.
class EventReader {
  public:
    virtual ~EventReader() = default;
    virtual std::vector<Event> feed(std::string_view bytes) = 0; // standard output as it comes
    // What a last line without newline still gives. Once, at end of file, before finish(); without it that
    // line counts for the verdict only.
    virtual std::vector<Event> end() = 0;
    // At the end; `wait_status` as waitpid(2) tells it, `stderr_tail` the last of standard error (for the
    // reason).
    virtual Verdict finish(int wait_status, std::string_view stderr_tail) = 0;
};

// "claude", "text" (each line a text event; success is exit status 0). Unknown: fatal.
std::unique_ptr<EventReader> make_reader(const std::string& name);

} // namespace scad::agent
