#include "commands/doctor_programs.h"

#include "agent/agent.h"
#include "base/text.h"
#include "engine/engine.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <map>
#include <unistd.h>

namespace scad::commands {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t most_names = 4; // shown of one directory

// "~/.cargo" of a path below home: as people write it in a project file.
std::string with_tilde(const fs::path& path, const fs::path& home) {
    if (path == home) return "~";
    const auto inner = path.lexically_relative(home);
    return inner.empty() || *inner.begin() == ".." ? path.native() : "~/" + inner.native();
}

// Directories that hold more than programs: shown whole, they would show keys, mail and the state of scad
// too.
bool is_too_wide(const fs::path& directory, const fs::path& home) {
    const auto at = [&](const char* name) { return directory == home / name; };
    return directory == "/" || directory == home || directory == home.parent_path() || at(".local") ||
           at(".config") || at(".cache") || at(".local/share");
}

} // namespace

std::vector<HiddenPrograms> find_hidden_programs(const std::string& path,
                                                 const std::set<std::string>& passed_over) {
    std::set<std::string> seen;     // names that sessions have
    std::set<std::string> taken;    // names that an earlier directory has
    std::set<fs::path> directories; // looked at; PATH often has one twice
    std::vector<HiddenPrograms> found;
    for (const auto& directory : base::split(path, ':')) {
        std::error_code error;
        const auto real_directory = fs::canonical(directory, error);
        if (error || !directory.starts_with('/') || !directories.insert(real_directory).second) continue;
        HiddenPrograms hidden{directory, {}};
        for (fs::directory_iterator entry(real_directory, error), end; !error && entry != end;
             entry.increment(error)) {
            std::error_code ignored;
            const auto real = fs::canonical(entry->path(), ignored);
            if (ignored || !fs::is_regular_file(real, ignored) || ::access(real.c_str(), X_OK) != 0) continue;
            const auto name = entry->path().filename().native();
            if (passed_over.contains(name)) continue;
            if (engine::is_shown(real_directory.native()) && engine::is_shown(real.native()))
                seen.insert(name);
            else if (!taken.contains(name))
                hidden.names.push_back(name);
            taken.insert(name);
        }
        std::sort(hidden.names.begin(), hidden.names.end());
        found.push_back(std::move(hidden));
    }
    for (auto& one : found)
        std::erase_if(one.names, [&](const std::string& name) { return seen.contains(name); });
    std::erase_if(found, [](const HiddenPrograms& one) { return one.names.empty(); });
    return found;
}

engine::Check explain_hidden(const HiddenPrograms& hidden, const fs::path& home) {
    engine::Check check{"programs", false, false, {}, {}};
    const std::vector<std::string> first(
        hidden.names.begin(),
        hidden.names.begin() + static_cast<std::ptrdiff_t>(std::min(most_names, hidden.names.size())));
    check.detail = fmt::format(
        "not in sessions: {}{} of {}", base::join(first, ", "),
        hidden.names.size() > most_names ? fmt::format(" and {} more", hidden.names.size() - most_names) : "",
        with_tilde(hidden.directory, home));
    // The whole of what was installed, where "bin" is a part of it; else what is on PATH and no more.
    fs::path tool(hidden.directory);
    if (tool.filename() == "bin" && !is_too_wide(tool.parent_path(), home)) tool = tool.parent_path();
    check.remedy =
        fmt::format("tools = [\"{}\"] in [environment] of the project's file", with_tilde(tool, home));
    return check;
}

std::vector<engine::Check> check_programs(const base::Context& context) {
    std::set<std::string> passed_over = {"git-scad", "git-remote-scad"};
    for (const auto& name : agent::agent_names()) passed_over.insert(agent::find_agent(name).program);
    std::vector<engine::Check> checks;
    const auto path = context.variables.get("PATH").value_or("");
    for (const auto& hidden : find_hidden_programs(path, passed_over))
        checks.push_back(explain_hidden(hidden, context.paths.home));
    if (checks.empty())
        checks.push_back({"programs", true, false, "sessions have all that is on your PATH", {}});
    return checks;
}

} // namespace scad::commands
