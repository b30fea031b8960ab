#include "session/host_remotes.h"

#include "base/error.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/host_git.h"
#include "base/text.h"
#include "workspace/origin_text.h"
#include "workspace/ref_files.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

namespace scad::session {

namespace {

using base::HostGit;
using base::Variables;
using Section = std::pair<std::string, std::string>; // session, repo

constexpr std::string_view included =
    "scad/remotes"; // relative to the common directory, which has the config file
constexpr std::size_t most_parents = 1000;
constexpr std::chrono::seconds config_lock_limit{10};

std::string remote_prefix(const std::string& session) { return "refs/remotes/scad/" + session + "/"; }
std::string session_prefix(const std::string& session) { return "refs/scad-session/" + session + "/"; }

bool is_there(const std::filesystem::path& path) {
    struct stat status {};
    return ::stat(path.c_str(), &status) == 0;
}

// git on the refs and the config of a repo, whichever working tree the user stands in. The repo's own hooks
// have nothing to say about scad's refs.
class RefGit {
  public:
    RefGit(std::filesystem::path common_dir, const Variables& variables)
        : common_dir_(std::move(common_dir)), git_(common_dir_, variables) {}

    std::string run(const std::vector<std::string>& args, std::string input = {}) const {
        return git_.run(complete(args), std::move(input));
    }
    base::Command command(const std::vector<std::string>& args) const { return git_.command(complete(args)); }
    void update_refs(const std::string& commands) const { run({"update-ref", "--stdin"}, commands); }

  private:
    std::vector<std::string> complete(const std::vector<std::string>& args) const {
        std::vector<std::string> all{"-c", "core.hooksPath=/dev/null", "--git-dir=" + common_dir_.native()};
        all.insert(all.end(), args.begin(), args.end());
        return all;
    }

    std::filesystem::path common_dir_;
    HostGit git_;
};

void set_variable(std::vector<std::string>& environment, const std::string& name, std::string_view value) {
    std::erase_if(environment, [&](const std::string& entry) { return entry.starts_with(name + '='); });
    environment.push_back(fmt::format("{}={}", name, value));
}

// Holds everybody else who changes scad's remotes in this repo: a lock on the directory itself, which leaves
// nothing behind.
class RepoLock {
  public:
    explicit RepoLock(const std::filesystem::path& common_dir)
        : fd_(base::open_file(common_dir, O_RDONLY | O_DIRECTORY)) {
        while (::flock(fd_.get(), LOCK_EX) != 0) {
            if (errno != EINTR) throw system_error(errno, "cannot lock '{}'", common_dir.native());
        }
    }

