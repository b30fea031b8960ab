#include "base/error.h"
#include "base/file.h"
#include "base/host_git.h"
#include "base/text.h"
#include "commands/all.h"
#include "commands/options.h"
#include "project/load.h"
#include "project/rules.h"
#include "project/template.h"

#include <algorithm>
#include <fmt/format.h>
#include <memory>
#include <set>

namespace scad::commands {

namespace fs = std::filesystem;

namespace {

struct Options {
    std::optional<std::string> project;
    std::vector<std::string> repos;
    std::vector<std::string> mounts;
};

fs::path real_path(const fs::path& path) {
    std::error_code error;
    auto real = fs::weakly_canonical(path, error);
    return error ? path.lexically_normal() : real;
}

// A name made of a directory's: what may not be in a name becomes '-', and a number tells it from those
// taken.
std::string name_from(const fs::path& directory, const std::string& otherwise,
                      const std::set<std::string>& taken) {
    const auto last = directory.extension() == ".git" ? directory.stem() : directory.filename();
    std::string name;
    for (char c : last.native()) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
        const bool fits = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
        if (fits && (c != '_' || !name.empty())) {
            name += c;
        } else if (!name.empty() && !name.ends_with('-')) {
            name += '-';
        }
    }
    name.resize(std::min<std::size_t>(name.size(), 32));
    while (name.ends_with('-')) name.pop_back();
    if (!project::name_problem(name).empty()) name = otherwise;
    if (!taken.contains(name)) return name;
    for (int n = 2;; ++n) {
        auto numbered = fmt::format("{}-{}", name, n);
        if (!taken.contains(numbered)) return numbered;
    }
}

// A path as a person would write it into a file of the docs repo at `top`.
std::string written_path(const fs::path& path, const fs::path& top, const fs::path& home) {
    if (path == top) return ".";
    auto relative = path.lexically_relative(top).native();
    if (!relative.starts_with("../../..")) return relative;
    auto from_home = path.lexically_relative(home).native();
    if (!from_home.empty() && !from_home.starts_with("..")) return "~/" + from_home;
    return path.native();
}

class Init {
  public:
    Init(const base::Context& context, const Options& options) : context_(context), options_(options) {}

    int run() {
        auto here = base::find_host_repo(context_.directory, context_.variables);
        if (!here || here->worktree.empty()) {
            throw fatal("'{}' is in no git repo with a working tree", context_.directory.native())
                .with_hint("git init, or `git scad -C <docs repo> init …`");
        }
        top_ = real_path(here->worktree);
        choose_name();
        auto file = top_ / ".scad" / (input_.name + ".toml");
        std::error_code error;
        if (fs::exists(fs::symlink_status(file, error))) {
            throw fatal("there is a project file '{}' already", file.native())
                .with_hint("git scad config show {}", input_.name);
        }
        add_repos(*here);
        add_mounts();
        base::make_directories(file.parent_path(), 0755);
        base::replace_file(file, project::project_template(input_), 0644);
        auto& terminal = context_.terminal;
        terminal.line(fmt::format("wrote {}", base::visible(file.native())));
        ignore_local_files();
        register_docs_repo();
        with_context([&] { project::load(top_, input_.name, context_); },
                     "the new project file needs a change");
        terminal.hint(
            fmt::format("look at it, then\n  git scad config trust {0}\n  git scad build {0}\n"
                        "  git scad session start {0}",
                        input_.name));
        return 0;
    }

  private:
    void choose_name() {
        input_.name = options_.project ? *options_.project : name_from(top_, "project", {});
        auto why = project::name_problem(input_.name);
        if (why.empty() && input_.name.ends_with(".local"))
            why = "'.local' is the end of a file laid over another";
        if (!why.empty()) {
            throw fatal("'{}' cannot name a project: {}", input_.name, why)
                .with_hint("git scad init <project> [<repo>…]");
        }
    }

