#include "environment/drift.h"

#include "base/text.h"

#include <algorithm>
#include <fmt/format.h>
#include <map>

namespace scad::environment {

namespace {

constexpr std::size_t most_packages = 5000;
constexpr std::size_t longest_name = 200;
constexpr std::string_view mark = "\tpackage\t";

// "zope.interface-5.0" -> name and version. The version is what is after the last '-' (Binary distribution
// format: a '-' in a name is written '_').
std::pair<std::string, std::string> split_package(const std::string& package) {
    const auto dash = package.rfind('-');
    if (dash == std::string::npos) return {package, {}};
    return {package.substr(0, dash), package.substr(dash + 1)};
}

std::string words(const std::string& name, const std::string& version) {
    return version.empty() ? name : name + " " + version;
}

} // namespace

std::string_view package_listing() {
    return R"sh(
for d in /opt/scad/venv/lib/python3*/site-packages/*.dist-info /opt/scad/venv/lib/python3*/site-packages/*.egg-info; do
    [ ! -d "$d" ] || printf '\tpackage\t%s\n' "${d##*/}"
done
)sh";
}

std::vector<std::string> parse_packages(std::string_view output) {
    std::vector<std::string> packages;
    for (const std::string& line : base::lines(output)) {
        if (!line.starts_with(mark) || packages.size() == most_packages) continue;
        std::string_view name = std::string_view(line).substr(mark.size());
        for (const std::string_view end : {".dist-info", ".egg-info"})
            if (name.ends_with(end)) name.remove_suffix(end.size());
        if (!name.empty() && name.size() <= longest_name) packages.emplace_back(name);
    }
    std::sort(packages.begin(), packages.end());
    packages.erase(std::unique(packages.begin(), packages.end()), packages.end());
    return packages;
}

Drift compare_packages(const std::vector<std::string>& baked, const std::vector<std::string>& now) {
    std::map<std::string, std::string> before;
    std::map<std::string, std::string> after;
    for (const std::string& package : baked) before.insert(split_package(package));
    for (const std::string& package : now) after.insert(split_package(package));
    Drift drift;
    for (const auto& [name, version] : after) {
        const auto known = before.find(name);
        if (known == before.end())
            drift.added.push_back(words(name, version));
        else if (known->second != version)
            drift.changed.push_back(words(name, known->second) + " -> " + version);
    }
    for (const auto& [name, version] : before)
        if (!after.contains(name)) drift.removed.push_back(words(name, version));
    return drift;
}

std::string drift_words(const Drift& drift, std::size_t most) {
    std::vector<std::string> all;
    for (const std::string& package : drift.added) all.push_back("+" + package);
    for (const std::string& package : drift.removed) all.push_back("-" + package);
    all.insert(all.end(), drift.changed.begin(), drift.changed.end());
    const std::size_t more = all.size() > most ? all.size() - most : 0;
    all.resize(all.size() - more);
    std::string text = base::join(all, ", ");
    if (more > 0) text += fmt::format(" and {} more", more);
    return text;
}

} // namespace scad::environment
