#include "agent/readers/line_splitter.h"
#include "agent/readers/readers.h"
#include "base/json.h"
#include "base/process.h"
#include "base/text.h"

#include <algorithm>
#include <array>
#include <map>

#include <nlohmann/json.hpp>

namespace scad::agent {

namespace {

using nlohmann::json;

constexpr std::size_t reason_width = 200;  // columns of a verdict's reason
constexpr std::size_t summary_width = 200; // columns of a tool's summary
constexpr std::size_t most_open_tools =
    10000; // tool calls whose names are remembered until their result comes

// The member of that name when `object` is an object and has it; else null.
const json& member(const json& object, const char* key) {
    static const json none;
    if (!object.is_object()) return none;
    auto found = object.find(key);
    return found == object.end() ? none : *found;
}

// Foreign text on one short line. Cut first: nobody needs eight megabytes made visible.
std::string short_line(std::string_view text, std::size_t columns) {
    return base::one_line(base::trim(text.substr(0, columns * 16)), columns);
}

// What tells a tool call apart from others of its kind.
std::string argument_of(const json& input) {
    constexpr std::array keys = {"command", "file_path", "notebook_path", "pattern", "path",
                                 "url",     "query",     "description",   "skill",   "prompt"};
    for (const char* key : keys) {
        const auto& value = member(input, key);
        if (value.is_string() && !value.get_ref<const std::string&>().empty())
            return value.get<std::string>();
    }
    return {};
}

// The text of a content that is a string, or a list of blocks with texts.
std::string content_text(const json& content) {
    if (content.is_string()) return content.get<std::string>();
    std::string text;
    if (!content.is_array()) return text;
    for (const auto& block : content) {
        if (base::find_string(block, "type") == "text") text += base::find_string(block, "text");
    }
    return text;
}

// An agent prints anything: bytes that are no UTF-8 must not cost the line.
std::optional<json> parse_line(std::string_view line) {
    auto parsed = base::parse_json(line);
    if (parsed) return parsed;
    std::string ascii(line);
    bool changed = false;
    for (auto& c : ascii) {
        if ((static_cast<unsigned char>(c) & 0x80U) == 0) continue;
        c = '?';
        changed = true;
    }
    return changed ? base::parse_json(ascii) : std::nullopt;
}

class ClaudeReader final : public EventReader {
  public:
    std::vector<Event> feed(std::string_view bytes) override {
        std::vector<Event> events;
        lines_.feed(bytes, [&](std::string_view line, bool cut) { on_line(line, cut, events); });
        return events;
    }

    std::vector<Event> end() override {
        std::vector<Event> events;
        lines_.finish([&](std::string_view line, bool cut) { on_line(line, cut, events); });
        return events;
    }

    Verdict finish(int wait_status, std::string_view stderr_tail) override {
        end();
        auto reason = objection(wait_status, stderr_tail);
        return {reason.empty(), reason};
    }

  private:
    // What the last `result` said. Whatever is not of the expected type counts against it.
    struct Outcome {
        bool is_error = true;
        std::string subtype;
        std::string text;
        std::string first_error;
        std::vector<std::string> denied; // names of tools
        std::int64_t output_tokens = 0;
    };

    void on_line(std::string_view line, bool cut, std::vector<Event>& events) {
        last_was_cut_ = cut;
        if (cut || base::trim(line).empty()) return;
        auto parsed = parse_line(line);
        if (!parsed || !parsed->is_object()) return;
        auto type = base::find_string(*parsed, "type");
        if (type == "system") on_system(*parsed, events);
        if (type == "assistant") on_assistant(*parsed, events);
        if (type == "user") on_user(*parsed, events);
        if (type == "error") on_error(*parsed, events);
        if (type == "result") on_result(*parsed, events);
    }

