#include "base/repository.h"

#include "base/error.h"
#include "base/host_git.h"
#include "base/text.h"

#include <git2.h>

#include <algorithm>
#include <charconv>

namespace scad::base {

namespace {

template <auto Free> struct Freer {
    template <class T> void operator()(T* object) const { Free(object); }
};
using OwnedRepository = std::unique_ptr<git_repository, Freer<git_repository_free>>;
using OwnedReference = std::unique_ptr<git_reference, Freer<git_reference_free>>;
using OwnedObject = std::unique_ptr<git_object, Freer<git_object_free>>;
using OwnedIterator = std::unique_ptr<git_reference_iterator, Freer<git_reference_iterator_free>>;
using OwnedStore = std::unique_ptr<git_odb, Freer<git_odb_free>>;

// Initialising the library takes longer than a whole git process, so only who opens a repo pays for it.
void start_library() {
    static const int count = ::git_libgit2_init();
    if (count < 0) throw fatal("cannot initialise libgit2");
}

Error library_error(const std::filesystem::path& path) {
    const git_error* last = ::git_error_last();
    return fatal("cannot read the repo at '{}': {}", path.native(),
                 last != nullptr && last->message != nullptr ? last->message : "unknown error");
}

std::optional<git_oid> parse_id(const std::string& id) {
    git_oid parsed{};
    if (id.size() != GIT_OID_HEXSZ || ::git_oid_fromstr(&parsed, id.c_str()) != 0) return std::nullopt;
    return parsed;
}

std::string hex(const git_oid& id) {
    char text[GIT_OID_HEXSZ + 1];
    return ::git_oid_tostr(text, sizeof text, &id);
}

// Names that git would otherwise complete ("main" to "refs/heads/main").
bool is_full_name(const std::string& ref) {
    return ref.starts_with("refs/") ||
           ref.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ_") == std::string::npos;
}

bool is_id(const std::string& text) {
    return (text.size() == 40 || text.size() == 64) &&
           text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

// git itself, for what the library cannot open.
HostGit open_through_git(const std::filesystem::path& git_dir, const Variables& variables) {
    HostGit git(git_dir, variables);
    const Result found = git.try_run({"rev-parse", "--absolute-git-dir"});
    std::error_code error_code;
    if (found.ok()) {
        // It must be this one, not one that the directory happens to lie in.
        if (std::filesystem::equivalent(std::string(trim(found.out)), git_dir, error_code)) return git;
        throw fatal("cannot read the repo at '{}': it is no git directory", git_dir.native());
    }
    Error error = fatal("cannot read the repo at '{}'", git_dir.native());
    for (const std::string& line : lines(found.err)) {
        if (line.starts_with("fatal: ")) error.message += ": " + line.substr(7);
        if (trim(line).starts_with("git config ")) error.hint = trim(line);
    }
    throw Error(std::move(error));
}

} // namespace

struct Repository::Implementation {
    std::filesystem::path path;
    Variables variables;
    OwnedRepository repository; // empty: through git
    mutable std::optional<HostGit> git;

    const HostGit& through_git() const {
        if (!git) git = open_through_git(path, variables);
        return *git;
    }

