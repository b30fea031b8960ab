// Would catch: libgit2 and git giving different answers, a repo that only git can open refused, an ordinary
// directory taken for a repo.
#include "base/error.h"
#include "base/host_git.h"
#include "base/repository.h"
#include "base_scratch.h"

#include <catch2/catch.hpp>

using namespace scad::base;
namespace fs = std::filesystem;

// libgit2 1.5 forgets a PCRE2 match at each look into a config file. Only LeakSanitizer calls this.
extern "C" const char* __lsan_default_suppressions() { // NOLINT(bugprone-reserved-identifier)
    return "leak:libpcre2";
}

namespace {

// Real git on real repos: what is tested is the agreement with it.
Variables world(const Scratch& scratch) {
    return Variables(std::vector<std::string>{
        "PATH=/usr/local/bin:/usr/bin:/bin", "HOME=" + scratch.path().native(), "GIT_CONFIG_SYSTEM=/dev/null",
        "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=" + (scratch / "gitconfig").native(), "GIT_AUTHOR_NAME=a",
        "GIT_AUTHOR_EMAIL=a@b", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@b",
        "GIT_DIR=/wrong/and/dropped"});
}

} // namespace

TEST_CASE("refs and history, through libgit2 and through git", "[base][repository]") {
    const std::string format = GENERATE("sha1", "sha256");
    const bool worktree_config = GENERATE(false, true);
    const Scratch scratch;
    const Variables variables = world(scratch);
    HostGit(scratch.path(), variables).run({"init", "-q", "-b", "main", "--object-format=" + format, "r"});
    const HostGit git(scratch / "r", variables);
    const auto commit = [&](const std::string& name) {
        git.run({"commit", "-q", "--allow-empty", "-m", name});
        return git.line({"rev-parse", "HEAD"});
    };
    const std::string one = commit("one");
    git.run({"tag", "-a", "-m", "annotated", "v1"});
    git.run({"branch", "topic"});
    const std::string two = commit("two");
    const std::string three = commit("three");
    git.run({"switch", "-q", "topic"});
    const std::string other = commit("other");
    git.run({"symbolic-ref", "refs/remotes/origin/HEAD", "refs/heads/main"});
    git.run({"symbolic-ref", "refs/remotes/origin/dangling", "refs/heads/none"});
    git.run({"update-ref", "refs/tags/tree", git.line({"rev-parse", "HEAD^{tree}"})});
    git.run({"pack-refs", "--all"});
    git.run({"update-ref", "refs/heads/topic-2", one});

    if (worktree_config) {
        git.run({"config", "core.repositoryFormatVersion", "1"});
        git.run({"config", "extensions.worktreeConfig", "true"});
    }
    git.run({"worktree", "add", "-q", "--detach", "../w", one});

    CHECK(Repository(scratch / "r/.git/worktrees/w", variables).resolve("HEAD") == one);
    const Repository repository(scratch / "r/.git", variables);
    CHECK(repository.resolve("refs/heads/main") == three);
    CHECK(repository.resolve("HEAD") == other);
    CHECK(repository.resolve("refs/tags/v1") == one); // peeled
    CHECK(repository.resolve("refs/remotes/origin/HEAD") == three);
    for (const auto* absent : {"refs/heads/none", "main", "refs/remotes/origin/dangling", "refs/tags/tree",
                               "refs/heads/..", "", "v1"}) {
        INFO(absent);
        CHECK_FALSE(repository.resolve(absent));
    }

    std::vector<std::string> names;
    for (const RefTip& tip : repository.refs("refs/heads/")) names.push_back(tip.name);
    CHECK(names == std::vector<std::string>{"refs/heads/main", "refs/heads/topic", "refs/heads/topic-2"});
    CHECK(repository.refs("refs/heads/topic-").size() == 1);
    CHECK(repository.refs("refs/nothing/").empty());
    CHECK(repository.refs("").size() == 6);                   // without the dangling one
    CHECK(repository.refs("refs/tags/v1").front().id != one); // not peeled

    CHECK(repository.contains(two));
    CHECK_FALSE(repository.contains(std::string(one.size(), '1')));
    CHECK_FALSE(repository.contains("HEAD"));
    CHECK_FALSE(repository.contains("--all"));

    CHECK(repository.ahead_behind(three, other) == std::pair<std::size_t, std::size_t>(2, 1));
    CHECK(repository.ahead_behind(one, one) == std::pair<std::size_t, std::size_t>(0, 0));
    CHECK_FALSE(repository.ahead_behind(one, std::string(one.size(), '1')));
    CHECK_FALSE(repository.ahead_behind(one, "--all"));
}

