// Would catch: columns that do not line up or run over the edge, porcelain records that cannot be split
// again.
#include "base/host_git.h"
#include "base/table.h"
#include "base/variables.h"

#include <catch2/catch.hpp>

using namespace scad::base;
using namespace std::string_literals;

namespace {

using Entries = std::vector<std::pair<std::string, std::string>>;
const Settings no_colour(Entries{{"color.ui", "never"}});
const Settings colour(Entries{{"color.ui", "always"}});

} // namespace

TEST_CASE("tables", "[base][table]") {
    const Terminal terminal(Variables(std::vector<std::string>{}), no_colour);
    Table table(std::vector<Table::Column>{{"NAME"}, {"AHEAD", true}, {"PROMPT", false, true}});
    CHECK(table.empty());
    table.add({{"alpha"}, {"12"}, {"fix the loader of the data"}});
    table.add({{"日本"}, {"3"}, {""}});
    CHECK(table.render(terminal, 0) ==
          "NAME   AHEAD  PROMPT\n"
          "alpha     12  fix the loader of the data\n"
          "日本       3\n");
    CHECK(table.render(terminal, 30) ==
          "NAME   AHEAD  PROMPT\n"
          "alpha     12  fix the loader …\n"
          "日本       3\n");
    // What cannot shrink stays.
    CHECK(table.render(terminal, 5) ==
          "NAME   AHEAD  PRO…\n"
          "alpha     12  fix…\n"
          "日本       3\n");
}

TEST_CASE("columns that can be spared go before others are cut", "[base][table]") {
    const Terminal terminal(Variables(std::vector<std::string>{}), no_colour);
    Table table(std::vector<Table::Column>{
        {"NAME"}, {"BRANCH", false, true, 2}, {"AHEAD", true, false, 1}, {"CHANGES", false, true}});
    table.add({{"a-long-name"}, {"a-long-branch"}, {"12"}, {"3 mod, 4 new"}});
    CHECK(table.render(terminal, 48) ==
          "NAME         BRANCH         AHEAD  CHANGES\n"
          "a-long-name  a-long-branch     12  3 mod, 4 new\n");
    CHECK(table.render(terminal, 38) ==
          "NAME         BRANCH    AHEAD  CHANGES\n"
          "a-long-name  a-long-…     12  3 mod, …\n");
    CHECK(table.render(terminal, 34) ==
          "NAME         AHEAD  CHANGES\n"
          "a-long-name     12  3 mod,…\n");
    CHECK(table.render(terminal, 20) ==
          "NAME         CHANGES\n"
          "a-long-name  3 mod,…\n");
    CHECK(table.render(terminal, 1) ==
          "NAME         CHA…\n"
          "a-long-name  3 m…\n");
}

TEST_CASE("styles take no room", "[base][table]") {
    const Terminal terminal(Variables(std::vector<std::string>{}), colour);
    Table table(std::vector<Table::Column>{{"A"}, {"B"}});
    table.add({{"x", Style::red}, {"y"}});
    CHECK(table.render(terminal, 80) == "\033[1mA\033[m  \033[1mB\033[m\n\033[31mx\033[m  y\n");
}

TEST_CASE("porcelain records", "[base][table]") {
    CHECK(porcelain_record({"a", "", "b c"}, false) == "a\t-\tb c\n");
    CHECK(porcelain_record({"a\tb", "ü"}, false) == "\"a\\tb\"\t\"\\303\\274\"\n");
    CHECK(porcelain_record({"a\tb\nc", "", "\"ü\""}, true) == "a b c\t-\t\"ü\"\0"s);
}

TEST_CASE("colour is decided as git does", "[base][terminal]") {
    struct Case {
        Entries settings;
        std::vector<std::string> variables;
        bool coloured;
    };
    const std::string term = "TERM=xterm";
    // Standard output of the tests may be a terminal: only what does not depend on it.
    const auto c = GENERATE_COPY(values<Case>({
        {{{"color.ui", "always"}}, {}, true},
        {{{"color.ui", "always"}}, {term, "NO_COLOR=1"}, true},
        {{{"color.ui", "never"}}, {term}, false},
        {{{"color.ui", "false"}}, {term}, false},
        {{{"color.ui", "always"}, {"color.scad", "never"}}, {term}, false},
        {{{"color.ui", "never"}, {"color.scad", "always"}}, {}, true},
        {{}, {term, "NO_COLOR=1"}, false},
        {{}, {"TERM=dumb"}, false},
        {{}, {}, false},
        {{}, {term, "GIT_PAGER_IN_USE=true"}, true},
        {{{"color.pager", "false"}, {"color.ui", "never"}}, {term, "GIT_PAGER_IN_USE=true"}, false},
    }));
    const Terminal terminal(Variables(c.variables), Settings(c.settings));
    CHECK((terminal.style(Style::red, "x") == "\033[31mx\033[m") == c.coloured);
    CHECK(terminal.style(Style::plain, "x") == "x");
}

TEST_CASE("width comes from COLUMNS first", "[base][terminal]") {
    CHECK(Terminal(Variables(std::vector<std::string>{"COLUMNS=123"}), no_colour).width() == 123);
    CHECK(Terminal(Variables(std::vector<std::string>{"COLUMNS=x"}), no_colour).width() > 0);
}