    std::optional<std::pair<std::size_t, std::size_t>> count_through_git(const std::string& tip,
                                                                         const std::string& base) const {
        if (!is_id(tip) || !is_id(base)) return std::nullopt;
        const Result result =
            through_git().try_run({"rev-list", "--left-right", "--count", tip + "..." + base, "--"});
        if (!result.ok()) return std::nullopt;
        const std::vector<std::string> counts = split(trim(result.out), '\t');
        std::pair<std::size_t, std::size_t> both;
        if (counts.size() != 2)
            throw fatal("cannot read the repo at '{}': unexpected answer of git", path.native());
        std::from_chars(counts[0].data(), counts[0].data() + counts[0].size(), both.first);
        std::from_chars(counts[1].data(), counts[1].data() + counts[1].size(), both.second);
        return both;
    }
};

Repository::Repository(const std::filesystem::path& git_dir, const Variables& variables)
    : implementation_(std::make_unique<Implementation>(Implementation{git_dir, variables, {}, {}})) {
    start_library();
    git_repository* opened = nullptr;
    // Whatever the library does not like (a format that it does not know, an owner that only git's own
    // settings allow), git has the last word. (Not git_repository_open_bare, which looks at neither format
    // nor owner.)
    constexpr unsigned flags =
        GIT_REPOSITORY_OPEN_NO_SEARCH | GIT_REPOSITORY_OPEN_NO_DOTGIT | GIT_REPOSITORY_OPEN_BARE;
    if (::git_repository_open_ext(&opened, git_dir.c_str(), flags, nullptr) == 0) {
        implementation_->repository.reset(opened);
    } else {
        implementation_->through_git();
    }
}

Repository::~Repository() = default;
Repository::Repository(Repository&&) noexcept = default;

std::optional<std::string> Repository::resolve(const std::string& ref) const {
    const Implementation& self = *implementation_;
    if (!is_full_name(ref)) return std::nullopt;
    if (!self.repository) {
        const Result result = self.through_git().try_run(
            {"rev-parse", "--verify", "--quiet", "--end-of-options", ref + "^{commit}"});
        // rev-parse repeats --end-of-options, as it does all that it takes for a revision's option.
        const std::vector<std::string> told = lines(result.out);
        return result.ok() && !told.empty() ? std::optional(told.back()) : std::nullopt;
    }
    git_reference* found = nullptr;
    const int error = ::git_reference_lookup(&found, self.repository.get(), ref.c_str());
    if (error == GIT_ENOTFOUND || error == GIT_EINVALIDSPEC) return std::nullopt;
    if (error != 0) throw library_error(self.path);
    const OwnedReference reference(found);
    git_object* peeled = nullptr;
    if (::git_reference_peel(&peeled, reference.get(), GIT_OBJECT_COMMIT) != 0)
        return std::nullopt; // no commit, or not there
    const OwnedObject commit(peeled);
    return hex(*::git_object_id(commit.get()));
}

std::vector<RefTip> Repository::refs(const std::string& prefix) const {
    const Implementation& self = *implementation_;
    std::vector<RefTip> tips;
    if (!self.repository) {
        const std::string whole_parts =
            prefix.substr(0, prefix.rfind('/') + 1); // what for-each-ref takes as a prefix
        std::vector<std::string> args{"for-each-ref", "--format=%(objectname) %(refname)"};
        if (!whole_parts.empty()) args.push_back(whole_parts);
        for (const std::string& line : lines(self.through_git().run(std::move(args)))) {
            const std::size_t blank = line.find(' ');
            if (blank == std::string::npos || !std::string_view(line).substr(blank + 1).starts_with(prefix))
                continue;
            tips.push_back({line.substr(blank + 1), line.substr(0, blank)});
        }
    } else {
        git_reference_iterator* started = nullptr;
        if (::git_reference_iterator_glob_new(&started, self.repository.get(), (prefix + "*").c_str()) != 0) {
            throw library_error(self.path);
        }
        const OwnedIterator iterator(started);
        git_reference* next = nullptr;
        int error = 0;
        while ((error = ::git_reference_next(&next, iterator.get())) == 0) {
            const OwnedReference reference(next);
            git_reference* direct = nullptr;
            if (::git_reference_resolve(&direct, reference.get()) != 0) continue; // a symbolic one to nowhere
            const OwnedReference resolved(direct);
            tips.push_back(
                {::git_reference_name(reference.get()), hex(*::git_reference_target(resolved.get()))});
        }
        if (error != GIT_ITEROVER) throw library_error(self.path);
    }
    std::sort(tips.begin(), tips.end(), [](const RefTip& a, const RefTip& b) { return a.name < b.name; });
    return tips;
}

bool Repository::contains(const std::string& id) const {
    const Implementation& self = *implementation_;
    if (!self.repository) return is_id(id) && self.through_git().try_run({"cat-file", "-e", id}).ok();
    const std::optional<git_oid> wanted = parse_id(id);
    if (!wanted) return false;
    git_odb* opened = nullptr;
    if (::git_repository_odb(&opened, self.repository.get()) != 0) throw library_error(self.path);
    const OwnedStore store(opened);
    return ::git_odb_exists(store.get(), &*wanted) == 1;
}

std::optional<std::pair<std::size_t, std::size_t>> Repository::ahead_behind(const std::string& tip,
                                                                            const std::string& base) const {
    const Implementation& self = *implementation_;
    if (!self.repository) return self.count_through_git(tip, base);
    const std::optional<git_oid> from = parse_id(tip);
    const std::optional<git_oid> to = parse_id(base);
    if (!from || !to) return std::nullopt;
    std::size_t ahead = 0;
    std::size_t behind = 0;
    if (::git_graph_ahead_behind(&ahead, &behind, self.repository.get(), &*from, &*to) == 0) {
        return std::pair(ahead, behind);
    }
    // One is missing, or the library stumbled over what git knows how to pass: the end of a shallow history,
    // grafts.
    if (!contains(tip) || !contains(base)) return std::nullopt;
    return self.count_through_git(tip, base);
}

} // namespace scad::base
