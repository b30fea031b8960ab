#include "base/file.h"
#include "base/text.h"
#include "workspace/base_tree.h"
#include "workspace/clone.h"
#include "workspace/ref_files.h"
#include "workspace/workspace.h"

#include <catch2/catch.hpp>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <sys/stat.h>

#include "base/json.h"

using namespace scad::workspace;
namespace fs = std::filesystem;

namespace {

// Gone with all that is in it at the end of a test.
struct Scratch {
    fs::path path = fs::temp_directory_path() / ("scad-unit-" + scad::base::random_hex(8));
    Scratch() { fs::create_directories(path); }
    ~Scratch() { scad::base::remove_tree(path); }
    Scratch(const Scratch&) = delete;
    Scratch& operator=(const Scratch&) = delete;
};

Origin example() {
    Origin origin;
    origin.name = "code";
    origin.host = {"/h/atlas", "/h/atlas/.git", "/h/atlas/.git", "/h/atlas/.git/objects", "sha1", false};
    origin.objects = {"/h/atlas/.git/objects", "/h/other/objects"};
    origin.base_commit = std::string(40, 'a');
    origin.base_branch = "main";
    origin.origin_url = "git@host:atlas.git";
    origin.tags = {{"refs/tags/v1", std::string(40, 'b')}, {"refs/tags/a", std::string(40, 'c')}};
    origin.user_name = "Ada \"L\"";
    origin.user_email = "ada@example.org";
    return origin;
}

} // namespace

TEST_CASE("the config of a session's repo", "[workspace]") {
    const std::string offering =
        "echo \\\"scad: origin is as the host's repo was when the session started or was last updated; "
        "'git scad session update ${SCAD_SESSION:-<session>}' on the host brings what is new\\\" >&2; "
        "GIT_NAMESPACE=scad-origin git-upload-pack";
    Origin origin = example();
    CHECK(git_config(origin) ==
          "[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = false\n\tlogallrefupdates = "
          "true\n"
          "[user]\n\tname = \"Ada \\\"L\\\"\"\n\temail = \"ada@example.org\"\n"
          "[remote \"origin\"]\n\turl = \"git@host:atlas.git\"\n\tfetch = "
          "+refs/heads/*:refs/remotes/origin/*\n\tuploadpack = \"" +
              offering +
              "\"\n[url \"/work/code/.git\"]\n\tinsteadOf = \"git@host:atlas.git\"\n"
              "[url \"git@host:atlas.git\"]\n\tpushInsteadOf = \"git@host:atlas.git\"\n");
    origin.origin_url.clear();
    origin.host.object_format = "sha256";
    origin.settings = {{"core.autocrlf", "input"}};
    CHECK(git_config(origin) ==
          "[core]\n\trepositoryformatversion = 1\n\tfilemode = true\n\tbare = false\n\tlogallrefupdates = "
          "true\n"
          "\tautocrlf = \"input\"\n[extensions]\n\tobjectFormat = sha256\n"
          "[user]\n\tname = \"Ada \\\"L\\\"\"\n\temail = \"ada@example.org\"\n"
          "[remote \"origin\"]\n\turl = \"/work/code/.git\"\n\tfetch = "
          "+refs/heads/*:refs/remotes/origin/*\n\tuploadpack = \"" +
              offering + "\"\n");
    // What a partial clone lacks cannot be had from itself.
    origin.host.object_format.clear();
    origin.settings.clear();
    origin.partial = true;
    CHECK(git_config(origin).find("uploadpack") == std::string::npos);
}

TEST_CASE("refs of a session's repo are sorted, the tags known as the host's", "[workspace]") {
    const Origin origin = example();
    const std::string a(40, 'a');
    CHECK(packed_refs(origin, "alpha") == "# pack-refs with: sorted \n" + a + " refs/heads/alpha\n" + a +
                                              " refs/namespaces/scad-origin/refs/heads/main\n" + a +
                                              " refs/remotes/origin/main\n" + std::string(40, 'c') +
                                              " refs/tags/a\n" + std::string(40, 'b') + " refs/tags/v1\n");
    CHECK(tag_list(origin) ==
          "refs/tags/a " + std::string(40, 'c') + "\nrefs/tags/v1 " + std::string(40, 'b') + "\n");
}

