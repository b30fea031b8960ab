#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace scad::base {

struct VariableDoc {
    std::string_view name;
    std::string_view meaning;
};

// Every environment variable that scad itself reads, for the manual and for readers of the code.
std::span<const VariableDoc> known_variables();

// The caller's environment, read once in main and handed down as a value.
class Variables {
  public:
    static Variables from_process();
    explicit Variables(std::vector<std::string> entries) : entries_(std::move(entries)) {} // "NAME=value"

    std::optional<std::string> get(std::string_view name)
        const; // empty values count as unset for XDG_*; here they are returned as they are
    const std::vector<std::string>& entries() const { return entries_; }

    // The environment for git on a named host repo: without what ties git to the repo of the caller (git
    // rev-parse --local-env-vars, GIT_PREFIX …), settings given by -c (GIT_CONFIG_PARAMETERS,
    // GIT_CONFIG_COUNT …) and the author's and editor's variables are kept.
    std::vector<std::string> for_host_git() const;
    // The environment for what must not see anything of the caller: PATH, LANG=C.UTF-8, TZ when set.
    std::vector<std::string> minimal() const;

  private:
    std::vector<std::string> entries_;
};

} // namespace scad::base
