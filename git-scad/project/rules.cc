#include "project/rules.h"

#include "base/text.h"
#include "project/load.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>

namespace scad::project {

namespace {

bool has_control(std::string_view text) {
    return std::any_of(text.begin(), text.end(),
                       [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

bool is_port(std::string_view text) {
    unsigned port = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
    return error == std::errc{} && end == text.data() + text.size() && port >= 1 && port <= 65535;
}

bool is_host_name(std::string_view name) {
    if (name.ends_with('.')) name.remove_suffix(1);
    if (name.empty() || name.size() > 253) return false;
    for (const auto& label : base::split(name, '.')) {
        if (label.empty() || label.size() > 63 || label.front() == '-' || label.back() == '-') return false;
        auto fits = [](char c) { return is_letter(c) || is_digit(c) || c == '-' || c == '_'; };
        if (!std::all_of(label.begin(), label.end(), fits)) return false;
    }
    return true;
}

} // namespace

bool is_at_or_below(std::string_view path, std::string_view directory) {
    if (directory == "/") return path.starts_with('/');
    return path == directory || (path.starts_with(directory) && path[directory.size()] == '/');
}

std::string absolute_path_problem(const std::string& path) {
    if (!path.starts_with('/')) return "it is not an absolute path";
    if (has_control(path)) return "control characters must not be in it";
    if (path == "/") return {};
    if (std::filesystem::path(path).lexically_normal().native() != path || path.ends_with('/')) {
        return "'//', '.', '..' and a '/' at the end must not be in it";
    }
    return {};
}

std::string inner_path_problem(const std::string& path) {
    if (path.starts_with('/') || path.starts_with('~')) return "it must start at the repo's top";
    if (has_control(path)) return "control characters must not be in it";
    auto normal = std::filesystem::path(path).lexically_normal().native();
    if (normal.ends_with('/')) normal.pop_back();
    if (normal == ".." || normal.starts_with("../")) return "it leaves the repo";
    if (normal != path || path == ".git" || path.starts_with(".git/")) {
        return "'//', '.', '..', '.git' and a '/' at the end must not be in it";
    }
    return {};
}

std::string mount_target_problem(const std::string& target) {
    auto problem = absolute_path_problem(target);
    if (!problem.empty()) return problem;
    if (target == "/") return "it is the whole file system of the session";
    // What the engine makes or mounts; a mount at, above or below one of them would hide or change it.
    constexpr std::array system = {"/usr",      "/etc",   "/proc",   "/dev",     "/sys",
                                   "/run/scad", "/opt",   "/bin",    "/sbin",    "/lib",
                                   "/lib32",    "/lib64", "/libx32", "/var/tmp", "/var/cache/scad"};
    for (std::string_view place : system) {
        if (is_at_or_below(target, place) || is_at_or_below(place, target)) {
            return fmt::format("'{}' is the system's own; choose a place outside of it", place);
        }
    }
    if (is_at_or_below(target, "/home/agent") || is_at_or_below("/home/agent", target)) {
        return "'/home/agent' is the agent's home; choose a place outside of it";
    }
    if (is_at_or_below(target, "/tmp"))
        return "'/tmp' is the session's scratch; choose a place outside of it";
    if (target == "/work" || target == "/work/README.md")
        return "scad makes it itself; choose a place outside of it";
    return {};
}

std::string python_version_problem(const std::string& version) {
    if (version.empty()) return {};
    const auto parts = base::split(version, '.');
    const bool fits =
        parts.size() <= 3 && std::all_of(parts.begin(), parts.end(), [](const std::string& part) {
            return !part.empty() && part.size() <= 4 && std::all_of(part.begin(), part.end(), is_digit);
        });
    return fits ? "" : "write a version as \"3.11\" or \"3.11.4\"";
}

std::string variable_problem(const std::string& name) {
    auto fits = [](char c) { return is_letter(c) || is_digit(c) || c == '_'; };
    if (name.empty() || is_digit(name.front()) || !std::all_of(name.begin(), name.end(), fits)) {
        return "a variable's name has letters, digits and '_' and does not start with a digit";
    }
    constexpr std::array own = {"PATH", "HOME", "USER", "LOGNAME", "SHELL", "PWD", "IFS"};
    if (std::find(own.begin(), own.end(), name) != own.end()) return "scad sets it itself";
    if (name.starts_with("SCAD_")) return "names with 'SCAD_' are scad's own";
    if (name.starts_with("GIT_")) return "git in the session must find its repos by itself";
    if (name == "LD_PRELOAD" || name == "LD_AUDIT" || name == "BASH_ENV" || name == "ENV") {
        return "it would run inside every program, those of scad too";
    }
    std::string lower = name;
    for (char& c : lower) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
    constexpr std::array proxies = {"http_proxy", "https_proxy", "all_proxy", "no_proxy"};
    if (std::find(proxies.begin(), proxies.end(), lower) != proxies.end()) {
        return "scad sets it for the session's own proxy";
    }
    return {};
}

std::string allow_problem(const std::string& entry) {
    if (entry == "*" || entry == "@python" || entry == "@npm") return {};
    if (entry.starts_with('@')) return "the known groups are '@python' and '@npm'";
    if (entry.find("://") != std::string::npos || entry.find('/') != std::string::npos) {
        return "name a host, not an address with '://' or '/'";
    }
    std::string_view host = entry;
    if (host.starts_with('[')) { // an IPv6 address
        auto end = host.find(']');
        if (end == std::string_view::npos) return "the ']' is missing";
        auto rest = host.substr(end + 1);
        auto address = host.substr(1, end - 1);
        auto fits = [](char c) {
            return is_digit(c) || (is_letter(c) && (c | 0x20) <= 'f') || c == ':' || c == '.';
        };
        if (address.find(':') == std::string_view::npos ||
            !std::all_of(address.begin(), address.end(), fits)) {
            return "it is no IPv6 address";
        }
        if (!rest.empty() && (!rest.starts_with(':') || !is_port(rest.substr(1))))
            return "it has no valid port";
        return {};
    }
    auto colon = host.find(':');
    if (colon != std::string_view::npos) {
        if (host.find(':', colon + 1) != std::string_view::npos) return "write an IPv6 address as '[…]:port'";
        if (!is_port(host.substr(colon + 1))) return "it has no valid port";
        host = host.substr(0, colon);
    }
    if (host == "*") return {};
    if (host.starts_with("*.")) host.remove_prefix(2);
    if (host.find('*') != std::string_view::npos) return "a '*' may only stand alone or as '*.' at the start";
    if (!is_host_name(host)) return "it is no name of a host";
    return {};
}

std::string branch_problem(const std::string& branch) {
    constexpr std::string_view placeholder = "{session}";
    std::string name = branch;
    for (auto at = name.find(placeholder); at != std::string::npos; at = name.find(placeholder)) {
        name.replace(at, placeholder.size(), "s");
    }
    if (name.find_first_of("{}") != std::string::npos) return "'{session}' is the only placeholder";
    if (name.size() > 150) return "it is too long";
    if (name == "HEAD") return "it is the name of git's own HEAD";
    auto first = [](char c) {
        return is_letter(c) || is_digit(c) || c == '_' || static_cast<unsigned char>(c) >= 0x80;
    };
    auto fits = [&](char c) { return first(c) || c == '.' || c == '/' || c == '+' || c == '-'; };
    if (name.empty() || !first(name.front())) return "it must start with a letter, a digit or '_'";
    if (!std::all_of(name.begin(), name.end(), fits)) {
        return "only letters, digits, '.', '_', '/', '+' and '-' may be in it";
    }
    for (const auto& part : base::split(name, '/')) {
        if (part.empty()) return "'//' and a '/' at the end must not be in it";
        if (part.starts_with('.') || part.ends_with('.') || part.ends_with(".lock")) {
            return "no part of it may start or end with '.' or end in '.lock'";
        }
    }
    if (name.find("..") != std::string::npos) return "'..' must not be in it";
    return {};
}

std::string revision_problem(const std::string& revision) {
    if (revision.starts_with('-')) return "it must not start with '-'";
    if (has_control(revision) || revision.find(' ') != std::string::npos) {
        return "blanks and control characters must not be in it";
    }
    if (revision.find("..") != std::string::npos) return "one commit is meant, not a range";
    return {};
}

std::string url_problem(const std::string& url) {
    if (has_control(url) || url.find(' ') != std::string::npos) {
        return "blanks and control characters must not be in it";
    }
    if (url.starts_with('-')) return "it must not start with '-'";
    auto colon = url.find(':');
    auto slash = url.find('/');
    if (url.find("::") != std::string::npos) return "only https, ssh, git and file are allowed";
    auto scheme_end = url.find("://");
    if (scheme_end == std::string::npos) {
        // user@host:path is ssh in git's short form
        if (colon == std::string::npos || colon == 0 || (slash != std::string::npos && slash < colon)) {
            return "it is no address; a directory of this machine is named by 'path'";
        }
        return {};
    }
    auto scheme = url.substr(0, scheme_end);
    if (scheme != "https" && scheme != "ssh" && scheme != "git" && scheme != "file") {
        return "only https, ssh, git and file are allowed";
    }
    auto authority = url.substr(scheme_end + 3);
    authority = authority.substr(0, authority.find('/'));
    auto at = authority.rfind('@');
    if (at != std::string::npos && authority.substr(0, at).find(':') != std::string::npos) {
        return "a password must not be in it; git's credential helpers keep it";
    }
    if (authority.starts_with('-')) return "its host must not start with '-'";
    return {};
}

} // namespace scad::project