  private:
    base::Fd fd_;
};

// A new ref costs no process.
void set_ref(const RefGit& git, const std::filesystem::path& common_dir, const std::string& name,
             const std::string& id, const Variables& variables) {
    if (workspace::ref_names(common_dir, name, variables).empty()) {
        workspace::make_ref(common_dir, name, id, variables);
    } else {
        git.update_refs(fmt::format("update {} {}\n", name, id));
    }
}

// What a killed command has left beside a ref that nobody but the holder of the session's name changes.
void drop_lock(const std::filesystem::path& common_dir, const std::string& name) {
    const std::filesystem::path lock = common_dir / (name + ".lock");
    if (::unlink(lock.c_str()) != 0 && errno != ENOENT && errno != ENOTDIR)
        throw system_error(errno, "cannot remove '{}'", lock.native());
}

// The commit of a HEAD file that is on no branch.
std::optional<std::string> detached_head(const std::filesystem::path& head) {
    const auto content = base::read_if_exists(head, 4096);
    if (!content || content->starts_with("ref:")) return std::nullopt;
    const std::string id(base::trim(*content));
    const bool hex = id.find_first_not_of("0123456789abcdef") == std::string::npos;
    return hex && (id.size() == 40 || id.size() == 64) ? std::optional(id) : std::nullopt;
}

void add_detached_heads(const std::filesystem::path& common_dir, std::vector<std::string>& tips) {
    if (auto id = detached_head(common_dir / "HEAD")) tips.push_back(*id);
    std::error_code error;
    for (const auto& worktree : std::filesystem::directory_iterator(common_dir / "worktrees", error)) {
        if (auto id = detached_head(worktree.path() / "HEAD")) tips.push_back(*id);
    }
}

// A commit that holds these: identity, date and order are fixed, so that it is the same for the same tips and
// all sessions of one moment share one.
std::string make_pin_commit(const RefGit& git, std::vector<std::string> tips) {
    std::sort(tips.begin(), tips.end());
    tips.erase(std::unique(tips.begin(), tips.end()), tips.end());
    std::string previous;
    for (std::size_t at = 0; at < tips.size(); at += most_parents) {
        std::vector<std::string> args{"-c", "i18n.commitEncoding=UTF-8", "commit-tree", "-m",
                                      "Keeps what sessions of scad borrow from this repository"};
        if (!previous.empty()) args.insert(args.end(), {"-p", previous});
        for (std::size_t n = at; n < std::min(at + most_parents, tips.size()); ++n) {
            args.insert(args.end(), {"-p", tips[n]});
        }
        args.push_back(tips[at] + "^{tree}");
        base::Command command = git.command(args);
        for (const char* role : {"AUTHOR", "COMMITTER"}) {
            for (const auto& [what, value] : {std::pair{"NAME", "scad"}, std::pair{"EMAIL", "scad@localhost"},
                                              std::pair{"DATE", "@0 +0000"}}) {
                set_variable(*command.environment, fmt::format("GIT_{}_{}", role, what), value);
            }
        }
        previous = base::trim(base::run_ok(command));
    }
    return previous;
}

// A pin that holds these tips and all that `old` holds (empty: there is none yet).
std::string renewed_pin(const RefGit& git, const std::string& old, std::vector<std::string> tips) {
    if (old.empty()) return make_pin_commit(git, std::move(tips));
    std::vector<std::string> held =
        base::split(base::trim(git.run({"rev-list", "--no-walk", "--parents", old})), ' ');
    held.erase(held.begin()); // itself
    std::sort(held.begin(), held.end());
    std::sort(tips.begin(), tips.end());
    tips.erase(std::unique(tips.begin(), tips.end()), tips.end());
    if (std::includes(held.begin(), held.end(), tips.begin(), tips.end())) return old;
    if (!std::includes(tips.begin(), tips.end(), held.begin(), held.end())) tips.push_back(old);
    return make_pin_commit(git, std::move(tips));
}

// Replaces or removes the file; the sections are those of all sessions, sorted.
void write_remotes(const std::filesystem::path& common_dir, std::vector<Section> sections) {
    const std::filesystem::path path = common_dir / included;
    if (sections.empty()) {
        if (::unlink(path.c_str()) != 0 && errno != ENOENT)
            throw system_error(errno, "cannot remove '{}'", path.native());
        ::rmdir(path.parent_path().c_str()); // stays when somebody has put something into it
        return;
    }
    std::sort(sections.begin(), sections.end());
    base::make_directories(path.parent_path(), 0755);
    base::replace_file(path, remotes_file(sections), 0644, base::Durability::plain); // made again by resume
}

std::vector<Section> read_remotes(const std::filesystem::path& common_dir) {
    const auto text = base::read_if_exists(common_dir / included);
    return text ? parse_remotes_file(*text) : std::vector<Section>{};
}

// `git config` on the repo's config file; waits a while for somebody else's config.lock.
void change_config(const RefGit& git, const std::filesystem::path& common_dir,
                   const std::vector<std::string>& args) {
    std::vector<std::string> all{"config", "--file", (common_dir / "config").native()};
    all.insert(all.end(), args.begin(), args.end());
    const base::Command command = git.command(all);
    const std::filesystem::path lock = common_dir / "config.lock";
    const auto end = std::chrono::steady_clock::now() + config_lock_limit;
    for (;;) {
        const base::Result result = base::run(command);
        if (result.ok() || result.status() == 5) return; // 5: nothing to unset (git-config(1))
        if (result.err.find("could not lock config file") == std::string::npos)
            throw command_failed(command, result);
        if (std::chrono::steady_clock::now() > end) {
            throw fatal("cannot change '{}': '{}' has been there for {} seconds",
                        (common_dir / "config").native(), lock.native(), config_lock_limit.count())
                .with_hint("rm {}    # when no git command runs there", base::shell_quote(lock.native()));
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
}

// The name that everything of this session has in a host repo must not mean anything else there.
void check_name(const Session& session) {
    // $GIT_DIR/scad/remotes would be read as a ref of that name (gitrevisions(7)).
    if (session.name == "remotes") {
        throw fatal("a session cannot be named '{}': 'scad/{}' would not resolve in a host repo",
                    session.name, session.name);
    }
}

std::string lower(std::string text) {
    for (char& c : text) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    return text;
}

} // namespace

void make_pins(const Session& session, const SessionRepo& repo, const Variables& variables) {
    const RefGit git(repo.common_dir, variables);
    // Peeled: only a commit can be a parent. Tips that other sessions only pin are none of the host's own.
    const std::string listed = git.run(
        {"for-each-ref", "--format=%(objecttype) %(objectname) %(*objecttype) %(*objectname) %(refname)"});
    std::vector<std::string> tips = parse_tips(listed);
    tips.push_back(repo.base_commit);
    add_detached_heads(repo.common_dir, tips);
    const std::string prefix = session_prefix(session.name);
    const std::string pin = renewed_pin(git, parse_tip(listed, prefix + "pin"), std::move(tips));
    for (const auto& [name, id] : {std::pair{"base", repo.base_commit}, std::pair{"pin", pin}}) {
        drop_lock(repo.common_dir, prefix + name);
        set_ref(git, repo.common_dir, prefix + name, id, variables);
    }
}

void copy_pin(const Session& from, const Session& session, const SessionRepo& repo,
              const Variables& variables) {
    const RefGit git(repo.common_dir, variables);
    const std::string source = session_prefix(from.name) + "pin";
    if (workspace::ref_names(repo.common_dir, source, variables).empty()) return; // its next start makes one
    const std::string id(base::trim(git.run({"rev-parse", "--verify", source})));
    set_ref(git, repo.common_dir, session_prefix(session.name) + "pin", id, variables);
}

void drop_pins(const Session& session, const SessionRepo& repo, const Variables& variables) {
    if (!is_there(repo.common_dir)) return;
    std::string commands;
    for (const char* name : {"base", "pin"}) {
        const std::string ref = session_prefix(session.name) + name;
        drop_lock(repo.common_dir, ref);
        if (!workspace::ref_names(repo.common_dir, ref, variables).empty())
            commands += "delete " + ref + '\n';
    }
    if (!commands.empty()) RefGit(repo.common_dir, variables).update_refs(commands);
}

std::vector<std::string> pinned_sessions(const std::filesystem::path& common_dir,
                                         const Variables& variables) {
    constexpr std::string_view prefix = "refs/scad-session/";
    std::vector<std::string> names;
    for (const std::string& ref : workspace::ref_names(common_dir, std::string(prefix), variables)) {
        const std::size_t slash = ref.find('/', prefix.size());
        if (slash == std::string::npos) continue;
        const std::string what = ref.substr(slash + 1);
        std::string name = ref.substr(prefix.size(), slash - prefix.size());
        if ((what == "base" || what == "pin") && (names.empty() || names.back() != name))
            names.push_back(std::move(name));
    }
    return names;
}

void add_remote(const Session& session, const SessionRepo& repo, const Variables& variables) {
    check_name(session);
    if (!workspace::is_branch_name(repo.branch)) throw fatal("'{}' is not a valid branch name", repo.branch);
    const RefGit git(repo.common_dir, variables);
    const std::string branch = remote_prefix(session.name) + repo.branch;
    // Not when it is there: what has been fetched since the start is newer.
    if (workspace::ref_names(repo.common_dir, branch, variables).empty()) {
        if (!has_remote(session, repo)) drop_lock(repo.common_dir, branch); // nobody can be fetching it
        workspace::make_ref(repo.common_dir, branch, repo.base_commit, variables);
    }
    const std::string head = remote_prefix(session.name) + "HEAD";
    if (workspace::has_ref_files(repo.common_dir)) {
        const std::filesystem::path path = repo.common_dir / head;
        const std::string content = "ref: " + branch + '\n';
        if (base::read_if_exists(path, 4096) != content) {
            base::make_directories(path.parent_path(), 0755);
            base::replace_file(path, content, 0644, base::Durability::plain);
        }
    } else {
        git.run({"symbolic-ref", head, branch});
    }

    const RepoLock lock(repo.common_dir);
    std::vector<Section> sections = read_remotes(repo.common_dir);
    const Section own{session.name, repo.name};
    const auto same = std::find_if(sections.begin(), sections.end(),
                                   [&](const Section& section) { return section.first == session.name; });
    if (same == sections.end()) {
        sections.push_back(own);
    } else {
        *same = own;
    }
    write_remotes(repo.common_dir, std::move(sections));
    // Last: git never sees a line that names a file which is not there (it would pass over it, but still).
    const auto config = base::read_if_exists(repo.common_dir / "config");
    if (!config || !includes_remotes(*config)) {
        change_config(git, repo.common_dir, {"--add", "include.path", std::string(included)});
    }
}

bool has_remote(const Session& session, const SessionRepo& repo) {
    const auto sections = read_remotes(repo.common_dir);
    if (std::find(sections.begin(), sections.end(), Section{session.name, repo.name}) == sections.end())
        return false;
    const auto config = base::read_if_exists(repo.common_dir / "config");
    return config && includes_remotes(*config);
}

void remove_remote(const Session& session, const SessionRepo& repo, const Variables& variables) {
    if (!is_there(repo.common_dir)) return;
    const RepoLock lock(repo.common_dir);
    std::vector<Section> sections = read_remotes(repo.common_dir);
    std::erase_if(sections, [&](const Section& section) { return section.first == session.name; });
    const auto config = base::read_if_exists(repo.common_dir / "config");
    if (sections.empty() && config && includes_remotes(*config)) {
        change_config(RefGit(repo.common_dir, variables), repo.common_dir,
                      {"--unset-all", "include.path", "^" + std::string(included) + "$"});
    }
    write_remotes(repo.common_dir, std::move(sections));
}

void remove_refs(const std::string& session, const std::filesystem::path& common_dir,
                 const Variables& variables) {
    if (!is_there(common_dir)) return;
    std::string commands;
    for (const std::string& prefix : {remote_prefix(session), session_prefix(session)}) {
        for (const std::string& name : workspace::ref_names(common_dir, prefix, variables)) {
            // Itself, not what it points to.
            commands += fmt::format("option no-deref\ndelete {}\n", name);
        }
    }
    if (!commands.empty()) RefGit(common_dir, variables).update_refs(commands);
}

bool has_refs(const std::string& session, const std::filesystem::path& common_dir,
              const Variables& variables) {
    return is_there(common_dir) &&
           (!workspace::ref_names(common_dir, remote_prefix(session), variables).empty() ||
            !workspace::ref_names(common_dir, session_prefix(session), variables).empty());
}

std::string remotes_file(const std::vector<std::pair<std::string, std::string>>& session_and_repo) {
    std::string text =
        "# The remotes of scad's sessions. Written by `git scad`, which replaces this file; include.path in "
        "the\n"
        "# config of this repository names it.\n";
    for (const auto& [session, repo] : session_and_repo) {
        text += fmt::format(
            "[remote \"scad/{0}\"]\n"
            "\turl = scad::{0}/{1}\n"
            "\tfetch = +refs/session/*:refs/remotes/scad/{0}/*\n"
            "\tfetch = +refs/scad/wip*:refs/scad-session/{0}/wip*\n"
            "\ttagOpt = --no-tags\n"
            "\tskipFetchAll = true\n"
            "\tprune = true\n"
            "\tfollowRemoteHEAD = never\n",
            session, repo);
    }
    return text;
}

std::vector<std::pair<std::string, std::string>> parse_remotes_file(std::string_view text) {
    constexpr std::string_view url = "\turl = scad::";
    std::vector<Section> sections;
    for (const std::string& line : base::lines(text)) {
        if (!line.starts_with(url)) continue;
        const std::size_t slash = line.find('/', url.size());
        if (slash == std::string::npos) continue;
        sections.emplace_back(line.substr(url.size(), slash - url.size()), line.substr(slash + 1));
    }
    return sections;
}

bool includes_remotes(std::string_view config) {
    bool inside = false;
    for (const std::string& whole : base::lines(config)) {
        std::string_view line = base::trim(whole);
        if (line.starts_with('[')) {
            const std::size_t end = line.find(']');
            inside = end != std::string_view::npos &&
                     lower(std::string(base::trim(line.substr(1, end - 1)))) == "include";
            line = end == std::string_view::npos ? std::string_view{} : base::trim(line.substr(end + 1));
        }
        const std::size_t equals = line.find('=');
        if (!inside || equals == std::string_view::npos) continue;
        if (lower(std::string(base::trim(line.substr(0, equals)))) == "path" &&
            base::trim(line.substr(equals + 1)) == included) {
            return true;
        }
    }
    return false;
}

std::vector<std::string> parse_tips(std::string_view listed) {
    std::vector<std::string> tips;
    for (const std::string& line : base::lines(listed)) {
        // Five fields; those of a ref that is not peeled are empty.
        const std::vector<std::string> fields = base::split(line, ' ');
        if (fields.size() != 5) continue;
        const std::string& ref = fields[4];
        if (ref.starts_with("refs/scad-session/") && ref.ends_with("/pin")) continue;
        if (fields[0] == "commit") {
            tips.push_back(fields[1]);
        } else if (fields[2] == "commit") {
            tips.push_back(fields[3]);
        }
    }
    return tips;
}

std::string parse_tip(std::string_view listed, std::string_view ref) {
    for (const std::string& line : base::lines(listed)) {
        const std::vector<std::string> fields = base::split(line, ' ');
        if (fields.size() == 5 && fields[4] == ref) return fields[1];
    }
    return {};
}

std::vector<std::string> remote_warnings(const Session& session, const SessionRepo& repo,
                                         const Variables& variables) {
    return remote_warnings(session, repo, variables,
                           base::Settings::read(Variables(variables.for_host_git()), repo.common_dir));
}

std::vector<std::string> remote_warnings(const Session& session, const SessionRepo& repo,
                                         const Variables& variables, const base::Settings& settings) {
    check_name(session);
    const std::string name = "scad/" + session.name;
    for (const char* before : {"refs/", "refs/tags/", "refs/heads/"}) { // the order of gitrevisions(7)
        const std::string ref = before + name;
        if (!workspace::ref_names(repo.common_dir, ref, variables).empty()) {
            throw fatal("repo '{}' has '{}': '{}' would mean that instead of the session's branch", repo.name,
                        ref, name)
                .with_hint("choose another name for the session, or rename that ref");
        }
    }
    std::vector<std::string> remotes;
    std::vector<std::string> warnings;
    for (const auto& [key, value] : settings.entries()) {
        if (!key.starts_with("remote.")) continue;
        const std::size_t dot = key.rfind('.');
        if (dot <= 7) continue; // remote.pushdefault
        const std::string remote = key.substr(7, dot - 7);
        if (remote.starts_with("scad/") && remote != "scad/" + session.name)
            return warnings; // said when the first one came
        if (remote.starts_with("scad/")) continue;
        if (std::find(remotes.begin(), remotes.end(), remote) == remotes.end()) remotes.push_back(remote);
        if (key.substr(dot + 1) == "fetch" && value == "+refs/*:refs/*") {
            warnings.push_back(
                fmt::format("repo '{}' mirrors '{}': `git remote update --prune` there deletes the refs of "
                            "scad's sessions, what keeps their objects too",
                            repo.name, remote));
        }
    }
    if (remotes.empty()) {
        warnings.push_back(
            fmt::format("repo '{}' has no remote of its own: a bare `git fetch` there asks session '{}'",
                        repo.name, session.name));
    } else if (remotes.size() == 1 && remotes.front() != "origin" && !settings.get("remote.pushdefault")) {
        warnings.push_back(fmt::format(
            "repo '{0}' has no 'origin', and '{1}' is no longer its only remote: `git push` may ask "
            "where to, until `git -C {2} config remote.pushDefault {3}`",
            repo.name, remotes.front(), base::shell_quote(repo.host.native()),
            base::shell_quote(remotes.front())));
    }
    return warnings;
}

} // namespace scad::session