TEST_CASE("repositories that are none", "[base][repository]") {
    const Scratch scratch;
    const Variables variables = world(scratch);
    HostGit(scratch.path(), variables).run({"init", "-q", "r"});
    fs::create_directory(scratch / "r/sub");
    for (const auto* name : {"none", "r/sub", "r/.git/refs"}) {
        INFO(name);
        CHECK_THROWS_WITH(Repository(scratch / name, variables), Catch::Contains("cannot read the repo"));
    }
}

TEST_CASE("a shallow history counts as far as it goes", "[base][repository]") {
    const Scratch scratch;
    const Variables variables = world(scratch);
    HostGit(scratch.path(), variables).run({"init", "-q", "-b", "main", "full"});
    const HostGit full(scratch / "full", variables);
    for (const auto* name : {"1", "2", "3"}) full.run({"commit", "-q", "--allow-empty", "-m", name});
    HostGit(scratch.path(), variables)
        .run({"clone", "-q", "--depth=2", "file://" + (scratch / "full").native(), "shallow"});
    const HostGit git(scratch / "shallow", variables);
    const Repository repository(scratch / "shallow/.git", variables);
    CHECK(repository.ahead_behind(git.line({"rev-parse", "HEAD"}), git.line({"rev-parse", "HEAD~1"})) ==
          std::pair<std::size_t, std::size_t>(1, 0));
    CHECK(find_host_repo(scratch / "shallow", variables)->shallow);
}

TEST_CASE("finding the repo of a directory", "[base][host_git]") {
    const Scratch scratch;
    const Variables variables = world(scratch);
    const fs::path top = fs::canonical(scratch.path());
    const HostGit git(top, variables);
    git.run({"init", "-q", "-b", "main", "r"});
    git.run({"init", "-q", "--bare", "--object-format=sha256", "b.git"});
    HostGit(top / "r", variables).run({"commit", "-q", "--allow-empty", "-m", "x"});
    HostGit(top / "r", variables).run({"worktree", "add", "-q", "../w"});
    scratch.file("r/sub/f");

    const auto here = [&](const std::string& name) { return find_host_repo(top / name, variables); };
    for (const auto* name : {"r", "r/sub", "r/sub/f", "r/.git", "r/.git/refs"}) {
        INFO(name);
        const auto repo = here(name);
        REQUIRE(repo);
        CHECK(repo->worktree == top / "r");
        CHECK(repo->git_dir == top / "r/.git");
        CHECK(repo->common_dir == top / "r/.git");
        CHECK(repo->objects == top / "r/.git/objects");
        CHECK(repo->object_format == "sha1");
        CHECK_FALSE(repo->shallow);
    }
    const auto bare = here("b.git");
    REQUIRE(bare);
    CHECK(bare->worktree.empty());
    CHECK(bare->common_dir == top / "b.git");
    CHECK(bare->object_format == "sha256");
    const auto linked = here("w");
    REQUIRE(linked);
    CHECK(linked->worktree == top / "w");
    CHECK(linked->git_dir == top / "r/.git/worktrees/w");
    CHECK(linked->common_dir == top / "r/.git");
    CHECK_FALSE(find_host_repo(top, variables));
    CHECK_FALSE(here("none/at/all"));
    scratch.file("broken/.git", "gitdir: /nowhere");
    CHECK_THROWS_WITH(here("broken"), Catch::Contains("/nowhere"));
    CHECK_THROWS_WITH(git.run({"rev-parse", "HEAD"}), Catch::Contains("exited with status 128"));
}

TEST_CASE("settings come from git itself", "[base][settings]") {
    const Scratch scratch;
    scratch.file("gitconfig",
                 "[scad]\n\tdocs = /a\n\tvalueless\n\tlines = \"a\\nb\"\n[Remote \"X.y\"]\n\tURL = u\n");
    std::vector<std::string> entries = world(scratch).for_host_git();
    entries.emplace_back("GIT_CONFIG_COUNT=1");
    entries.emplace_back("GIT_CONFIG_KEY_0=scad.docs");
    entries.emplace_back("GIT_CONFIG_VALUE_0=/c");
    const Settings settings = Settings::read(Variables(entries), scratch.path());
    CHECK(settings.all("scad.docs") == std::vector<std::string>{"/a", "/c"});
    CHECK(settings.get_bool("scad.valueless", false));
    CHECK(settings.get("scad.lines") == "a\nb");
    CHECK(settings.get("remote.X.y.url") == "u");
    scratch.file("gitconfig", "[broken\n");
    CHECK_THROWS_WITH(Settings::read(Variables(entries), scratch.path()), Catch::Contains("bad config"));
}
