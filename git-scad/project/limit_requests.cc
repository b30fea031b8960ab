#include "project/limit_requests.h"

#include "project/show.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <string_view>

namespace scad::project {

namespace {

std::string shown(double cpus) { return number_text(cpus); }
std::string shown(std::chrono::seconds duration) { return duration_text(duration); }

// Calls visit(name, member, as_text) for each limit. `name` is the key's in the project file and in
// approvals, `what` how a person calls it.
template <class Visit> void for_each_limit(Visit visit) {
    const auto size = [](std::uint64_t bytes) { return size_text(bytes); };
    const auto count = [](std::uint64_t number) { return fmt::format("{}", number); };
    const auto own = [](const auto& value) { return shown(value); };
    visit("cpus", "processors", &Limits::cpus, own);
    visit("memory", "memory", &Limits::memory, size);
    visit("pids", "processes", &Limits::pids, count);
    visit("disk", "disk space", &Limits::disk, size);
    visit("shm", "shared memory", &Limits::shm, size);
    visit("time", "time of a job", &Limits::time, own);
    visit("idle", "silence of a job", &Limits::idle, own);
}

// What holds where the project says nothing; none: no limit.
template <class T> std::optional<T> otherwise(std::string_view /*name*/) { return std::nullopt; }
template <> std::optional<std::uint64_t> otherwise(std::string_view name) {
    return name == "pids" ? std::optional(default_pids) : std::nullopt;
}

} // namespace

std::vector<std::string> limit_lines(const Limits& limits) {
    std::vector<std::string> lines;
    for_each_limit([&](std::string_view, std::string_view what, auto member, auto text) {
        if (const auto& limit = limits.*member)
            lines.push_back(fmt::format("{} up to {}", what, text(*limit)));
    });
    return lines;
}

std::vector<std::string> widened_limits(const Limits& limits, const Limits& approved) {
    std::vector<std::string> lines;
    for_each_limit([&](std::string_view name, std::string_view what, auto member, auto text) {
        auto wanted = limits.*member;
        auto bound = approved.*member;
        using Value = typename decltype(wanted)::value_type;
        if (!wanted) wanted = otherwise<Value>(name);
        if (!bound) bound = otherwise<Value>(name);
        if (!bound || (wanted && *wanted <= *bound)) return;
        lines.push_back(wanted ? fmt::format("{} up to {}", what, text(*wanted))
                               : fmt::format("{} without limit", what));
    });
    if (approved.strict && !limits.strict)
        lines.emplace_back("limits by whatever means there are (not strict)");
    return lines;
}

nlohmann::json limits_to_json(const Limits& limits) {
    auto object = nlohmann::json::object();
    for_each_limit([&](std::string_view name, std::string_view, auto member, auto) {
        const auto& limit = limits.*member;
        if (!limit) return;
        if constexpr (std::is_same_v<decltype(*limit), const std::chrono::seconds&>)
            object[std::string(name)] = limit->count();
        else
            object[std::string(name)] = *limit;
    });
    if (limits.strict) object["strict"] = true;
    return object;
}

Limits limits_from_json(const nlohmann::json& object) {
    Limits limits;
    for_each_limit([&](std::string_view name, std::string_view, auto member, auto) {
        const auto found = object.find(std::string(name));
        if (found == object.end() || !found->is_number()) return;
        auto& limit = limits.*member;
        using Value = typename std::decay_t<decltype(limit)>::value_type;
        if constexpr (std::is_same_v<Value, std::chrono::seconds>)
            limit = Value(found->template get<std::int64_t>());
        else
            limit = found->template get<Value>();
    });
    const auto strict = object.find("strict");
    limits.strict = strict != object.end() && strict->is_boolean() && strict->template get<bool>();
    return limits;
}

} // namespace scad::project
