#include "environment/store.h"

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "environment/parts_json.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <sys/stat.h>

namespace scad::environment {

namespace fs = std::filesystem;

namespace {

constexpr int store_version = 2;

fs::path document_path(const base::Paths& paths, const std::string& id) {
    return paths.environments() / id / "environment.json";
}

fs::path lock_path(const base::Paths& paths) { return paths.environments() / ".lock"; }

std::vector<std::string> ids_in(const fs::path& directory) {
    std::vector<std::string> found;
    std::error_code error;
    for (fs::directory_iterator entry(directory, error), end; !error && entry != end;
         entry.increment(error)) {
        auto name = entry->path().filename().native();
        if (is_id(name)) found.push_back(std::move(name));
    }
    std::sort(found.begin(), found.end());
    return found;
}

bool has_layers(const base::Paths& paths, const Baked& baked) {
    return std::all_of(baked.layers.begin(), baked.layers.end(), [&](const std::string& layer) {
        std::error_code error;
        return fs::is_regular_file(layer_directory(paths, layer) / "layer.json", error);
    });
}

} // namespace

std::optional<Baked> find_baked(const base::Paths& paths, const Plan& plan) {
    auto baked = find(paths, newest_result(paths, plan.id));
    return baked && has_layers(paths, *baked) ? std::move(baked) : std::nullopt;
}

std::optional<Baked> find(const base::Paths& paths, const std::string& id) {
    if (!is_id(id)) return {};
    const auto path = document_path(paths, id);
    const auto document = base::read_document_if_exists(path, store_version);
    if (!document || base::find_int(*document, "version") < store_version) return {}; // it is baked again
    return with_context(
        [&] {
            Baked baked;
            baked.id = id;
            baked.project = base::get_string(*document, "project");
            baked.base = base::get_string(*document, "base");
            const auto env = document->find("env");
            if (env == document->end() || !env->is_object()) throw fatal("there are no variables");
            for (const auto& [name, value] : env->items()) {
                if (!value.is_string()) throw fatal("the variable '{}' is no string", name);
                baked.variables.emplace_back(name, value.get<std::string>());
            }
            baked.layers = base::get_strings(*document, "layers");
            baked.parts = parts_from_json(document->value("parts", nlohmann::json::object()));
            baked.packages = base::get_strings(*document, "packages");
            baked.size = static_cast<std::uint64_t>(base::get_int(*document, "size"));
            struct stat status {};
            if (::stat(path.c_str(), &status) == 0) baked.baked_at = status.st_mtime;
            return std::optional(std::move(baked));
        },
        "in '{}'", path.native());
}

bool is_whole(const base::Paths& paths, const std::string& id) {
    try {
        const auto baked = find(paths, id);
        return baked && has_layers(paths, *baked);
    } catch (const Error&) {
        return false;
    }
}

void write_baked(const fs::path& directory, const Baked& baked) {
    nlohmann::json env = nlohmann::json::object();
    for (const auto& [name, value] : baked.variables) env[name] = value;
    base::write_document(directory / "environment.json", {{"version", store_version},
                                                          {"id", baked.id},
                                                          {"project", baked.project},
                                                          {"base", baked.base},
                                                          {"env", env},
                                                          {"layers", baked.layers},
                                                          {"parts", to_json(baked.parts)},
                                                          {"packages", baked.packages},
                                                          {"size", baked.size}});
}

std::vector<Baked> list(const base::Paths& paths) {
    std::vector<Baked> all;
    for (const auto& id : ids_in(paths.environments())) {
        try {
            if (auto baked = find(paths, id)) all.push_back(std::move(*baked));
        } catch (const Error&) { // of a newer scad, or broken: neither is ours to use
            continue;
        }
    }
    return all;
}

base::FileLock hold(const base::Paths& paths) { return base::FileLock::acquire_shared(lock_path(paths)); }

std::vector<std::string> prune(const base::Paths& paths, const std::function<std::set<std::string>()>& in_use,
                               const std::function<void()>& on_wait) {
    std::error_code error;
    if (!fs::is_directory(paths.environments(), error)) return {};
    auto lock = base::FileLock::try_acquire(lock_path(paths));
    if (!lock && !on_wait) return {};
    if (!lock) lock = base::FileLock::acquire(lock_path(paths), on_wait);
    const auto used = in_use();
    std::vector<std::string> removed;
    std::set<std::string> layers;
    for (const auto& id : ids_in(paths.environments())) {
        if (!used.contains(id)) {
            base::remove_tree(paths.environments() / id);
            removed.push_back(id);
            continue;
        }
        const auto baked = find(paths, id); // fatal: of a newer scad, whose layers are not known
        if (baked) layers.insert(baked->layers.begin(), baked->layers.end());
    }
    for (const auto& id : ids_in(layers_directory(paths)))
        if (!layers.contains(id)) base::remove_tree(layer_directory(paths, id));
    for (const auto& id : ids_in(paths.environments() / "renewed")) {
        const auto result = newest_result(paths, id);
        if (!layers.contains(result) && !used.contains(result))
            base::remove_tree(paths.environments() / "renewed" / id);
    }
    base::sweep_temporaries(paths.environments());
    if (fs::is_directory(layers_directory(paths), error)) base::sweep_temporaries(layers_directory(paths));
    return removed;
}

} // namespace scad::environment
