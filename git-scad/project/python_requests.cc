#include "project/python_requests.h"

#include "base/host_git.h"
#include "base/text.h"
#include "project/document.h"
#include "project/requirements.h"

#include <algorithm>
#include <filesystem>
#include <fmt/format.h>
#include <optional>
#include <set>

namespace scad::project {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t most_files = 200; // that lead to each other

std::string digest(std::string_view content) { return "sha256 " + base::sha256_hex(content).substr(0, 40); }

// One blank between words, and hashes as one short one: they say which files are meant, to no person.
std::string canonical(std::string_view requirement) {
    const auto hashes = requirement.find(" --hash");
    std::vector<std::string> words;
    for (const auto& word : base::split(requirement.substr(0, hashes), ' '))
        if (!base::trim(word).empty()) words.emplace_back(base::trim(word));
    auto line = base::join(words, " ");
    if (hashes != std::string_view::npos)
        line += fmt::format(" (hashes {})", digest(requirement.substr(hashes)));
    return line;
}

class PythonRequests {
  public:
    PythonRequests(const Project& project, const base::Variables& variables)
        : project_(project), variables_(variables) {}

    std::vector<std::string> collect() {
        const auto& python = *project_.environment.python;
        for (const auto& file : python.requirements) requirement_file(file);
        if (!python.project.empty()) python_project(python.project);
        for (const auto& place : python.editable) python_project(place);
        return std::move(lines_);
    }

  private:
    // Of "<repo>/<path>"; none: the commit has no such file.
    std::optional<std::string> content(const std::string& place) const {
        const auto slash = place.find('/');
        for (const auto& repo : project_.repos) {
            if (repo.name != place.substr(0, slash) || repo.path.empty()) continue;
            const auto object = fmt::format("{}:{}", repo.base.empty() ? "HEAD" : repo.base,
                                            place.substr(std::min(slash, place.size() - 1) + 1));
            auto found = base::HostGit(repo.path, variables_).try_run({"cat-file", "blob", object});
            if (found.ok()) return std::move(found.out);
        }
        return std::nullopt;
    }

    // What a repo has that is fetched from an address is not known before it may be fetched.
    bool is_far(const std::string& place) {
        const auto name = place.substr(0, place.find('/'));
        const bool far = std::any_of(project_.repos.begin(), project_.repos.end(), [&](const Repo& repo) {
            return repo.name == name && repo.path.empty();
        });
        if (far) lines_.push_back(fmt::format("whatever {} requires of Python", base::c_quote(place)));
        return far;
    }

    void requirement(std::string_view line, const std::string& place) {
        lines_.push_back(fmt::format("python requirement {} of repo {}", base::c_quote(canonical(line)),
                                     base::c_quote(place.substr(0, place.find('/')))));
    }

    void requirement_file(const std::string& first) {
        if (is_far(first)) return;
        std::vector<std::string> pending = {first};
        while (!pending.empty()) {
            const auto place = std::move(pending.back());
            pending.pop_back();
            if (seen_.size() > most_files || !seen_.insert(place).second) continue;
            const auto text = content(place);
            if (!text) continue; // baking says so
            for (const auto& line : requirement_lines(*text))
                if (!line.empty()) requirement(line, place);
            for (const auto& next : parse_requirements(*text).files) {
                if (next.find("://") == std::string::npos)
                    pending.push_back((fs::path(place).parent_path() / next).lexically_normal().native());
            }
        }
    }

    // By PEP 518, 621, 735, and the settings of uv.
    void python_project(const std::string& directory) {
        if (is_far(directory)) return;
        const auto place = directory + "/pyproject.toml";
        if (!seen_.insert(place).second) return;
        if (const auto lock = content(directory + "/uv.lock"))
            lines_.push_back(
                fmt::format("python lock {}/uv.lock ({})", base::c_quote(directory), digest(*lock)));
        const auto text = content(place);
        if (!text) return;
        Problems problems;
        const auto document = parse_document(place, *text, problems);
        if (!problems.empty()) {
            lines_.push_back(fmt::format("python project {} ({})", base::c_quote(place), digest(*text)));
            return;
        }
        requirements(find(document, {"build-system", "requires"}), place);
        requirements(find(document, {"project", "dependencies"}), place);
        for (const auto& groups :
             {find(document, {"project", "optional-dependencies"}), find(document, {"dependency-groups"})}) {
            if (groups == nullptr) continue;
            for (const auto& group : groups->entries) requirements(&group.value, place);
        }
        // Where packages come from is in there too, and what a project computes by itself cannot be told.
        const auto* dynamic = find(document, {"project", "dynamic"});
        const auto computes = dynamic != nullptr &&
                              std::any_of(dynamic->items.begin(), dynamic->items.end(), [](const Node& item) {
                                  return item.text.ends_with("dependencies");
                              });
        if (computes || find(document, {"tool", "uv"}) != nullptr)
            lines_.push_back(fmt::format("python project {} ({})", base::c_quote(place), digest(*text)));
    }

    static const Node* find(const Node& document, const std::vector<std::string_view>& keys) {
        const auto* at = &document;
        for (const auto key : keys) {
            if (at == nullptr || at->kind != Node::Kind::table) return nullptr;
            at = at->find(key);
        }
        return at;
    }

    void requirements(const Node* list, const std::string& place) {
        if (list == nullptr) return;
        for (const auto& item : list->items) {
            if (item.kind == Node::Kind::string) requirement(item.text, place);
        }
    }

    const Project& project_;
    const base::Variables& variables_;
    std::set<std::string> seen_;
    std::vector<std::string> lines_;
};

} // namespace

std::vector<std::string> python_requests(const Project& project, const base::Variables& variables) {
    if (!project.environment.python) return {};
    return PythonRequests(project, variables).collect();
}

} // namespace scad::project
