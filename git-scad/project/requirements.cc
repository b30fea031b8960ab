#include "project/requirements.h"

#include "base/text.h"

#include <algorithm>
#include <array>

namespace scad::project {

namespace {

struct Option {
    std::string_view brief, full;
    std::vector<std::string> RequirementFile::*target;
};

constexpr std::array options = {
    Option{"-r", "--requirement", &RequirementFile::files},
    Option{"-c", "--constraint", &RequirementFile::files},
    Option{"-f", "--find-links", &RequirementFile::find_links},
    Option{"-i", "--index-url", &RequirementFile::indexes},
    Option{"", "--extra-index-url", &RequirementFile::extra_indexes},
    Option{"-e", "--editable", &RequirementFile::editables},
};

bool is_blank(char c) { return c == ' ' || c == '\t'; }

std::string unquoted(std::string_view value) {
    value = base::trim(value);
    if (value.size() >= 2 && (value.front() == '"' || value.front() == '\'') && value.back() == value.front())
        value = value.substr(1, value.size() - 2);
    return std::string(value);
}

bool is_address(std::string_view text) { return text.find("://") != std::string_view::npos; }

// "-r base.txt", "-rbase.txt", "--requirement=base.txt", "--requirement base.txt". Several options may stand
// in one line.
void take_options(std::string_view line, RequirementFile& file) {
    std::vector<std::string> words;
    for (std::string& word : base::split(line, ' '))
        if (!base::trim(word).empty()) words.emplace_back(base::trim(word));
    for (std::size_t i = 0; i < words.size(); ++i) {
        const std::string& word = words[i];
        file.no_index = file.no_index || word == "--no-index";
        for (const Option& option : options) {
            std::string value;
            if (word == option.full || (!option.brief.empty() && word == option.brief)) {
                if (i + 1 < words.size()) value = words[i + 1];
            } else if (word.starts_with(option.full) && word.size() > option.full.size() &&
                       word[option.full.size()] == '=') {
                value = word.substr(option.full.size() + 1);
            } else if (!option.brief.empty() && word.starts_with(option.brief) && !word.starts_with("--")) {
                value = word.substr(option.brief.size());
            }
            value = unquoted(value);
            if (!value.empty()) (file.*option.target).push_back(std::move(value));
        }
    }
}

void take_requirement(std::string_view line, RequirementFile& file) {
    // Options of one requirement ("--hash=…") and markers ("; python_version < '3'") come after it.
    line = base::trim(line.substr(0, std::min(line.find(" --"), line.find(" ;"))));
    if (const auto at = line.find('@'); at != std::string_view::npos && line.find("://") > at)
        line = base::trim(line.substr(at + 1));
    if (line.starts_with("file:")) {
        std::string_view path = line.substr(5);
        if (path.starts_with("//")) path.remove_prefix(2);
        file.paths.emplace_back(path);
    } else if (is_address(line)) {
        file.addresses.emplace_back(line);
    } else if (line.starts_with('.') || line.find('/') != std::string_view::npos || line.ends_with(".whl")) {
        file.paths.emplace_back(line.substr(0, line.find('['))); // without extras
    }
}

} // namespace

// A backslash at the end joins the next line, a '#' at the start or after a blank starts a comment.
std::vector<std::string> requirement_lines(std::string_view text) {
    std::vector<std::string> result;
    std::string pending;
    for (std::string line : base::lines(text)) {
        if (!line.empty() && line.back() == '\r') line.pop_back();
        const bool comment = base::trim(line).starts_with('#');
        if (!comment && line.ends_with('\\')) {
            line.pop_back();
            pending += line;
            continue;
        }
        result.push_back(pending + line);
        pending.clear();
    }
    if (!pending.empty()) result.push_back(std::move(pending));
    for (std::string& line : result) {
        for (std::size_t i = 0; i < line.size(); ++i) {
            if (line[i] == '#' && (i == 0 || is_blank(line[i - 1]))) {
                line.resize(i);
                break;
            }
        }
        line = std::string(base::trim(line));
    }
    return result;
}

RequirementFile parse_requirements(std::string_view text) {
    RequirementFile file;
    for (const std::string& line : requirement_lines(text)) {
        if (line.empty()) continue;
        file.hashes = file.hashes || line.find(" --hash") != std::string::npos;
        if (line.starts_with('-'))
            take_options(line, file);
        else
            take_requirement(line, file);
    }
    for (std::string& path : file.editables) {
        if (const auto end = path.find('['); end != std::string::npos && !is_address(path)) path.resize(end);
    }
    return file;
}

std::vector<std::string> index_options(const RequirementFile& file,
                                       const std::function<std::string(const std::string&)>& place) {
    std::vector<std::string> words;
    if (file.no_index) words.emplace_back("--no-index");
    for (const std::string& index : file.indexes) words.insert(words.end(), {"--index-url", index});
    for (const std::string& index : file.extra_indexes)
        words.insert(words.end(), {"--extra-index-url", index});
    for (const std::string& link : file.find_links)
        words.insert(words.end(), {"--find-links", is_address(link) ? link : place(link)});
    return words;
}

std::string host_of_address(std::string_view address) {
    if (const auto plus = address.find('+'); plus != std::string_view::npos && plus < address.find("://"))
        address.remove_prefix(plus + 1);
    const bool plain = address.starts_with("http://");
    if (!plain && !address.starts_with("https://")) return {};
    std::string_view host = address.substr(address.find("://") + 3);
    host = host.substr(0, host.find_first_of("/?#"));
    if (const auto at = host.rfind('@'); at != std::string_view::npos) host.remove_prefix(at + 1);
    if (host.empty()) return {};
    const bool has_port = host.rfind(':') != std::string_view::npos && !host.ends_with(']');
    return std::string(host) + (plain && !has_port ? ":80" : "");
}

} // namespace scad::project
