#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "workspace/clone.h"
#include "workspace/origin_text.h"
#include "workspace/ref_files.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <future>
#include <pwd.h>
#include <system_error>
#include <unistd.h>

namespace scad::workspace {

namespace {

using base::HostGit;
using base::HostRepo;
using base::Settings;
using base::Variables;

// Chains of alternates longer than this are ignored by git too ("nesting too deep").
constexpr int deepest_alternates = 5;

// Of the settings only those that decide which bytes a checkout has. Whether files are executable or may be
// links is up to the session's own file system.
constexpr std::array<std::string_view, 6> checkout_settings{
    "core.autocrlf",   "core.eol",         "core.safecrlf", "core.checkroundtripencoding",
    "core.protecthfs", "core.protectntfs",
};

// One answer of `git cat-file --batch-command`.
struct Answer {
    std::string id; // empty: there is no such object, or more than one
    std::string type;
    std::string content;
};

// The answers to `info` and `contents` commands, in their order.
class Answers {
  public:
    explicit Answers(std::string text) : text_(std::move(text)) {}

    Answer info() {
        const std::string_view line = next_line();
        const std::vector<std::string> words = base::split(line, ' ');
        // "<name> missing" and "<name> ambiguous" have a name that may have spaces.
        if (words.size() != 3 || line.ends_with(" missing") || line.ends_with(" ambiguous")) return {};
        size_ = 0;
        std::from_chars(words[2].data(), words[2].data() + words[2].size(), size_);
        return {words[0], words[1], {}};
    }

    Answer contents() {
        Answer answer = info();
        if (answer.id.empty()) return answer;
        answer.content = text_.substr(std::min(at_, text_.size()), size_);
        at_ += size_ + 1;
        return answer;
    }

  private:
    std::string_view next_line() {
        if (at_ >= text_.size()) return {};
        const std::size_t end = std::min(text_.find('\n', at_), text_.size());
        const std::string_view line = std::string_view(text_).substr(at_, end - at_);
        at_ = end + 1;
        return line;
    }

