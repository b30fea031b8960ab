#include "workspace/host_changes.h"

#include "base/error.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/text.h"
#include "workspace/origin_text.h"

#include <algorithm>
#include <fcntl.h>
#include <sys/stat.h>

namespace scad::workspace {

namespace {

constexpr std::size_t most_named = 3; // files in a message
constexpr std::size_t largest_index = std::size_t{1} << 30;
constexpr std::size_t most_output = std::size_t{256} << 20;

// The fields before the path in the lines of git-status(1), "Porcelain Format Version 2".
constexpr std::size_t changed_fields = 8;
constexpr std::size_t renamed_fields = 9;
constexpr std::size_t unmerged_fields = 10;

// What is after that many blanks; empty: there are not as many.
std::string_view after_fields(std::string_view line, std::size_t count) {
    for (; count > 0; --count) {
        const std::size_t blank = line.find(' ');
        if (blank == std::string_view::npos) return {};
        line.remove_prefix(blank + 1);
    }
    return line;
}

// git on the repo with nothing of it run but clean filters, and with nothing of it written.
base::Command quiet_git(const Origin& origin, const base::Variables& variables,
                        std::vector<std::string> args) {
    std::vector<std::string> all{"-c", "core.hooksPath=/dev/null",
                                 "-c", "core.fsmonitor=false",
                                 "-c", "core.untrackedCache=false",
                                 "-c", "core.splitIndex=false",
                                 "-c", "core.safecrlf=false",
                                 "-c", "core.bigFileThreshold=64m", // streamed, and never held in memory
                                 "-c", "index.sparse=false"};
    std::move(args.begin(), args.end(), std::back_inserter(all));
    base::Command command = base::HostGit(origin.host.worktree, variables).command(std::move(all));
    command.output_limit = most_output;
    return command;
}

void set_variable(base::Command& command, const std::string& name, const std::string& value) {
    std::erase_if(*command.environment,
                  [&](const std::string& entry) { return entry.starts_with(name + '='); });
    command.environment->push_back(name + '=' + value);
}

// With its time of modification: git trusts entries that are older than the index file.
void copy_index(const std::filesystem::path& from, const std::filesystem::path& to) {
    const base::Fd source = base::open_file(from, O_RDONLY | O_NONBLOCK);
    struct stat status {};
    if (::fstat(source.get(), &status) != 0) throw system_error(errno, "cannot read '{}'", from.native());
    const std::string content = base::read_all(source.get(), largest_index, from.native());
    const base::Fd target = base::open_file(to, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
    if (!base::write_all(target.get(), content)) throw system_error(errno, "cannot write '{}'", to.native());
    const timespec times[2] = {status.st_atim, status.st_mtim};
    if (::futimens(target.get(), times) != 0)
        throw system_error(errno, "cannot set the time of '{}'", to.native());
}

std::string joined_names(const std::vector<std::string>& names) {
    std::vector<std::string> some(
        names.begin(), names.begin() + static_cast<std::ptrdiff_t>(std::min(names.size(), most_named)));
    return base::join(some, ", ") + (names.size() > most_named ? " …" : "");
}

void require_on_base(const Origin& origin, const HostChanges& changes) {
    if (!changes.conflicted.empty()) {
        throw fatal(
            "the uncommitted work of repo '{}' cannot be taken along: a merge has left conflicts in {}",
            origin.name, joined_names(changes.conflicted))
            .with_hint("git -C {} status", base::shell_quote(origin.host.worktree.native()));
    }
    if (changes.head != origin.base_commit) {
        throw fatal("the uncommitted work of repo '{0}' is on top of {1}, and the session starts at {2}",
                    origin.name, changes.head.substr(0, 12), origin.base_commit.substr(0, 12))
            .with_hint("--base {}=HEAD starts where the working tree is", origin.name);
    }
}

} // namespace

HostChanges parse_host_changes(std::string_view status) {
    constexpr std::string_view head = "# branch.oid ";
    HostChanges changes;
    bool former_name = false; // of a rename
    for (const std::string& line : base::split(status, '\0')) {
        if (former_name) {
            former_name = false;
            continue;
        }
        if (line.starts_with(head)) changes.head = line.substr(head.size());
        if (line.size() < 3 || line[1] != ' ') continue;
        switch (line[0]) {
            case '?': {
                std::string path = line.substr(2);
                if (path.ends_with('/')) {
                    path.pop_back();
                    changes.nested.push_back(std::move(path));
                } else {
                    changes.untracked.push_back(std::move(path));
                }
                break;
            }
            case 'u':
                changes.conflicted.emplace_back(after_fields(line, unmerged_fields));
                break;
            case '1':
            case '2': {
                // "1 XY SCMU …": a submodule's own changes (M, U) are in no tree of this repo, where its
                // commit (C) and what is staged are.
                const bool submodule = line.size() > 9 && line[5] == 'S';
                const std::string path(after_fields(line, line[0] == '1' ? changed_fields : renamed_fields));
                former_name = line[0] == '2';
                if (path.empty()) break;
                if (submodule && (line[7] == 'M' || line[8] == 'U')) changes.submodules.push_back(path);
                if (!submodule || line[6] == 'C' || line[2] != '.') changes.tracked.push_back(path);
                break;
            }
            default:
                break;
        }
    }
    return changes;
}

std::optional<HostChanges> find_host_changes(const Origin& origin, const base::Variables& variables,
                                             std::chrono::milliseconds limit) {
    if (origin.host.worktree.empty()) return HostChanges{};
    base::Command command = quiet_git(origin, variables,
                                      {"status", "--porcelain=v2", "-z", "--branch", "--untracked-files=all",
                                       "--no-renames", "--no-ahead-behind", "--ignore-submodules=none"});
    command.timeout = limit;
    const base::Result result = base::run(command);
    if (result.timed_out) return std::nullopt;
    if (!result.ok()) throw base::command_failed(command, result);
    return parse_host_changes(result.out);
}

std::string commit_host_changes(const Origin& origin, const HostChanges& changes,
                                const std::filesystem::path& objects, const std::filesystem::path& scratch,
                                const base::Variables& variables) {
    if (changes.empty()) return {};
    require_on_base(origin, changes);
    for (const char* part : {"info", "pack"}) base::make_directories(objects / part, 0755);
    const std::filesystem::path index = scratch / "index";
    std::string alternates;
    for (const auto& directory : origin.objects) {
        const std::string& path = directory.native();
        // As git-config(1) quotes: a ':' would end it (git(1), GIT_ALTERNATE_OBJECT_DIRECTORIES).
        const bool plain = path.find_first_of(":\"\n") == std::string::npos;
        alternates += (alternates.empty() ? "" : ":") + (plain ? path : config_value(path));
    }
    const auto run = [&](std::vector<std::string> args, std::string input) {
        base::Command command = quiet_git(origin, variables, std::move(args));
        command.input = std::move(input);
        set_variable(command, "GIT_INDEX_FILE", index.native());
        set_variable(command, "GIT_OBJECT_DIRECTORY", objects.native());
        set_variable(command, "GIT_ALTERNATE_OBJECT_DIRECTORIES", alternates);
        for (const char* role : {"AUTHOR", "COMMITTER"}) {
            set_variable(command, fmt::format("GIT_{}_NAME", role), origin.user_name);
            set_variable(command, fmt::format("GIT_{}_EMAIL", role), origin.user_email);
        }
        return std::string(base::trim(base::run_ok(command)));
    };
    return with_context(
        [&]() -> std::string {
            const std::filesystem::path of_host = origin.host.git_dir / "index";
            std::error_code error;
            if (std::filesystem::exists(of_host, error)) {
                copy_index(of_host, index);
            } else {
                run({"read-tree", "HEAD"}, {});
            }
            std::string paths;
            for (const auto* list : {&changes.tracked, &changes.untracked}) {
                for (const std::string& path : *list) paths.append(path).push_back('\0');
            }
            run({"update-index", "--add", "--remove", "--replace", "-z", "--stdin"}, std::move(paths));
            const std::string tree = run({"write-tree"}, {});
            if (tree == run({"rev-parse", origin.base_commit + "^{tree}"}, {})) return {};
            return run({"-c", "i18n.commitEncoding=UTF-8", "commit-tree", "-p", origin.base_commit, "-m",
                        "Uncommitted work of the host's working tree", tree},
                       {});
        },
        "while taking along the uncommitted work of repo '{}'", origin.name);
}

std::string describe_changes(const HostChanges& changes) {
    const std::size_t changed = changes.tracked.size() + changes.conflicted.size();
    const std::size_t untracked = changes.untracked.size();
    std::vector<std::string> names = changes.tracked;
    for (const auto* list : {&changes.conflicted, &changes.untracked}) {
        if (names.size() <= most_named) names.insert(names.end(), list->begin(), list->end());
    }
    std::string counts;
    if (changed > 0) counts = fmt::format("{} changed", changed);
    if (untracked > 0) counts += fmt::format("{}{} untracked", changed > 0 ? " and " : "", untracked);
    return fmt::format("{} {} ({})", counts, changed + untracked == 1 ? "file" : "files",
                       joined_names(names));
}

} // namespace scad::workspace
