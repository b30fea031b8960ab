#include "project/load.h"
#include "project/rules.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

using namespace scad;

TEST_CASE("names") {
    for (const std::string good : {"a", "0", "atlas", "a.b", "a-b_c.d", "x123", "heads", "wip2", "a.locks"}) {
        INFO(good);
        CHECK(project::name_problem(good).empty());
    }
    CHECK(project::name_problem(std::string(40, 'a')).empty());
    for (const std::string bad : {"", "A", "-a", ".a", "_a", "a b", "a/b", "a..b", "a.lock", "head", "wip",
                                  "a.", "ä", "a\n", "a*", "a~", "a@{1}"}) {
        INFO(bad);
        CHECK_FALSE(project::name_problem(bad).empty());
    }
    CHECK_FALSE(project::name_problem(std::string(41, 'a')).empty());
}

TEST_CASE("places where a host directory may be mounted") {
    for (const std::string good : {"/data", "/data/x y", "/home/me/data", "/work/data", "/srv", "/var/data",
                                   "/run/data", "/usrlocal", "/tmpfs", "/home/agents"}) {
        INFO(good);
        CHECK(project::mount_target_problem(good).empty());
    }
    for (const std::string bad : {"",
                                  "x",
                                  "/",
                                  "/data/",
                                  "//data",
                                  "/data/./x",
                                  "/data/../x",
                                  "/usr",
                                  "/usr/x",
                                  "/etc",
                                  "/etc/ssl",
                                  "/proc",
                                  "/proc/self",
                                  "/dev",
                                  "/dev/shm",
                                  "/sys",
                                  "/run",
                                  "/run/scad",
                                  "/run/scad/x",
                                  "/opt",
                                  "/opt/scad",
                                  "/bin",
                                  "/lib",
                                  "/lib64/x",
                                  "/home",
                                  "/home/agent",
                                  "/home/agent/x",
                                  "/tmp",
                                  "/tmp/x",
                                  "/work",
                                  "/work/README.md",
                                  "/data/\x01"}) {
        INFO(bad);
        CHECK_FALSE(project::mount_target_problem(bad).empty());
    }
}

TEST_CASE("variables that a project may set") {
    for (const std::string good :
         {"A", "_x", "PYTHONPATH", "LD_LIBRARY_PATH", "TMPDIR", "GITHUB_TOKEN", "TZ"}) {
        INFO(good);
        CHECK(project::variable_problem(good).empty());
    }
    for (const std::string bad :
         {"", "1A", "A B", "A=B", "Ä", "PATH", "HOME", "USER", "SCAD_SESSION", "GIT_DIR", "GIT_CONFIG_COUNT",
          "LD_PRELOAD", "LD_AUDIT", "BASH_ENV", "HTTPS_PROXY", "no_proxy"}) {
        INFO(bad);
        CHECK_FALSE(project::variable_problem(bad).empty());
    }
}

TEST_CASE("entries of an allow list") {
    for (const std::string good :
         {"*", "@python", "@npm", "a", "a.example", "*.a.example", "a.example:8443", "*:80", "10.0.0.1",
          "10.0.0.1:80", "[::1]", "[::1]:80", "[fe80::1]:1", "A.Example", "a.b."}) {
        INFO(good);
        CHECK(project::allow_problem(good).empty());
    }
    for (const std::string bad :
         {"",    "@pypi", "http://a", "a/b",    "a.*.b",  "*a", "**",   "a:", "a:0", "a:65536", "a:x",
          "::1", "[::1",  "[a]",      "[::1]x", "[::1]:", "-a", "a..b", ".a", "a b", "*.",      "a\n"}) {
        INFO(bad);
        CHECK_FALSE(project::allow_problem(bad).empty());
    }
}

TEST_CASE("work branches") {
    for (const std::string good :
         {"{session}", "work", "agents/{session}", "a+b", "ü/x", "{session}-{session}"}) {
        INFO(good);
        CHECK(project::branch_problem(good).empty());
    }
    for (const std::string bad :
         {"",    "-x", ".x",  "/x", "x/",     "a//b", "a..b",  "a.lock", "a/.b", "HEAD", "a b",
          "a~1", "a^", "a:b", "a?", "{name}", "a{",   "a@{0}", "x.",     "a\\b", "a\x7f"}) {
        INFO(bad);
        CHECK_FALSE(project::branch_problem(bad).empty());
    }
}

TEST_CASE("addresses of repos") {
    for (const std::string good :
         {"https://example.org/a.git", "https://me@example.org/a", "ssh://git@example.org/a",
          "git@example.org:a.git", "git://example.org/a", "file:///srv/a.git"}) {
        INFO(good);
        CHECK(project::url_problem(good).empty());
    }
    for (const std::string bad :
         {"http://example.org/a", "ext::sh -c x", "ext::x", "fd::3", "../a", "/srv/a", "a",
          "https://me:pw@example.org/a", "--upload-pack=x", "ssh://-oProxyCommand=x/a",
          "https://example.org/a b", "https://example.org/\n"}) {
        INFO(bad);
        CHECK_FALSE(project::url_problem(bad).empty());
    }
}

TEST_CASE("paths inside a repo and revisions") {
    for (const std::string good : {"a", "a/b", ".env", ".gitignore", "a b"}) {
        INFO(good);
        CHECK(project::inner_path_problem(good).empty());
    }
    for (const std::string bad :
         {"/a", "~/a", "..", "../a", "a/../../b", "a/", "./a", "a//b", ".git", ".git/config"}) {
        INFO(bad);
        CHECK_FALSE(project::inner_path_problem(bad).empty());
    }
    for (const std::string good : {"main", "v1.0", "HEAD~3", "origin/main", "0123abcd"}) {
        CHECK(project::revision_problem(good).empty());
    }
    for (const std::string bad : {"-x", "--all", "a b", "a..b", "a\n"}) {
        CHECK_FALSE(project::revision_problem(bad).empty());
    }
    CHECK(project::is_at_or_below("/a/b", "/a"));
    CHECK(project::is_at_or_below("/a", "/a"));
    CHECK(project::is_at_or_below("/a", "/"));
    CHECK_FALSE(project::is_at_or_below("/ab", "/a"));
    CHECK_FALSE(project::is_at_or_below("/", "/a"));
}
