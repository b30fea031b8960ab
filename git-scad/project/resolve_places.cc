#include "project/resolve_places.h"

#include "base/host_git.h"
#include "base/text.h"
#include "project/load.h"
#include "project/reader.h"
#include "project/rules.h"
#include "project/show.h"
#include "project/writable.h"

#include <map>
#include <optional>

namespace scad::project {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view placeholder = "{session}";

class RepoResolver {
  public:
    RepoResolver(const base::Context& context, Project& project, Problems& problems)
        : context_(context), project_(project), problems_(problems) {}

    void resolve(const Entry& entry) {
        auto why = name_problem(entry.key);
        if (!why.empty())
            problems_.add(entry.place, fmt::format("'{}' cannot name a repo: {}", entry.key, why));
        SectionReader section(&entry.value, "repos." + toml_key(entry.key), project_.places, problems_);
        if (!section) return;
        Repo repo;
        repo.name = entry.key;
        repo.place = entry.place;
        repo.url = section.text("url");
        repo.base = section.text("base");
        auto base_why = revision_problem(repo.base);
        if (!base_why.empty()) section.refuse("base", repo.base, base_why);
        if (section.has("path") && section.has("url")) {
            problems_.add(section.place("url"),
                          fmt::format("'repos.{}' has both 'path' and 'url'", repo.name));
        } else if (section.has("url")) {
            auto url_why = repo.url.empty() ? std::string() : url_problem(repo.url);
            if (!url_why.empty()) section.refuse("url", repo.url, url_why);
        } else if (section.has("path")) {
            find_path(section, repo);
        } else {
            problems_.add(entry.place, fmt::format("'repos.{}' has neither 'path' nor 'url'", repo.name));
        }
        repo.include = section.strings("include", [&](const std::string& file) -> std::string {
            auto inner_why = inner_path_problem(file);
            if (!inner_why.empty()) return inner_why;
            if (!repo.url.empty()) return "a repo that is fetched has no files of this machine";
            if (repo.path.empty()) return {};
            std::error_code error;
            return fs::exists(repo.path / file, error) ? "" : "no such file in the repo";
        });
        project_.repos.push_back(std::move(repo));
    }

  private:
    void find_path(const SectionReader& section, Repo& repo) {
        auto text = section.text("path");
        if (text.empty()) return;
        auto path = base::expand_path(text, context_.paths.home, project_.docs_repo);
        std::error_code error;
        auto real = fs::canonical(path, error);
        if (error) {
            section.refuse("path", text, fmt::format("'{}': {}", path.native(), error.message()));
            return;
        }
        if (!fs::is_directory(real, error)) {
            section.refuse("path", text, fmt::format("'{}' is no directory", real.native()));
            return;
        }
        std::optional<base::HostRepo> found;
        try {
            found = base::find_host_repo(real, context_.variables);
        } catch (const Error& refused) {
            section.refuse("path", text, refused.message, refused.hint);
            return;
        }
        if (!found) {
            section.refuse("path", text, fmt::format("'{}' is no git repo", real.native()),
                           "git init " + base::shell_quote(real.native()));
            return;
        }
        auto top = fs::weakly_canonical(found->worktree.empty() ? found->git_dir : found->worktree, error);
        if (top != real) {
            section.refuse(
                "path", text,
                fmt::format("'{}' is not the top of a git repo, that is '{}'", real.native(), top.native()));
            return;
        }
        auto [same, is_new] = by_common_dir_.emplace(found->common_dir.native(), repo.name);
        if (!is_new)
            section.refuse("path", text, fmt::format("it is the same repo as 'repos.{}'", same->second));
        repo.path = real;
    }

    const base::Context& context_;
    Project& project_;
    Problems& problems_;
    std::map<std::string, std::string> by_common_dir_; // -> name of the repo that has it
};

class MountResolver {
  public:
    MountResolver(const base::Context& context, Project& project, Problems& problems)
        : context_(context), project_(project), problems_(problems) {}

