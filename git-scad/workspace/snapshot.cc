#include "workspace/snapshot.h"

#include "base/error.h"
#include "base/text.h"
#include "workspace/origin_text.h"
#include "workspace/snapshot_script.h"

#include <algorithm>
#include <charconv>

namespace scad::workspace {

namespace {

constexpr std::size_t most_output = std::size_t{4} << 20;
constexpr std::size_t most_unsaved = 20;
constexpr std::size_t longest_name = 4096;
constexpr std::int64_t most_counted = 1'000'000'000;

// A number as the script prints it; too large ones are as large as we care for. Empty: no number.
std::optional<std::int64_t> parse_count(std::string_view text) {
    if (text.empty() || text.find_first_not_of("0123456789") != std::string_view::npos) return std::nullopt;
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    return error == std::errc{} ? std::min(number, most_counted) : most_counted;
}

bool is_object_id(std::string_view text) {
    return (text.size() == 40 || text.size() == 64) &&
           text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

// "ignored node_modules/" -> "node_modules/ (ignored)", the name unquoted.
std::optional<std::string> unsaved_name(std::string_view value) {
    const std::size_t space = value.find(' ');
    if (space == std::string_view::npos || space + 1 == value.size()) return std::nullopt;
    std::string_view kind = value.substr(0, space);
    const std::string_view quoted = value.substr(space + 1);
    for (const auto& [key, words] :
         {std::pair<std::string_view, std::string_view>{"nested", "a repo of its own"},
          {"unreadable", "not readable"},
          {"worktree", "a linked worktree"},
          {"tag", "a tag"},
          {"ignored", "ignored"}}) {
        if (kind != key) continue;
        std::string name(quoted);
        c_unquote(quoted, name);
        return fmt::format("{} ({})", name.substr(0, longest_name), words);
    }
    return std::nullopt;
}

struct Count {
    std::string_view key;
    std::int64_t RepoState::*member;
};
constexpr Count counts[] = {
    {"ahead", &RepoState::ahead},         {"changed", &RepoState::changed},
    {"untracked", &RepoState::untracked}, {"ignored", &RepoState::ignored},
    {"nested", &RepoState::nested},       {"unreadable", &RepoState::unreadable},
    {"worktrees", &RepoState::worktrees}, {"tags", &RepoState::tags},
};

void take(RepoState& state, std::string_view key, std::string_view value) {
    if (value.size() > 2 * longest_name) value = value.substr(0, 2 * longest_name);
    if (key == "branch") {
        state.branch = value;
    } else if (key == "head" || key == "wip") {
        if (is_object_id(value)) (key == "head" ? state.head : state.wip) = value;
    } else if (key == "problem") {
        if (state.problem.empty()) state.problem = value.empty() ? "no reason was given" : value;
    } else if (key == "unsaved") {
        auto name = unsaved_name(value);
        if (name && state.unsaved.size() < most_unsaved) state.unsaved.push_back(std::move(*name));
    }
    for (const Count& count : counts) {
        if (key != count.key) continue;
        if (const auto number = parse_count(value)) state.*count.member = *number;
    }
}

} // namespace

engine::RunRequest snapshot_request(const std::vector<std::string>& repos,
                                    const std::vector<std::string>& bases, std::string_view before) {
    engine::RunRequest request;
    request.argv = {"/bin/sh", "-c", std::string(before) + std::string(snapshot_script()), "snapshot"};
    for (std::size_t i = 0; i < repos.size() && i < bases.size(); ++i) {
        request.argv.push_back(repos[i]);
        request.argv.push_back(bases[i]);
    }
    // The settings of the agent's home are its own: what it ignores everywhere is ignored here too.
    request.environment = {
        "PATH=/usr/bin:/bin",
        "HOME=/home/agent",
        "LC_ALL=C",
        "GIT_CONFIG_NOSYSTEM=1",
        "GIT_OPTIONAL_LOCKS=0",
        "GIT_TERMINAL_PROMPT=0",
        "GIT_NO_REPLACE_OBJECTS=1",
        "GIT_NO_LAZY_FETCH=1",
        "GIT_LITERAL_PATHSPECS=1",
        "GIT_AUTHOR_NAME=scad",
        "GIT_AUTHOR_EMAIL=scad@localhost",
        "GIT_COMMITTER_NAME=scad",
        "GIT_COMMITTER_EMAIL=scad@localhost",
    };
    return request;
}

std::vector<RepoState> parse_snapshot(std::string_view output, const std::vector<std::string>& repos) {
    std::vector<RepoState> states;
    std::vector<bool> whole(repos.size(), false);
    for (const std::string& repo : repos) states.emplace_back().repo = repo;
    for (const std::string& line : base::lines(output)) {
        const std::size_t first = line.find('\t');
        const std::size_t second = first == std::string::npos ? first : line.find('\t', first + 1);
        if (second == std::string::npos) continue;
        const std::string_view text = line;
        const auto repo = std::find(repos.begin(), repos.end(), text.substr(0, first));
        if (repo == repos.end()) continue;
        const auto index = static_cast<std::size_t>(repo - repos.begin());
        const std::string_view key = text.substr(first + 1, second - first - 1);
        if (key == "end") whole[index] = true;
        take(states[index], key, text.substr(second + 1));
    }
    for (std::size_t i = 0; i < states.size(); ++i) {
        if (!whole[i] && states[i].problem.empty())
            states[i].problem = "the snapshot did not come to its end";
    }
    return states;
}

std::vector<RepoState> take_snapshot(engine::Runner& runner, const std::vector<std::string>& repos,
                                     const std::vector<std::string>& bases, std::chrono::milliseconds limit) {
    const engine::Output output =
        engine::run_captured(runner, snapshot_request(repos, bases), {}, limit, most_output);
    std::vector<RepoState> states = parse_snapshot(output.out, repos);
    for (RepoState& state : states) {
        if (output.result.timed_out && !state.problem.empty()) {
            state.problem =
                fmt::format("it took longer than {}",
                            base::format_duration(std::chrono::ceil<std::chrono::seconds>(limit)));
        }
    }
    return states;
}

} // namespace scad::workspace
