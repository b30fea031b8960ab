#include "project/discover.h"

#include "base/host_git.h"
#include "base/suggest.h"
#include "base/text.h"
#include "project/files.h"
#include "project/load.h"

#include <algorithm>
#include <set>

namespace scad::project {

namespace fs = std::filesystem;

namespace {

fs::path real_path(const fs::path& path) {
    std::error_code error;
    auto real = fs::weakly_canonical(path, error);
    return error ? path.lexically_normal() : real;
}

std::vector<Known> projects_in(const fs::path& docs_repo) {
    std::vector<Known> found;
    std::error_code error;
    for (fs::directory_iterator entry(docs_repo / ".scad", error), end; !error && entry != end;
         entry.increment(error)) {
        const auto& file = entry->path();
        auto name = file.stem().native();
        std::error_code ignored;
        if (file.extension() != ".toml" || name.ends_with(".local") || !entry->is_regular_file(ignored))
            continue;
        if (!name_problem(name).empty()) continue;
        found.push_back({name, docs_repo, file});
    }
    return found;
}

std::vector<Known> known_from(const std::optional<base::HostRepo>& here, const base::Context& context) {
    std::vector<Known> known;
    std::set<fs::path> seen;
    if (here && !here->worktree.empty()) {
        auto top = real_path(here->worktree);
        seen.insert(top);
        known = projects_in(top);
    }
    auto own = known.size();
    for (const auto& text : context.settings.all("scad.docs")) {
        if (text.empty()) continue;
        auto top = real_path(base::expand_path(text, context.paths.home, context.paths.home));
        if (!seen.insert(top).second) continue;
        for (auto& project : projects_in(top)) {
            auto same = [&](const Known& other) { return other.name == project.name; };
            auto stood_in = known.begin() + static_cast<std::ptrdiff_t>(own);
            if (std::none_of(known.begin(), stood_in, same)) known.push_back(std::move(project));
        }
    }
    std::stable_sort(known.begin(), known.end(),
                     [](const Known& left, const Known& right) { return left.name < right.name; });
    return known;
}

// Where the repos of a project are, read without judging: a project file with errors must not keep others
// from being found.
std::vector<fs::path> repo_paths(const Known& project, const base::Context& context) {
    std::vector<fs::path> paths;
    Problems ignored;
    try {
        auto files = read_files(project.docs_repo, project.name, ignored);
        const auto* repos = files.document.find("repos");
        if (repos == nullptr) return paths;
        for (const auto& entry : repos->entries) {
            const auto* path = entry.value.find("path");
            if (path == nullptr || path->kind != Node::Kind::string || path->text.empty()) continue;
            paths.push_back(real_path(base::expand_path(path->text, context.paths.home, project.docs_repo)));
        }
    } catch (const Error&) { // not readable now
        return {};
    }
    return paths;
}

// Whether `path`, as a project names it, is a working tree of the repo `here` (or is that repo, when bare).
bool is_repo(const fs::path& path, const base::HostRepo& here, const base::Variables& variables) {
    if (!here.worktree.empty() && path == real_path(here.worktree)) return true;
    auto common = real_path(here.common_dir);
    if (path == common || real_path(path / ".git") == common) return true;
    std::error_code error;
    if (!fs::is_regular_file(path / ".git", error)) return false;
    try { // a linked worktree or a submodule: only git knows what it belongs to
        auto repo = base::find_host_repo(path, variables);
        return repo && real_path(repo->common_dir) == common;
    } catch (const Error&) {
        return false;
    }
}

Error several(std::string_view what, const std::vector<Known>& candidates) {
    std::vector<std::string> names;
    names.reserve(candidates.size());
    for (const auto& project : candidates) names.push_back(project.name);
    return fatal("{}: {}", what, base::join(names, ", ")).with_hint("name the one that you mean");
}

Known find_named(const std::string& name, const std::vector<Known>& known) {
    std::vector<Known> same;
    std::vector<std::string> names;
    for (const auto& project : known) {
        names.push_back(project.name);
        if (project.name == name) same.push_back(project);
    }
    if (same.size() == 1) return same.front();
    if (same.size() > 1) {
        std::string places;
        for (const auto& project : same) places += "\n    " + project.file.native();
        throw fatal("there are several projects '{}':{}", name, places)
            .with_hint("stand in the docs repo that you mean, as with `git scad -C {} …`",
                       base::shell_quote(same.front().docs_repo.native()));
    }
    if (known.empty())
        throw fatal("there is no project '{}', nor any other", name).with_hint("git scad init {}", name);
    auto near = base::nearest(name, names, 1);
    if (near.empty()) throw fatal("there is no project '{}'", name).with_hint("git scad config list");
    throw fatal("there is no project '{}'", name)
        .with_hint("did you mean '{}'? `git scad config list` shows all", near.front());
}

} // namespace

std::vector<Known> known_projects(const base::Context& context) {
    return known_from(base::find_host_repo(context.directory, context.variables), context);
}

Known find_project(const std::optional<std::string>& name, const base::Context& context) {
    auto here = base::find_host_repo(context.directory, context.variables);
    auto known = known_from(here, context);
    if (name) return find_named(*name, known);
    if (known.empty()) throw fatal("there is no project yet").with_hint("git scad init");
    std::vector<Known> fitting;
    if (here) {
        auto top = here->worktree.empty() ? fs::path() : real_path(here->worktree);
        std::copy_if(known.begin(), known.end(), std::back_inserter(fitting),
                     [&](const Known& project) { return project.docs_repo == top; });
        if (fitting.size() > 1) throw several("this repo has several projects", fitting);
        if (fitting.size() == 1) return fitting.front();
        for (const auto& project : known) {
            auto paths = repo_paths(project, context);
            auto fits = [&](const fs::path& path) { return is_repo(path, *here, context.variables); };
            if (std::any_of(paths.begin(), paths.end(), fits)) fitting.push_back(project);
        }
    }
    if (fitting.size() == 1) return fitting.front();
    if (fitting.size() > 1) throw several("this repo belongs to several projects", fitting);
    std::vector<std::string> names;
    names.reserve(known.size());
    for (const auto& project : known) names.push_back(project.name);
    throw fatal("no project was named, and '{}' belongs to none", context.directory.native())
        .with_hint("name one: {}", base::join(names, ", "));
}

} // namespace scad::project