    std::string text_;
    std::size_t at_ = 0;
    std::size_t size_ = 0;
};

void add_objects(const std::filesystem::path& directory, int depth, Origin& origin) {
    std::error_code error;
    const std::filesystem::path real = std::filesystem::canonical(directory, error);
    if (error || !std::filesystem::is_directory(real, error)) {
        if (depth == 0)
            throw fatal("repo '{}' has no object directory '{}'", origin.name, directory.native());
        origin.warnings.push_back(fmt::format("repo '{}' borrows objects from '{}', which is not there",
                                              origin.name, directory.native()));
        return;
    }
    if (std::find(origin.objects.begin(), origin.objects.end(), real) != origin.objects.end()) return;
    origin.objects.push_back(real);
    const auto alternates = base::read_if_exists(real / "info" / "alternates");
    if (!alternates) return;
    if (depth == deepest_alternates) {
        throw fatal("repo '{}' borrows objects through more than {} other repos", origin.name,
                    deepest_alternates)
            .with_hint("git -C {} repack -ad", base::shell_quote(origin.host.common_dir.native()));
    }
    for (const std::string& path : parse_alternates(*alternates)) add_objects(real / path, depth + 1, origin);
}

// The branch that HEAD of the host's working tree is on.
std::string current_branch(const HostRepo& host, const HostGit& git) {
    std::error_code error;
    const std::filesystem::path head = host.git_dir / "HEAD";
    if (std::filesystem::is_symlink(head, error)) { // as git made them once
        return branch_of_head("ref: " + std::filesystem::read_symlink(head, error).native());
    }
    if (has_ref_files(host.common_dir)) return branch_of_head(base::read_file(head));
    return branch_of_head("ref: " + git.try_run({"symbolic-ref", "-q", "HEAD"}).out);
}

constexpr std::string_view of_origin = "origin/";

// The branch, local or of a remote, that `base` may mean; whether it does is seen by its commit.
std::string branch_candidate(const std::string& base) {
    for (const std::string_view prefix : {"refs/heads/", "heads/", "refs/remotes/", "remotes/"}) {
        if (base.starts_with(prefix)) return base.substr(prefix.size());
    }
    return base;
}

void find_identity(const Settings& settings, const Variables& variables, Origin& origin) {
    const auto first = [](std::optional<std::string> a, std::optional<std::string> b,
                          std::optional<std::string> c) {
        for (auto* each : {&a, &b, &c}) {
            if (*each && !base::trim(**each).empty()) return std::string(base::trim(**each));
        }
        return std::string();
    };
    origin.user_name =
        first(settings.get("user.name"), settings.get("author.name"), variables.get("GIT_AUTHOR_NAME"));
    origin.user_email =
        first(settings.get("user.email"), settings.get("author.email"), variables.get("GIT_AUTHOR_EMAIL"));
    if (!origin.user_name.empty() && !origin.user_email.empty()) return;

    std::array<char, 16384> buffer{};
    passwd entry{};
    passwd* found = nullptr;
    const bool known =
        ::getpwuid_r(::getuid(), &entry, buffer.data(), buffer.size(), &found) == 0 && found != nullptr;
    const std::string login = known ? entry.pw_name : "user";
    if (origin.user_name.empty()) origin.user_name = login;
    if (origin.user_email.empty()) origin.user_email = login + "@localhost";
    origin.warnings.push_back(
        fmt::format("commits in repo '{}' will be by '{} <{}>': user.name or user.email is not set",
                    origin.name, origin.user_name, origin.user_email));
}

// Partial clones: the session has no way to get what is missing, and git's checkout would leave files out
// without failing.
void check_partial(const HostGit& git, const Settings& settings, Origin& origin) {
    const auto& all = settings.entries();
    origin.partial = settings.get("extensions.partialclone").has_value() ||
                     std::any_of(all.begin(), all.end(), [](const auto& setting) {
                         return setting.first.starts_with("remote.") && setting.first.ends_with(".promisor");
                     });
    if (!origin.partial) return;
    const std::string objects =
        git.run({"rev-list", "--objects", "--no-walk", "--missing=print", origin.base_commit});
    const std::vector<std::string> listed = base::lines(objects);
    const auto missing = std::count_if(listed.begin(), listed.end(),
                                       [](const std::string& line) { return line.starts_with('?'); });
    if (missing > 0) {
        throw fatal("repo '{}' is a partial clone: {} objects of its base are missing", origin.name, missing)
            .with_hint("git -C {0} archive {1} >/dev/null    # gets them from its remote",
                       base::shell_quote(origin.host.common_dir.native()), origin.base_commit);
    }
    origin.warnings.push_back(
        fmt::format("repo '{}' is a partial clone: older versions of its files that it lacks are missing in "
                    "the session too",
                    origin.name));
}

void find_tags(const HostGit& git, const Variables& variables, Origin& origin) {
    if (ref_names(origin.host.common_dir, "refs/tags/", variables).empty()) return;
    base::Command command = git.command({"for-each-ref", "--merged=" + origin.base_commit,
                                         "--format=%(objectname) %(refname)", "refs/tags/"});
    command.timeout = std::chrono::seconds(5);
    const base::Result result = base::run(command);
    if (result.timed_out) {
        origin.warnings.push_back(fmt::format(
            "the tags of repo '{0}' are left out: to find those of its base takes too long until `git -C {1} "
            "commit-graph write --reachable` has been run",
            origin.name, base::shell_quote(origin.host.common_dir.native())));
        return;
    }
    if (!result.ok()) { // a broken tag, say: no reason not to start
        origin.warnings.push_back(fmt::format("the tags of repo '{}' are left out: {}", origin.name,
                                              base::one_line(result.err, 200)));
        return;
    }
    for (const std::string& line : base::lines(result.out)) {
        const std::size_t space = line.find(' ');
        if (space != std::string::npos)
            origin.tags.push_back({line.substr(space + 1), line.substr(0, space)});
    }
}

std::filesystem::path place_of(const HostRepo& host) {
    return host.worktree.empty() ? host.git_dir : host.worktree;
}

// In a repo whose branches are those of its remote: the ref that `base` names there, the remote's HEAD when
// it is empty. Another revision stays as it is.
std::string base_in_fetched(const std::filesystem::path& git_dir, const std::string& base,
                            const Variables& variables) {
    const std::string below = "refs/remotes/origin/";
    if (base.empty() || base == "HEAD" || base == "@") {
        const auto head = base::read_if_exists(git_dir / below / "HEAD", 4096).value_or("");
        constexpr std::string_view start = "ref: ";
        return head.starts_with(start) ? std::string(base::trim(head.substr(start.size()))) : below + "HEAD";
    }
    const std::string ref = below + branch_candidate(base);
    return ref_names(git_dir, ref, variables).empty() ? base : ref;
}

// What is asked about the base, by one process: the base itself, the branch that it may be, its files, and
// two of them that tell of contents which a session will lack.
struct BaseQuestion {
    std::string revision;
    bool head = false;  // the base is where the working tree stands
    std::string branch; // unless `head`: the branch that the revision may be

    explicit BaseQuestion(const std::string& base)
        : revision(base.empty() ? "HEAD" : base),
          head(revision == "HEAD" || revision == "@"),
          branch(head ? std::string() : branch_candidate(base)) {}

