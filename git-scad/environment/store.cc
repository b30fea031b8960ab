#include "environment/store.h"

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "environment/environment.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <sys/stat.h>

namespace scad::environment {

namespace fs = std::filesystem;

namespace {

constexpr int store_version = 1;

fs::path document_path(const base::Paths& paths, const std::string& id) {
    return paths.environments() / id / "environment.json";
}

// An id names a directory: nothing that would lead elsewhere.
bool is_id(const std::string& id) {
    return !id.empty() && std::all_of(id.begin(), id.end(), [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
    });
}

std::vector<std::string> ids(const base::Paths& paths) {
    std::vector<std::string> found;
    std::error_code error;
    for (fs::directory_iterator entry(paths.environments(), error), end; !error && entry != end;
         entry.increment(error)) {
        auto name = entry->path().filename().native();
        if (is_id(name)) found.push_back(std::move(name));
    }
    std::sort(found.begin(), found.end());
    return found;
}

} // namespace

bool is_baked(const base::Paths& paths, const Plan& plan) {
    std::error_code error;
    return fs::is_regular_file(document_path(paths, plan.id), error);
}

void bake(const base::Paths& paths, const Plan& plan,
          const std::function<void(std::string_view step)>& tell) {
    if (is_baked(paths, plan)) return;
    auto environment = make_environment(plan.base);
    base::make_directories(paths.environments());
    base::sweep_temporaries(paths.environments());
    base::WholeDirectory whole(paths.environments());
    std::string log;
    with_context(
        [&] {
            environment->bake(plan, whole.path(), [&](std::string_view step) {
                log += std::string(step) + "\n";
                if (tell) tell(step);
            });
        },
        "cannot bake the environment '{}'", plan.id);
    base::replace_file(whole.path() / "log", log);
    base::write_document(
        whole.path() / "environment.json",
        {{"version", store_version}, {"id", plan.id}, {"base", plan.base}, {"env", plan.env}});
    // Lost against a build that raced: what that one made is the same.
    if (!whole.commit(plan.id) && !is_baked(paths, plan)) {
        throw fatal("'{}' is there and is no environment", (paths.environments() / plan.id).native())
            .with_hint("rm -r {}", (paths.environments() / plan.id).native());
    }
}

std::optional<Baked> find(const base::Paths& paths, const std::string& id) {
    if (!is_id(id)) return {};
    auto path = document_path(paths, id);
    auto document = base::read_document_if_exists(path, store_version);
    if (!document) return {};
    Baked baked;
    baked.id = id;
    baked.base = base::get_string(*document, "base");
    auto env = document->find("env");
    if (env == document->end() || !env->is_object()) throw fatal("'{}' has no variables", path.native());
    for (const auto& [name, value] : env->items()) {
        if (!value.is_string()) throw fatal("'{}': the variable '{}' is no string", path.native(), name);
        baked.variables.emplace_back(name, value.get<std::string>());
    }
    struct stat status {};
    if (::stat(path.c_str(), &status) == 0) baked.baked_at = status.st_mtime;
    return baked;
}

std::vector<Baked> list(const base::Paths& paths) {
    std::vector<Baked> all;
    for (const auto& id : ids(paths)) {
        try {
            if (auto baked = find(paths, id)) all.push_back(std::move(*baked));
        } catch (const Error&) { // of a newer scad, or broken: neither is ours to use
            continue;
        }
    }
    return all;
}

std::vector<std::pair<std::string, std::string>> environment_variables(const base::Paths& paths,
                                                                       const std::string& id) {
    auto baked = find(paths, id);
    if (!baked) throw fatal("the environment '{}' is not baked", id).with_hint("git scad build");
    return baked->variables;
}

std::vector<std::string> prune(const base::Paths& paths, const std::set<std::string>& in_use) {
    std::vector<std::string> removed;
    for (const auto& id : ids(paths)) {
        if (in_use.contains(id)) continue;
        base::remove_tree(paths.environments() / id);
        removed.push_back(id);
    }
    std::error_code error;
    if (fs::is_directory(paths.environments(), error)) base::sweep_temporaries(paths.environments());
    return removed;
}

} // namespace scad::environment