    void resolve(const Entry& entry) {
        SectionReader section(&entry.value, "mounts." + toml_key(entry.key), project_.places, problems_);
        Mount mount;
        mount.target = entry.key;
        mount.place = entry.place;
        check_target(entry);
        if (!section) return;
        auto mode = section.text("mode", "ro");
        mount.mode = mode == "rw" ? MountMode::rw : mode == "cow" ? MountMode::cow : MountMode::ro;
        find_source(section, entry, mount);
        project_.mounts.push_back(std::move(mount));
    }

  private:
    void refuse_target(const Entry& entry, const std::string& why) {
        problems_.add(entry.place, fmt::format("nothing can be mounted at '{}': {}", entry.key, why));
    }

    void check_target(const Entry& entry) {
        auto why = mount_target_problem(entry.key);
        if (!why.empty()) {
            refuse_target(entry, why);
            return;
        }
        for (const auto& repo : project_.repos) {
            auto place = "/work/" + repo.name;
            if (is_at_or_below(entry.key, place)) {
                refuse_target(entry, fmt::format("'{}' is the repo '{}'; choose a place outside of it", place,
                                                 repo.name));
            }
        }
        for (const auto& other : targets_) {
            if (is_at_or_below(entry.key, other) || is_at_or_below(other, entry.key)) {
                refuse_target(entry,
                              fmt::format("there is a mount at '{}', and one cannot lie in another", other));
            }
        }
        targets_.push_back(entry.key);
    }

    void find_source(const SectionReader& section, const Entry& entry, Mount& mount) {
        auto text = section.text("source", entry.key);
        if (!section.has("source") && !entry.key.starts_with('/'))
            return; // the target is wrong, and that was said
        const auto& place = section.has("source") ? section.place("source") : entry.place;
        auto path = base::expand_path(text, context_.paths.home, project_.docs_repo);
        mount.source = path.native();
        // With "{session}" only what is before it can be looked at.
        auto fixed = path;
        auto at = path.native().find(placeholder);
        if (at != std::string::npos) fixed = fs::path(path.native().substr(0, at) + "x").parent_path();
        std::error_code error;
        auto real = fs::canonical(fixed, error);
        if (error) {
            section.refuse_at(place, "source", text,
                              fmt::format("'{}': {}", fixed.native(), error.message()));
            return;
        }
        if (!fs::is_directory(real, error) && !fs::is_regular_file(real, error)) {
            section.refuse_at(place, "source", text,
                              fmt::format("'{}' is neither a directory nor a regular file", real.native()));
            return;
        }
        if (at == std::string::npos) mount.source = real.native();
        if (mount.mode != MountMode::rw) return;
        if (!protect_) {
            protect_ = protected_places(context_.paths, context_.variables);
            // Those of the project at least, however deep below a mount they lie.
            protect_->places.push_back(project_.docs_repo);
            for (const auto& repo : project_.repos)
                if (!repo.path.empty()) protect_->places.push_back(repo.path);
        }
        // Below the place of "{session}" lies what scad makes, so the place itself is not written to.
        auto why = at == std::string::npos ? writable_problem(real, *protect_)
                                           : writable_problem(real / std::string(placeholder), *protect_);
        if (!why.empty()) section.refuse_at(place, "source", text, "no session may write there: " + why);
    }

    const base::Context& context_;
    Project& project_;
    Problems& problems_;
    std::vector<std::string> targets_; // those that may be, so far
    std::optional<Protected> protect_; // found when first needed
};

} // namespace

void resolve_repos(const Node& document, const base::Context& context, Project& project, Problems& problems) {
    const auto* repos = document.find("repos");
    if (repos != nullptr && repos->kind != Node::Kind::table) return;
    if (repos == nullptr || repos->entries.empty()) {
        problems.add(repos == nullptr ? document.place : repos->place, "the project has no repo",
                     "add a section [repos.<name>] with path = \"…\"");
        return;
    }
    RepoResolver resolver(context, project, problems);
    for (const auto& entry : repos->entries) resolver.resolve(entry);
}

void resolve_mounts(const Node& document, const base::Context& context, Project& project,
                    Problems& problems) {
    const auto* mounts = document.find("mounts");
    if (mounts == nullptr || mounts->kind != Node::Kind::table) return;
    MountResolver resolver(context, project, problems);
    for (const auto& entry : mounts->entries) resolver.resolve(entry);
}

} // namespace scad::project
