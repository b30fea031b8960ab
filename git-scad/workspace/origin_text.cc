#include "workspace/origin_text.h"

#include "base/text.h"

#include <algorithm>
#include <optional>

namespace scad::workspace {

namespace {

bool is_scheme(std::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '+' ||
               c == '-' || c == '.';
    });
}

std::optional<char> simple_escape(char c) {
    switch (c) {
        case 'a':
            return '\a';
        case 'b':
            return '\b';
        case 'f':
            return '\f';
        case 'n':
            return '\n';
        case 'r':
            return '\r';
        case 't':
            return '\t';
        case 'v':
            return '\v';
        case '"':
            return '"';
        case '\\':
            return '\\';
        default:
            return std::nullopt;
    }
}

bool is_octal(char c) { return c >= '0' && c <= '7'; }

} // namespace

std::string without_credentials(std::string_view url) {
    // "helper::url" hands the url to a remote helper.
    const std::size_t helper = url.find("::");
    const std::size_t start =
        helper != std::string_view::npos && is_scheme(url.substr(0, helper)) ? helper + 2 : 0;
    const std::size_t mark = url.find("://", start);
    if (mark == std::string_view::npos || !is_scheme(url.substr(start, mark - start)))
        return std::string(url);
    std::string scheme(url.substr(start, mark - start));
    for (char& c : scheme) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    if (scheme == "file") return std::string(url);
    const bool ssh = scheme.find("ssh") != std::string::npos;

    const std::size_t host = mark + 3;
    const std::size_t query = ssh ? std::string_view::npos : url.find_first_of("?#", host);
    const std::string_view body = url.substr(0, query);
    const std::size_t path = std::min(body.find('/', host), body.size());
    const std::string_view authority = body.substr(host, path - host);
    const std::size_t at = authority.rfind('@');
    std::string user;
    if (ssh && at != std::string_view::npos) {
        user = std::string(authority.substr(0, std::min(authority.find(':'), at))) + '@';
    }
    const std::string_view machine = at == std::string_view::npos ? authority : authority.substr(at + 1);
    return std::string(url.substr(0, host)) + user + std::string(machine) + std::string(body.substr(path));
}

bool c_unquote(std::string_view quoted, std::string& bytes) {
    if (quoted.size() < 2 || quoted.front() != '"' || quoted.back() != '"') return false;
    quoted = quoted.substr(1, quoted.size() - 2);
    std::string result;
    for (std::size_t i = 0; i < quoted.size(); ++i) {
        if (quoted[i] == '"') return false;
        if (quoted[i] != '\\') {
            result += quoted[i];
            continue;
        }
        if (++i == quoted.size()) return false;
        if (const auto escape = simple_escape(quoted[i])) {
            result += *escape;
            continue;
        }
        if (i + 2 >= quoted.size() || quoted[i] > '3' || !is_octal(quoted[i]) || !is_octal(quoted[i + 1]) ||
            !is_octal(quoted[i + 2])) {
            return false;
        }
        result +=
            static_cast<char>((quoted[i] - '0') * 64 + (quoted[i + 1] - '0') * 8 + (quoted[i + 2] - '0'));
        i += 2;
    }
    bytes = std::move(result);
    return true;
}

std::vector<std::string> parse_alternates(std::string_view text) {
    std::vector<std::string> paths;
    for (const std::string& line : base::lines(text)) {
        if (line.empty() || line.front() == '#') continue;
        std::string path = line;
        if (line.front() == '"' && !c_unquote(line, path)) continue;
        if (!path.empty()) paths.push_back(path);
    }
    return paths;
}

std::string alternates_line(std::string_view path) {
    const bool special = path.find_first_of("\n\r\"") != std::string_view::npos || path.starts_with('#');
    if (!special) return std::string(path);
    std::string result = "\"";
    for (const char c : path) {
        switch (c) {
            case '"':
                result += "\\\"";
                break;
            case '\\':
                result += "\\\\";
                break;
            case '\n':
                result += "\\n";
                break;
            case '\r':
                result += "\\r";
                break;
            default:
                result += c;
        }
    }
    return result + '"';
}

std::string config_value(std::string_view value) {
    std::string result = "\"";
    for (const char c : value) {
        switch (c) {
            case '"':
                result += "\\\"";
                break;
            case '\\':
                result += "\\\\";
                break;
            case '\n':
                result += "\\n";
                break;
            case '\t':
                result += "\\t";
                break;
            case '\b':
                result += "\\b";
                break;
            case '\r':
                break; // git would read it as part of a line end
            default:
                result += c;
        }
    }
    return result + '"';
}

std::string branch_of_head(std::string_view head) {
    constexpr std::string_view reference = "ref:";
    constexpr std::string_view branches = "refs/heads/";
    if (!head.starts_with(reference)) return {};
    const std::string_view target = base::trim(head.substr(reference.size()));
    if (!target.starts_with(branches)) return {};
    return std::string(target.substr(branches.size()));
}

bool is_branch_name(std::string_view name) {
    if (name.empty() || name.size() > 200 || name == "HEAD" || name == "@" || name.starts_with('-'))
        return false;
    if (name.find("..") != std::string_view::npos || name.find("@{") != std::string_view::npos) return false;
    if (name.find_first_of("\\ ~^:?*[") != std::string_view::npos || name.ends_with('.')) return false;
    if (std::any_of(name.begin(), name.end(),
                    [](char c) { return static_cast<unsigned char>(c) < 32 || c == 127; })) {
        return false;
    }
    const std::string slashed = '/' + std::string(name) + '/';
    return slashed.find("//") == std::string::npos && slashed.find("/.") == std::string::npos &&
           slashed.find(".lock/") == std::string::npos;
}

bool mentions_lfs(std::string_view attributes) {
    const std::vector<std::string> lines = base::lines(attributes);
    return std::any_of(lines.begin(), lines.end(), [](const std::string& line) {
        return !base::trim(line).starts_with('#') && line.find("filter=lfs") != std::string::npos;
    });
}

} // namespace scad::workspace
