#include "agent/events.h"

#include "agent/readers/readers.h"
#include "base/error.h"
#include "base/json.h"

#include <array>

#include <nlohmann/json.hpp>

namespace scad::agent {

namespace {

using nlohmann::json;

constexpr std::array<std::string_view, 7> kind_names = {"started", "text",  "tool",  "waiting",
                                                        "usage",   "error", "result"};

struct TextField {
    const char* key;
    std::string Event::*member;
};
constexpr std::array<TextField, 4> text_fields = {{{"text", &Event::text},
                                                   {"name", &Event::name},
                                                   {"conversation", &Event::conversation},
                                                   {"model", &Event::model}}};

struct NumberField {
    const char* key;
    std::int64_t Event::*member;
};
constexpr std::array<NumberField, 4> number_fields = {{{"input_tokens", &Event::input_tokens},
                                                       {"output_tokens", &Event::output_tokens},
                                                       {"cache_read_tokens", &Event::cache_read_tokens},
                                                       {"cache_write_tokens", &Event::cache_write_tokens}}};

} // namespace

std::string_view kind_name(Event::Kind kind) { return kind_names.at(static_cast<std::size_t>(kind)); }

// What is empty or zero is left out.
std::string to_json_line(const Event& event, std::int64_t time) {
    json object = {{"time", time}, {"kind", kind_name(event.kind)}};
    for (const auto& field : text_fields) {
        if (!(event.*field.member).empty()) object[field.key] = event.*field.member;
    }
    for (const auto& field : number_fields) {
        if (event.*field.member != 0) object[field.key] = event.*field.member;
    }
    if (event.cost != 0) object["cost"] = event.cost;
    if (event.failed) object["failed"] = true;
    return base::to_line(object);
}

std::optional<Event> from_json_line(std::string_view line) {
    auto object = base::parse_json(line);
    if (!object || !object->is_object()) return {};
    auto kind = base::find_string(*object, "kind");
    Event event;
    for (std::size_t i = 0; i < kind_names.size(); ++i) {
        if (kind_names.at(i) != kind) continue;
        event.kind = static_cast<Event::Kind>(i);
        for (const auto& field : text_fields) event.*field.member = base::find_string(*object, field.key);
        for (const auto& field : number_fields) event.*field.member = base::find_int(*object, field.key);
        auto cost = object->find("cost");
        if (cost != object->end() && cost->is_number()) event.cost = cost->get<double>();
        event.failed = base::find_bool(*object, "failed");
        return event;
    }
    return {};
}

std::unique_ptr<EventReader> make_reader(const std::string& name) {
    if (name == "claude") return make_claude_reader();
    if (name == "text") return make_text_reader();
    throw fatal("no reader named '{}' for an agent's output: there are 'claude', 'text'", name);
}

} // namespace scad::agent
