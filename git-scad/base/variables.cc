#include "base/variables.h"

#include <algorithm>
#include <array>
#include <unistd.h>

namespace scad::base {

namespace {

constexpr VariableDoc known[] = {
    {"HOME", "the home directory; that of passwd(5) when unset"},
    {"XDG_STATE_HOME",
     "scad keeps sessions and all that they stand on below it, unless scad.stateDir is set"},
    {"XDG_CACHE_HOME", "scad keeps what can be made again below it, unless scad.cacheDir is set"},
    {"XDG_CONFIG_HOME", "the user's own configuration of scad"},
    {"PATH", "where git, bubblewrap and the programs of agents are looked for"},
    {"GIT_DIR", "the repo that settings are read from, as for git itself"},
    {"GIT_EDITOR", "the editor for prompts, before core.editor"},
    {"VISUAL", "the editor for prompts, after core.editor"},
    {"EDITOR", "the editor for prompts, after VISUAL"},
    {"GIT_PAGER", "the pager, before core.pager"},
    {"GIT_PAGER_IN_USE", "set by `git -p`: standard output goes to a pager already"},
    {"PAGER", "the pager, after core.pager"},
    {"LESS", "options of less; FRX when unset"},
    {"LV", "options of lv; -c when unset"},
    {"NO_COLOR", "no colour when it is not empty, unless color.ui or color.scad is always"},
    {"TERM", "no colour when it is unset or dumb"},
    {"COLUMNS", "the width of the terminal, before the terminal itself is asked"},
    {"TZ", "the time zone of times that are shown; handed to sessions"},
};

// What ties git to the caller's repo or operation: the list of `git rev-parse --local-env-vars` without the
// settings of `git -c`, and what git sets for hooks.
constexpr std::array<std::string_view, 26> tied_to_a_repo{
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_CONFIG",
    "GIT_OBJECT_DIRECTORY",
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_IMPLICIT_WORK_TREE",
    "GIT_GRAFT_FILE",
    "GIT_INDEX_FILE",
    "GIT_INDEX_VERSION",
    "GIT_NO_REPLACE_OBJECTS",
    "GIT_REPLACE_REF_BASE",
    "GIT_PREFIX",
    "GIT_SHALLOW_FILE",
    "GIT_COMMON_DIR",
    "GIT_INTERNAL_SUPER_PREFIX",
    "GIT_NAMESPACE",
    "GIT_QUARANTINE_PATH",
    "GIT_REFLOG_ACTION",
    "GIT_LITERAL_PATHSPECS",
    "GIT_GLOB_PATHSPECS",
    "GIT_NOGLOB_PATHSPECS",
    "GIT_ICASE_PATHSPECS",
    "GIT_EXTERNAL_DIFF",
    "GIT_DIFF_OPTS",
    "GIT_PROTOCOL",
    "GIT_DISCOVERY_ACROSS_FILESYSTEM",
};

std::string_view name_of(std::string_view entry) { return entry.substr(0, entry.find('=')); }

} // namespace

std::span<const VariableDoc> known_variables() { return known; }

Variables Variables::from_process() {
    std::vector<std::string> entries;
    for (char** entry = ::environ; entry != nullptr && *entry != nullptr; ++entry)
        entries.emplace_back(*entry);
    return Variables(std::move(entries));
}

std::optional<std::string> Variables::get(std::string_view name) const {
    for (const std::string& entry : entries_) { // the first one, as getenv(3)
        if (entry.size() > name.size() && entry[name.size()] == '=' && entry.starts_with(name)) {
            return entry.substr(name.size() + 1);
        }
    }
    return std::nullopt;
}

std::vector<std::string> Variables::for_host_git() const {
    std::vector<std::string> kept;
    for (const std::string& entry : entries_) {
        const std::string_view name = name_of(entry);
        const bool tied =
            std::find(tied_to_a_repo.begin(), tied_to_a_repo.end(), name) != tied_to_a_repo.end();
        if (!tied && !name.starts_with("GIT_PUSH_OPTION_")) kept.push_back(entry);
    }
    return kept;
}

std::vector<std::string> Variables::minimal() const {
    std::vector<std::string> entries{"PATH=" + get("PATH").value_or("/usr/local/bin:/usr/bin:/bin"),
                                     "LANG=C.UTF-8"};
    if (const auto zone = get("TZ")) entries.push_back("TZ=" + *zone);
    return entries;
}

} // namespace scad::base