TEST_CASE("a git directory is written whole", "[workspace]") {
    const Scratch scratch;
    Origin origin = example();
    origin.host.common_dir = scratch.path / "host";
    fs::create_directories(origin.host.common_dir / "info");
    scad::base::replace_file(origin.host.common_dir / "shallow", std::string(40, 'd') + "\n");
    scad::base::replace_file(origin.host.common_dir / "info" / "exclude", "*.swp\n");
    scad::base::replace_file(scratch.path / "index", "DIRC");
    const fs::path git = scratch.path / "git";
    write_git_directory(git, origin, "alpha", scratch.path / "index");
    const auto content = [&](const char* name) { return scad::base::read_file(git / name); };
    CHECK(content("HEAD") == "ref: refs/heads/alpha\n");
    CHECK(content("objects/info/alternates") == "/run/scad/objects/code/0\n/run/scad/objects/code/1\n");
    CHECK(content("refs/remotes/origin/HEAD") == "ref: refs/remotes/origin/main\n");
    CHECK(content("shallow") == std::string(40, 'd') + "\n");
    CHECK(content("info/exclude") == "*.swp\n");
    CHECK(content("index") == "DIRC");
    CHECK(fs::is_empty(git / "hooks"));
    CHECK_THROWS_AS(write_git_directory(scratch.path / "other", origin, "a..b", {}), scad::Error);
}

TEST_CASE("a base tree is named by repo, commit and what a checkout depends on", "[workspace]") {
    Origin origin = example();
    const std::string plain = base_tree_key(origin);
    CHECK(plain.ends_with('/' + origin.base_commit));
    CHECK(plain.find('/') == 16);
    origin.name = "other";
    origin.user_name = "Somebody";
    CHECK(base_tree_key(origin) == plain);
    origin.settings = {{"core.autocrlf", "true"}};
    CHECK(base_tree_key(origin) != plain);
    origin.settings.clear();
    origin.host.common_dir = "/elsewhere";
    CHECK(base_tree_key(origin) != plain);
}

TEST_CASE("a base tree that somebody has emptied is not whole", "[workspace]") {
    const Scratch scratch;
    const BaseTree tree{scratch.path / "t"};
    CHECK_FALSE(is_whole(tree));
    fs::create_directories(tree.tree() / ".git");
    fs::create_directories(tree.tree() / "src");
    scad::base::replace_file(tree.index(), "DIRC");
    ::chmod(tree.tree().c_str(), 0555);
    scad::base::write_document(tree.directory / "marker.json",
                               {{"version", 1}, {"top", 4}}); // with "." and ".."
    CHECK(is_whole(tree));
    SECTION("a file is gone") {
        ::chmod(tree.tree().c_str(), 0755);
        fs::remove(tree.tree() / "src");
        ::chmod(tree.tree().c_str(), 0555);
        CHECK_FALSE(is_whole(tree));
    }
    SECTION("its top is writable") {
        ::chmod(tree.tree().c_str(), 0755);
        CHECK_FALSE(is_whole(tree));
    }
    SECTION("by a newer scad") {
        scad::base::write_document(tree.directory / "marker.json", {{"version", 2}, {"top", 4}});
        CHECK_FALSE(is_whole(tree));
    }
    SECTION("no index") {
        fs::remove(tree.index());
        CHECK_FALSE(is_whole(tree));
    }
    ::chmod(tree.tree().c_str(), 0755);
}

