#include "agent/package_plan.h"
#include "base/error.h"
#include "base/file.h"
#include "base/json.h"

#include <algorithm>
#include <set>

#include <nlohmann/json.hpp>

namespace scad::agent {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t most_packages = 20000;

bool is_below(const fs::path& path, const fs::path& directory) {
    auto [end, ignored] = std::mismatch(directory.begin(), directory.end(), path.begin(), path.end());
    return end == directory.end();
}

// The package of a file: what lies directly in the innermost node_modules above it (a scope is one level
// more), else the nearest directory with a package.json that has a name, else nothing.
fs::path package_of(const fs::path& file) {
    fs::path package;
    for (auto now = file.parent_path(); now.has_relative_path(); now = now.parent_path()) {
        auto up = now.parent_path();
        bool scoped = up.filename().string().starts_with('@');
        if (up.filename() == "node_modules" || (scoped && up.parent_path().filename() == "node_modules")) {
            // A scope's own directory is none.
            if (!now.filename().string().starts_with('@')) return now;
        }
        if (!package.empty()) continue;
        auto text = base::read_if_exists(now / "package.json");
        auto manifest = text ? base::parse_json(*text) : std::nullopt;
        if (manifest && !base::find_string(*manifest, "name").empty()) package = now;
    }
    return package;
}

// The directory that holds the outermost node_modules on the way to a package.
fs::path top_of(const fs::path& package) {
    fs::path now;
    for (const auto& part : package) {
        if (part == "node_modules") return now;
        now /= part;
    }
    return package;
}

std::set<std::string> dependencies(const fs::path& package) {
    std::set<std::string> names;
    auto text = base::read_if_exists(package / "package.json");
    auto manifest = text ? base::parse_json(*text) : std::nullopt;
    if (!manifest || !manifest->is_object()) return names;
    for (const char* key : {"dependencies", "optionalDependencies", "peerDependencies"}) {
        auto found = manifest->find(key);
        if (found == manifest->end() || !found->is_object()) continue;
        for (const auto& [name, version] : found->items()) {
            if (!name.empty() && name.find("..") == std::string::npos && name[0] != '/') names.insert(name);
        }
    }
    return names;
}

// Where `require(name)` in `package` leads; empty: not installed, as optional ones for other systems are.
fs::path resolve(const fs::path& package, const std::string& name, const fs::path& top) {
    for (auto now = package; is_below(now, top); now = now.parent_path()) {
        if (now.filename() == "node_modules") continue;
        auto candidate = now / "node_modules" / name;
        std::error_code error;
        if (fs::is_directory(candidate, error)) return candidate;
        if (now == now.parent_path()) break;
    }
    return {};
}

} // namespace

NodePackages find_packages(const fs::path& script) {
    NodePackages result;
    auto first = package_of(script);
    if (first.empty()) return result;
    result.top = top_of(first);
    std::set<fs::path> seen = {first};
    std::vector<fs::path> open = {first};
    while (!open.empty()) {
        auto package = std::move(open.back());
        open.pop_back();
        result.directories.push_back(package);
        if (seen.size() > most_packages) throw fatal("'{}' depends on too many packages", script.string());
        for (const auto& name : dependencies(package)) {
            auto found = resolve(package, name, result.top);
            if (found.empty()) continue;
            auto real = fs::canonical(found);
            // Linked from elsewhere (npm link): taken as if it lay here.
            if (!is_below(real, result.top)) real = found;
            if (real != found) result.links[found] = real.lexically_relative(found.parent_path()).string();
            if (seen.insert(real).second) open.push_back(real);
        }
    }
    // Whole directories are copied, so those inside others come along.
    std::sort(result.directories.begin(), result.directories.end());
    std::vector<fs::path> outer;
    for (auto& directory : result.directories) {
        if (outer.empty() || !is_below(directory, outer.back())) outer.push_back(std::move(directory));
    }
    result.directories = std::move(outer);
    for (auto link = result.links.begin(); link != result.links.end();) {
        bool inside =
            std::any_of(result.directories.begin(), result.directories.end(),
                        [&](const fs::path& directory) { return is_below(link->first, directory); });
        link = inside ? result.links.erase(link) : std::next(link);
    }
    return result;
}

} // namespace scad::agent
