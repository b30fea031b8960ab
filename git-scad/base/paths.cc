#include "base/paths.h"

#include "base/error.h"

#include <pwd.h>
#include <unistd.h>

namespace scad::base {

namespace {

std::filesystem::path home_of(const Variables& variables) {
    if (const auto home = variables.get("HOME"); home && home->starts_with('/')) {
        return std::filesystem::path(*home).lexically_normal();
    }
    std::vector<char> buffer(16384);
    passwd entry{};
    passwd* found = nullptr;
    if (::getpwuid_r(::geteuid(), &entry, buffer.data(), buffer.size(), &found) != 0 || found == nullptr ||
        entry.pw_dir == nullptr || entry.pw_dir[0] != '/') {
        throw fatal("cannot tell the home directory: HOME is not set").with_hint("export HOME=/home/<you>");
    }
    return entry.pw_dir;
}

// $`variable`/scad, or `otherwise` below the home directory. The XDG Base Directory Specification: relative
// and empty values count as unset.
std::filesystem::path xdg(const Variables& variables, std::string_view variable,
                          const std::filesystem::path& home, std::string_view otherwise) {
    const auto value = variables.get(variable);
    const std::filesystem::path base =
        value && value->starts_with('/') ? std::filesystem::path(*value) : home / otherwise;
    return (base / "scad").lexically_normal();
}

std::filesystem::path without_final_slash(const std::filesystem::path& path) {
    return path.has_filename() || !path.has_relative_path() ? path : path.parent_path();
}

} // namespace

Paths find_paths(const Variables& variables, const Settings& settings) {
    Paths paths;
    paths.home = without_final_slash(home_of(variables));
    const auto chosen = [&](std::string_view setting, const std::filesystem::path& otherwise) {
        const auto value = settings.get(setting);
        return value && !value->empty() ? expand_path(*value, paths.home, paths.home) : otherwise;
    };
    paths.state = chosen("scad.statedir", xdg(variables, "XDG_STATE_HOME", paths.home, ".local/state"));
    paths.cache = chosen("scad.cachedir", xdg(variables, "XDG_CACHE_HOME", paths.home, ".cache"));
    paths.config = xdg(variables, "XDG_CONFIG_HOME", paths.home, ".config");
    return paths;
}

std::filesystem::path expand_path(const std::string& text, const std::filesystem::path& home,
                                  const std::filesystem::path& base) {
    std::filesystem::path path;
    if (text == "~") {
        path = home;
    } else if (text.starts_with("~/")) {
        path = home / text.substr(text.find_first_not_of('/', 1) == std::string::npos
                                      ? text.size()
                                      : text.find_first_not_of('/', 1));
    } else {
        path = base / text; // an absolute one replaces the base
    }
    return without_final_slash(path.lexically_normal());
}

} // namespace scad::base
