#include "workspace/host_changes.h"
#include "workspace/include.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

using namespace scad::workspace;

namespace {

// Lines that end in NUL, as `git status -z` prints them.
std::string status(const std::vector<std::string>& lines) {
    std::string text;
    for (const std::string& line : lines) text.append(line).push_back('\0');
    return text;
}

const std::string modes = "100644 100644 100644 " + std::string(40, '1') + ' ' + std::string(40, '2') + ' ';
const std::string gitlink = "160000 160000 160000 " + std::string(40, '1') + ' ' + std::string(40, '2') + ' ';

} // namespace

TEST_CASE("what git status tells of uncommitted work", "[workspace]") {
    const std::string head(40, 'a');
    const HostChanges changes = parse_host_changes(
        status({"# branch.oid " + head, "# branch.head main", "1 .M N... " + modes + "a b",
                "1 A. N... " + modes + "new", "1 .D N... " + modes + "gone", "2 R. N... " + modes + "R100 to",
                "? not a line of its own", "? untracked\nin two", "? nested/", "! ignored",
                "1 .M SC.. " + gitlink + "moved", "1 .M S.M. " + gitlink + "dirty",
                "1 .M S..U " + gitlink + "littered",
                "u UU N... 100644 100644 100644 100644 " + std::string(40, '1') + ' ' + std::string(40, '2') +
                    ' ' + std::string(40, '3') + " both"}));
    CHECK(changes.head == head);
    CHECK(changes.tracked == std::vector<std::string>{"a b", "new", "gone", "to", "moved"});
    CHECK(changes.untracked == std::vector<std::string>{"untracked\nin two"});
    CHECK(changes.nested == std::vector<std::string>{"nested"});
    CHECK(changes.submodules == std::vector<std::string>{"dirty", "littered"});
    CHECK(changes.conflicted == std::vector<std::string>{"both"});
    CHECK_FALSE(changes.empty());
}

TEST_CASE("nothing uncommitted", "[workspace]") {
    CHECK(parse_host_changes("").empty());
    CHECK(parse_host_changes(status({"# branch.oid (initial)", "? nested/", "1 bad"})).empty());
}

TEST_CASE("uncommitted work in words", "[workspace]") {
    HostChanges changes;
    changes.tracked = {"a"};
    CHECK(describe_changes(changes) == "1 changed file (a)");
    changes.untracked = {"b", "c"};
    CHECK(describe_changes(changes) == "1 changed and 2 untracked files (a, b, c)");
    changes.conflicted = {"d"};
    CHECK(describe_changes(changes) == "2 changed and 2 untracked files (a, d, b …)");
    changes.tracked.clear();
    changes.conflicted.clear();
    CHECK(describe_changes(changes) == "2 untracked files (b, c)");
}

TEST_CASE("links that stay in their repo", "[workspace]") {
    CHECK(stays_inside("a/link", "file"));
    CHECK(stays_inside("a/link", "../b/file"));
    CHECK(stays_inside("a/b/link", "../.."));
    CHECK(stays_inside("link", "..file"));
    CHECK_FALSE(stays_inside("link", "../file"));
    CHECK_FALSE(stays_inside("a/link", "../../file"));
    CHECK_FALSE(stays_inside("a/link", "b/../../../file"));
    CHECK_FALSE(stays_inside("a/link", "/etc/passwd"));
    CHECK_FALSE(stays_inside("a/link", ""));
}