    void add_repo(const base::HostRepo& repo, const std::string& otherwise) {
        if (!seen_.insert(real_path(repo.common_dir)).second) return;
        auto path = real_path(repo.worktree.empty() ? repo.git_dir : repo.worktree);
        auto name = name_from(path, otherwise, names_);
        names_.insert(name);
        auto written = written_path(path, top_, real_path(context_.paths.home));
        if (project::url_problem(written).empty())
            written = "./" + written; // it could be taken for an address
        input_.repos.emplace_back(name, std::move(written));
    }

    void add_url(const std::string& url) {
        // The last part of its path: what `git clone` would call it.
        std::string last = url.substr(url.find_last_of("/:", url.find_last_not_of('/')) + 1);
        while (last.ends_with('/')) last.pop_back();
        auto name = name_from(last, "repo", names_);
        names_.insert(name);
        input_.repos.emplace_back(name, url);
    }

    // Those named, and the docs repo itself after them: where jobs start is the first.
    void add_repos(const base::HostRepo& here) {
        for (const auto& text : options_.repos) {
            auto path = base::expand_path(text, context_.paths.home, context_.directory);
            std::error_code error;
            if (!fs::exists(path, error) && project::url_problem(text).empty()) {
                add_url(text);
                continue;
            }
            if (!fs::exists(path, error)) throw fatal("there is no '{}'", path.native());
            auto repo = base::find_host_repo(path, context_.variables);
            if (!repo) {
                throw fatal("'{}' is no git repo", path.native())
                    .with_hint("git init {}", base::shell_quote(path.native()));
            }
            add_repo(*repo, "repo");
        }
        add_repo(here, "docs");
    }

    void add_mounts() {
        for (const auto& text : options_.mounts) {
            auto path = base::expand_path(text, context_.paths.home, context_.directory);
            std::error_code error;
            auto real = fs::canonical(path, error);
            if (error) throw system_error(error.value(), "cannot mount '{}'", path.native());
            if (!fs::is_directory(real, error)) throw fatal("'{}' is no directory", real.native());
            input_.mounts.push_back(real.native());
        }
    }

    void ignore_local_files() {
        constexpr std::string_view pattern = "*.local.toml";
        auto file = top_ / ".scad" / ".gitignore";
        auto text = base::read_if_exists(file).value_or("");
        auto lines = base::lines(text);
        if (std::find(lines.begin(), lines.end(), pattern) != lines.end()) return;
        if (!text.empty() && !text.ends_with('\n')) text += '\n';
        base::replace_file(file, text + std::string(pattern) + "\n", 0644);
        context_.terminal.note(fmt::format("ignored {} in {}", pattern, base::visible(file.native())));
    }

    void register_docs_repo() {
        for (const auto& text : context_.settings.all("scad.docs")) {
            if (real_path(base::expand_path(text, context_.paths.home, context_.paths.home)) == top_) return;
        }
        base::HostGit git(context_.directory, context_.variables);
        auto command = git.command({"config", "--global", "--add", "scad.docs", top_.native()});
        auto result = base::run(command);
        if (!result.ok()) {
            auto why = base::command_failed(command, result);
            throw std::move(why).with_hint("git config --global --add scad.docs {}",
                                           base::shell_quote(top_.native()));
        }
        context_.terminal.note(
            fmt::format("added {} to the setting scad.docs, so that the project is found from anywhere",
                        base::visible(top_.native())));
    }

    const base::Context& context_;
    const Options& options_;
    fs::path top_; // of the docs repo
    project::TemplateInput input_;
    std::set<std::string> names_;
    std::set<fs::path> seen_; // common directories of the repos so far
};

} // namespace

Action set_up_init(CLI::App& app) {
    auto options = std::make_shared<Options>();
    add_argument(app, "project", options->project,
                 "the project's name; default: that of the repo you stand in");
    add_arguments(app, "repo", options->repos, Count::any,
                  "further repos of the project, by directory or url");
    add_option(app, "--mount", "<dir>", options->mounts, "a host directory that sessions see, read only");
    return [options](Invocation& invocation) { return Init(invocation.context, *options).run(); };
}

} // namespace scad::commands