// git inside would print an error for each host path in such a file.
TEST_CASE("object directories with alternates of their own hide these", "[workspace]") {
    const Scratch scratch;
    fs::create_directories(scratch.path / "o1" / "info");
    fs::create_directories(scratch.path / "o2");
    scad::base::replace_file(scratch.path / "o1" / "info" / "alternates", "/x\n");
    const fs::path directory = scratch.path / "repo";
    const auto workspace = make_workspace("overlay");
    const auto mounts =
        workspace->mounts(directory, "code", {"/t"}, {scratch.path / "o1", scratch.path / "o2"});
    using scad::engine::Bind;
    using scad::engine::Mount;
    using scad::engine::Overlay;
    CHECK(mounts == std::vector<Mount>{
                        {"/run/scad/objects/code/0", Bind{scratch.path / "o1", false}},
                        {"/run/scad/objects/code/0/info/alternates", Bind{directory / "empty", false}},
                        {"/run/scad/objects/code/1", Bind{scratch.path / "o2", false}},
                        {"/work/code",
                         Overlay{{"/t/tree"}, directory / "upper", directory / "work", directory / "git"}}});
    CHECK(git_only_mounts(directory, "code", {scratch.path / "o2"}) ==
          std::vector<Mount>{{"/run/scad/objects/code/0", Bind{scratch.path / "o2", false}},
                             {"/work/code/.git", Bind{directory / "git", false}}});
    CHECK(make_workspace("copy")->mounts(directory, "code", {}, {}) ==
          std::vector<Mount>{{"/work/code", Bind{directory / "files", true, directory / "git"}}});
    CHECK_THROWS_AS(make_workspace("none"), scad::Error);
}

TEST_CASE("a made workspace", "[workspace]") {
    const Scratch scratch;
    Origin origin = example();
    origin.host.common_dir = scratch.path / "host";
    scad::base::Paths paths;
    paths.state = scratch.path / "state";
    const BaseTree tree = base_tree_at(paths, base_tree_key(origin));
    fs::create_directories(tree.tree());
    ::chmod(tree.tree().c_str(), 0555);
    scad::base::replace_file(tree.index(), "DIRC");
    scad::base::write_document(tree.directory / "marker.json", {{"version", 1}, {"top", 2}});
    REQUIRE(is_whole(tree));
    const fs::path directory = scratch.path / "s" / "repos" / "code";
    // The base tree is there, so that no sandbox is started.
    make_workspace("overlay")->make(directory, origin, "alpha",
                                    {paths, *scad::engine::make_engine("bubblewrap"), {}});
    for (const char* part : {"git", "upper", "work"}) {
        struct stat status {};
        REQUIRE(::lstat((directory / part).c_str(), &status) == 0);
        CHECK((status.st_mode & 07777) == 0700);
    }
    CHECK(fs::is_regular_file(directory / "lock"));
    CHECK(scad::base::read_file(directory / "git" / "index") == "DIRC");
}

TEST_CASE("names in packed-refs", "[workspace]") {
    const std::string id(40, '1');
    const std::string packed = "# pack-refs with: peeled fully-peeled sorted \n" + id +
                               " refs/heads/scad/alpha\n" + id + " refs/heads/scad/alphabet\n" + id +
                               " refs/tags/v1\n^" + id + "\n" + id + " refs/tags/v2";
    CHECK(packed_ref_names(packed, "refs/heads/scad/alpha") ==
          std::vector<std::string>{"refs/heads/scad/alpha"});
    CHECK(packed_ref_names(packed, "refs/tags/") == std::vector<std::string>{"refs/tags/v1", "refs/tags/v2"});
    CHECK(packed_ref_names(packed, "refs/remotes/").empty());
    CHECK(packed_ref_names("", "refs/tags/").empty());
    CHECK(packed_ref_names(" refs/tags/x", "refs/tags/") == std::vector<std::string>{"refs/tags/x"});
}

TEST_CASE("refs as files", "[workspace]") {
    const Scratch scratch;
    const scad::base::Variables none{{}};
    const std::string id(40, '1');
    CHECK(ref_names(scratch.path, "refs/tags/", none).empty());
    make_ref(scratch.path, "refs/x/a/b", id, none);
    CHECK(scad::base::read_file(scratch.path / "refs/x/a/b") == id + "\n");
    scad::base::replace_file(scratch.path / "packed-refs", id + " refs/x/a/b\n" + id + " refs/x/c\n");
    scad::base::replace_file(scratch.path / "refs/x/a/d.lock", "");
    CHECK(ref_names(scratch.path, "refs/x/", none) == std::vector<std::string>{"refs/x/a/b", "refs/x/c"});
    CHECK(ref_names(scratch.path, "refs/x/a", none).empty());
    CHECK(ref_names(scratch.path, "refs/x/c", none) == std::vector<std::string>{"refs/x/c"});
    CHECK_THROWS_AS(make_ref(scratch.path, "refs/x/a/d", id, none), scad::Error);
    CHECK(fs::exists(scratch.path / "refs/x/a/d.lock"));
}