    void on_system(const json& line, std::vector<Event>& events) {
        auto subtype = base::find_string(line, "subtype");
        Event event;
        if (subtype == "init") {
            event.kind = Event::Kind::started;
            event.conversation = base::find_string(line, "session_id");
            event.model = base::find_string(line, "model");
            if (event.conversation == conversation_) return; // told again at each turn
            conversation_ = event.conversation;
            events.push_back(std::move(event));
        } else if (subtype == "api_retry") {
            // Progress, and no work of the agent's.
            event.kind = Event::Kind::text;
            event.name = "api_retry";
            auto status = base::find_int(line, "error_status");
            auto error = base::find_string(line, "error");
            if (error == "unknown") error.clear();
            // Without a status there was no answer at all.
            auto what =
                status == 0 ? std::string("no answer from the API") : fmt::format("API error {}", status);
            if (!error.empty()) what += " " + short_line(error, summary_width);
            event.text = fmt::format("{}, retry {} of {} in {} s", what, base::find_int(line, "attempt"),
                                     base::find_int(line, "max_retries"),
                                     (base::find_int(line, "retry_delay_ms") + 999) / 1000);
            last_retry_ = event.text;
            events.push_back(std::move(event));
        }
    }

    void on_assistant(const json& line, std::vector<Event>& events) {
        const auto& message = member(line, "message");
        // The program's own words in the model's place: "Not logged in", "API Error …".
        bool synthetic = base::find_string(message, "model") == "<synthetic>";
        const auto& content = member(message, "content");
        if (content.is_string()) add_text(content.get<std::string>(), synthetic, events);
        if (!content.is_array()) return;
        for (const auto& block : content) {
            auto type = base::find_string(block, "type");
            if (type == "text") add_text(base::find_string(block, "text"), synthetic, events);
            if (type == "tool_use") add_tool(block, events);
        }
    }

    void add_text(std::string text, bool synthetic, std::vector<Event>& events) {
        if (base::trim(text).empty()) return;
        if (!synthetic) worked_ = true;
        Event event;
        event.kind = Event::Kind::text;
        event.text = std::move(text);
        events.push_back(std::move(event));
    }

    void add_tool(const json& block, std::vector<Event>& events) {
        worked_ = true;
        Event event;
        event.kind = Event::Kind::tool;
        event.name = short_line(base::find_string(block, "name", "tool"), 80);
        auto argument = argument_of(member(block, "input"));
        event.text = argument.empty() ? event.name : short_line(event.name + ": " + argument, summary_width);
        auto id = base::find_string(block, "id");
        if (!id.empty() && id.size() < 200 && open_tools_.size() < most_open_tools)
            open_tools_[id] = event.name;
        events.push_back(std::move(event));
    }

    // Only of calls that failed something is told.
    void on_user(const json& line, std::vector<Event>& events) {
        const auto& content = member(member(line, "message"), "content");
        if (!content.is_array()) return;
        for (const auto& block : content) {
            if (base::find_string(block, "type") != "tool_result") continue;
            auto id = base::find_string(block, "tool_use_id");
            auto open = open_tools_.find(id);
            std::string name = open != open_tools_.end() ? open->second : "tool";
            if (open != open_tools_.end()) open_tools_.erase(open);
            if (!base::find_bool(block, "is_error")) continue;
            Event event;
            event.kind = Event::Kind::tool;
            event.name = name;
            event.failed = true;
            auto text = content_text(member(block, "content"));
            event.text = short_line(fmt::format("{} failed: {}", name, text), summary_width);
            events.push_back(std::move(event));
        }
    }

    void on_error(const json& line, std::vector<Event>& events) {
        Event event;
        event.kind = Event::Kind::error;
        const auto& error = member(line, "error");
        event.text = error.is_string() ? error.get<std::string>() : base::find_string(error, "message");
        if (event.text.empty()) event.text = base::find_string(line, "message", "unknown error");
        events.push_back(std::move(event));
    }

