#include "workspace/origin_text.h"

#include <catch2/catch.hpp>
#include <utility>

using namespace scad::workspace;

// A password in a url of the user's would be readable in every session.
TEST_CASE("urls lose what could be a secret and nothing else", "[workspace]") {
    const auto [url, wanted] = GENERATE(table<std::string, std::string>({
        {"https://github.com/a/b.git", "https://github.com/a/b.git"},
        {"https://user@github.com/a/b.git", "https://github.com/a/b.git"},
        {"https://user:secret@github.com/a/b.git", "https://github.com/a/b.git"},
        {"https://user:se@cret@github.com:8443/a/b.git", "https://github.com:8443/a/b.git"},
        {"HTTPS://token@host/x", "HTTPS://host/x"},
        {"http://u:p@[::1]:80/x@y", "http://[::1]:80/x@y"},
        {"https://u:p@host", "https://host"},
        {"https://host/x?private_token=abc", "https://host/x"},
        {"https://host/x#abc", "https://host/x"},
        {"git@github.com:a/b.git", "git@github.com:a/b.git"},
        {"ssh://git@host/a", "ssh://git@host/a"},
        {"ssh://git:secret@host:22/a", "ssh://git@host:22/a"},
        {"git+ssh://u:p@host/a", "git+ssh://u@host/a"},
        {"ftp://u:p@host/a", "ftp://host/a"},
        {"persistent-https::https://u:p@host/a", "persistent-https::https://host/a"},
        {"file:///home/u@x/a", "file:///home/u@x/a"},
        {"/home/u/a@b.git", "/home/u/a@b.git"},
        {"../relative", "../relative"},
        {"", ""},
    }));
    CHECK(without_credentials(url) == wanted);
}

TEST_CASE("alternates are read as git reads them", "[workspace]") {
    CHECK(parse_alternates("").empty());
    CHECK(parse_alternates("# a comment\n\n/a/objects\n../../b/objects\n/last") ==
          std::vector<std::string>{"/a/objects", "../../b/objects", "/last"});
    CHECK(parse_alternates("\"/new\\nline\\\"\\303\\244\"\n") ==
          std::vector<std::string>{"/new\nline\"\xc3\xa4"});
    CHECK(parse_alternates("\"/unterminated\n\"/bad\\q\"\n\"\\40\"\n").empty());
    CHECK(parse_alternates("/with \"quotes\" inside\n") ==
          std::vector<std::string>{"/with \"quotes\" inside"});
}

TEST_CASE("alternates are written so that they are read back", "[workspace]") {
    const std::string path = GENERATE(as<std::string>{}, "/plain", "/with\nnewline", "\"quoted\"", "#hash",
                                      "/back\\slash", "/both\\\n\"", "/cr\r");
    CHECK(parse_alternates(alternates_line(path) + '\n') == std::vector<std::string>{path});
}

TEST_CASE("C-quoted strings", "[workspace]") {
    std::string bytes = "unchanged";
    CHECK_FALSE(c_unquote("plain", bytes));
    CHECK_FALSE(c_unquote("\"", bytes));
    CHECK_FALSE(c_unquote("\"a\"b\"", bytes));
    CHECK_FALSE(c_unquote("\"\\777\"", bytes));
    CHECK_FALSE(c_unquote("\"\\1\"", bytes));
    CHECK_FALSE(c_unquote("\"\\\"", bytes));
    CHECK(bytes == "unchanged");
    CHECK(c_unquote("\"\\001\\t\\\\\\\"\\377\"", bytes));
    CHECK(bytes == "\x01\t\\\"\xff");
}

// A name that breaks out of its line would be a setting of its own ("core.sshCommand").
TEST_CASE("config values cannot end their line", "[workspace]") {
    CHECK(config_value("Jo \"the\" Doe\\") == "\"Jo \\\"the\\\" Doe\\\\\"");
    CHECK(config_value("a\n[core]\n\tpager = x") == "\"a\\n[core]\\n\\tpager = x\"");
    CHECK(config_value("a\r\n") == "\"a\\n\"");
    CHECK(config_value(" # ; ") == "\" # ; \"");
}

TEST_CASE("the branch of a HEAD file", "[workspace]") {
    CHECK(branch_of_head("ref: refs/heads/main\n") == "main");
    CHECK(branch_of_head("ref:refs/heads/a/b") == "a/b");
    CHECK(branch_of_head("ref: refs/remotes/x\n").empty());
    CHECK(branch_of_head("0123456789012345678901234567890123456789\n").empty());
    CHECK(branch_of_head("").empty());
}

TEST_CASE("branch names that git takes", "[workspace]") {
    for (const char* name : {"main", "a/b", "scad-1", "x.y", "\xc3\xa4", "a@b"}) CHECK(is_branch_name(name));
    for (const char* name :
         {"",    "HEAD", "@",  "-x", "a..b", "a/", "/a", "a//b", ".a",   "a/.b", "a.lock", "a.lock/b",
          "a b", "a~",   "a^", "a:", "a?",   "a*", "a[", "a\\b", "a@{b", "a.",   "a\nb",   "a\x7f"}) {
        CHECK_FALSE(is_branch_name(name));
    }
}

TEST_CASE("Git LFS is seen in attributes", "[workspace]") {
    CHECK(mentions_lfs("*.bin filter=lfs diff=lfs merge=lfs -text\n"));
    CHECK_FALSE(mentions_lfs("# *.bin filter=lfs\n*.txt text\n"));
    CHECK_FALSE(mentions_lfs(""));
}