    std::string input() const {
        return fmt::format(
            "info {0}^{{commit}}\ninfo refs/heads/{1}^{{commit}}\ninfo refs/remotes/{1}^{{commit}}\n"
            "info {0}^{{tree}}\ninfo {0}:.gitmodules\ncontents {0}:.gitattributes\n",
            revision, branch);
    }
};

// `git cat-file` as answered the question: base commit and branch, and warnings.
void take_answers(const BaseQuestion& question, std::string text, const HostGit& git, bool fetched,
                  Origin& origin) {
    // Of one that was fetched the user knows the url.
    const auto url = origin.host_settings.get("remote.origin.url");
    const std::string place = fetched && url ? without_credentials(*url) : place_of(origin.host).native();
    const std::string quoted = base::shell_quote(place_of(origin.host).native());
    const std::string branch = question.head ? current_branch(origin.host, git) : question.branch;
    Answers answers(std::move(text));
    const Answer commit = answers.info();
    const Answer local = answers.info();
    const Answer remote = answers.info();
    const Answer tree = answers.info();
    const Answer modules = answers.info();
    const Answer attributes = answers.contents();
    if (commit.id.empty() || commit.type != "commit") {
        if (question.head && !branch.empty()) {
            throw fatal("repo '{}' at '{}' has no commit yet", origin.name, place)
                .with_hint("git -C {} commit --allow-empty -m start", quoted);
        }
        if (fetched && question.revision.ends_with("refs/remotes/origin/HEAD"))
            throw fatal("repo '{}' at '{}' has no commit yet", origin.name, place);
        throw fatal("repo '{}' at '{}' has no revision '{}'", origin.name, place, question.revision)
            .with_hint("git -C {} branch --all    # shows what there is", quoted);
    }
    if (tree.id.empty()) {
        throw fatal("repo '{}' is damaged: the files of commit {} are missing", origin.name, commit.id)
            .with_hint("git -C {} fsck", quoted);
    }
    origin.base_commit = commit.id;
    if (!branch.empty() && (question.head || local.id == commit.id)) {
        origin.base_ref = "refs/heads/" + branch;
        origin.base_branch = branch;
    } else if (branch.starts_with(of_origin) && branch != "origin/HEAD" && remote.id == commit.id) {
        origin.base_ref = "refs/remotes/" + branch;
        origin.base_branch = branch.substr(of_origin.size());
    }
    if (!modules.id.empty()) {
        origin.warnings.push_back(
            fmt::format("repo '{}' has submodules: their directories are empty in the session", origin.name));
    }
    if (mentions_lfs(attributes.content)) {
        origin.warnings.push_back(fmt::format(
            "repo '{}' uses Git LFS: the session has the pointers of such files, not their contents",
            origin.name));
    }
    if (origin.host_settings.get_bool("core.sparsecheckout", false)) {
        origin.warnings.push_back(
            fmt::format("repo '{}' has a sparse checkout: the session has all of its files", origin.name));
    }
}

} // namespace

Origin inspect_origin(const std::string& name, const std::filesystem::path& path, const std::string& wanted,
                      const Variables& variables, bool fetched) {
    Origin origin;
    origin.name = name;
    std::error_code error;
    if (!std::filesystem::is_directory(path, error)) {
        throw fatal("repo '{}': there is no directory '{}'", name, path.native());
    }
    if (wanted.find('\n') != std::string::npos || wanted.find('\0') != std::string::npos) {
        throw fatal("the base of repo '{}' has a newline", name);
    }
    const std::string base = fetched ? base_in_fetched(path, wanted, variables) : wanted;
    // Three processes that only read, and none waits for what another finds out.
    const BaseQuestion question(base);
    const Variables plain_variables(variables.for_host_git());
    auto reading = std::async(std::launch::async, [&] { return Settings::read(plain_variables, path); });
    auto asking = std::async(std::launch::async, [&] {
        return HostGit(path, variables).run({"cat-file", "--batch-command"}, question.input());
    });
    const auto host =
        with_context([&] { return base::find_host_repo(path, variables); }, "in repo '{}'", name);
    if (!host) {
        throw fatal("repo '{}': '{}' is no git repository", name, path.native())
            .with_hint("git init {}", base::shell_quote(path.native()));
    }
    origin.host = *host;
    origin.host_settings = with_context([&] { return reading.get(); }, "in repo '{}'", name);
    const Settings& settings = origin.host_settings;
    if (host->object_format != "sha1" && host->object_format != "sha256") {
        throw fatal("repo '{}' has the object format '{}', which scad does not know", name,
                    host->object_format);
    }
    add_objects(host->objects, 0, origin);

    const HostGit git(place_of(*host), variables);
    take_answers(question, with_context([&] { return asking.get(); }, "in repo '{}'", name), git, fetched,
                 origin);
    check_partial(git, settings, origin);
    find_tags(git, variables, origin);
    find_identity(settings, variables, origin);
    if (const auto url = settings.get("remote.origin.url")) origin.origin_url = without_credentials(*url);
    for (const std::string_view setting : checkout_settings) {
        if (const auto value = settings.get(setting)) origin.settings.emplace_back(setting, *value);
    }
    return origin;
}

} // namespace scad::workspace