    void on_result(const json& line, std::vector<Event>& events) {
        Outcome outcome;
        outcome.is_error = base::find_bool(line, "is_error", true);
        outcome.subtype = base::find_string(line, "subtype");
        outcome.text = base::find_string(line, "result");
        const auto& errors = member(line, "errors");
        if (errors.is_array() && !errors.empty() && errors[0].is_string()) {
            outcome.first_error = errors[0].get<std::string>();
        }
        const auto& denials = member(line, "permission_denials");
        if (denials.is_array()) {
            for (const auto& denial : denials) {
                auto name = short_line(base::find_string(denial, "tool_name", "unknown"), 80);
                if (outcome.denied.size() < 10 &&
                    std::find(outcome.denied.begin(), outcome.denied.end(), name) == outcome.denied.end()) {
                    outcome.denied.push_back(std::move(name));
                }
            }
        } else if (!denials.is_null()) {
            outcome.denied.emplace_back("unknown");
        }
        const auto& usage = member(line, "usage");
        Event event;
        event.kind = Event::Kind::usage;
        event.input_tokens = base::find_int(usage, "input_tokens");
        event.output_tokens = base::find_int(usage, "output_tokens");
        event.cache_read_tokens = base::find_int(usage, "cache_read_input_tokens");
        event.cache_write_tokens = base::find_int(usage, "cache_creation_input_tokens");
        const auto& cost = member(line, "total_cost_usd");
        if (cost.is_number()) event.cost = cost.get<double>();
        outcome.output_tokens = event.output_tokens;
        events.push_back(event);
        event.kind = Event::Kind::result;
        event.text = outcome.text;
        outcome_ = std::move(outcome);
        event.failed = !objection(0, {}).empty();
        events.push_back(std::move(event));
    }

    // Why the job did not end well, on one line; empty: it did. What the agent says of itself is believed
    // only when nothing speaks against it.
    std::string objection(int wait_status, std::string_view stderr_tail) const {
        if (!outcome_) return without_result(wait_status, stderr_tail);
        const auto& o = *outcome_;
        if (o.is_error) return error_reason(o);
        if (!o.subtype.empty() && o.subtype != "success") return error_reason(o);
        if (!o.denied.empty()) return "denied tool: " + base::join(o.denied, ", ");
        if (wait_status != 0) return base::describe_wait_status(wait_status) + " after its result";
        if (!worked_ && o.output_tokens <= 0) {
            auto said = short_line(o.text, reason_width - 20);
            return said.empty() ? "did nothing" : "did nothing: " + said;
        }
        if (base::trim(o.text).empty()) return "empty result";
        return {};
    }

    static std::string error_reason(const Outcome& o) {
        auto said = short_line(o.text.empty() ? o.first_error : o.text, reason_width);
        if (o.subtype.empty() || o.subtype == "success")
            return said.empty() ? "the agent reports an error" : said;
        auto kind = short_line(o.subtype, 60);
        return said.empty() ? kind : short_line(kind + ": " + said, reason_width);
    }

    std::string without_result(int wait_status, std::string_view stderr_tail) const {
        auto reason = "ended without a result (" + base::describe_wait_status(wait_status) + ")";
        if (last_was_cut_) reason += ": its last line was over 8 MiB";
        auto lines = base::lines(stderr_tail);
        while (!lines.empty() && base::trim(lines.back()).empty()) lines.pop_back();
        if (!lines.empty()) return reason + ": " + short_line(lines.back(), reason_width);
        return last_retry_.empty() ? reason : reason + ": last was " + last_retry_;
    }

    LineSplitter lines_;
    std::map<std::string, std::string> open_tools_; // id -> name
    std::string conversation_;
    std::string last_retry_;
    std::optional<Outcome> outcome_;
    bool worked_ = false; // the model said something or called a tool
    bool last_was_cut_ = false;
};

} // namespace

std::unique_ptr<EventReader> make_claude_reader() { return std::make_unique<ClaudeReader>(); }

} // namespace scad::agent
