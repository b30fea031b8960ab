// From words to a command: names, options that go with their values, suggestions, and the help of all
// commands as one golden file.
#include "base/error.h"
#include "commands/inject.h"
#include "commands/options.h"
#include "commands/parse.h"

#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>
#include <sstream>

using namespace scad;
using commands::CommandLine;

namespace {

CommandLine parse(std::vector<std::string> words) {
    CommandLine line;
    commands::parse_command_line(std::move(words), line);
    return line;
}

Error problem(std::vector<std::string> words) {
    try {
        parse(std::move(words));
    } catch (const Error& error) {
        return error;
    }
    return no("no error");
}

} // namespace

TEST_CASE("a command is found by one or two words, with options of scad's own around it", "[commands]") {
    const auto line = parse({"-C", "a", "-q", "session", "list", "-C", "b", "-v", "--json"});
    REQUIRE(line.command != nullptr);
    CHECK(line.command->name == "session list");
    CHECK(line.wish == CommandLine::Wish::run);
    CHECK(line.globals.directories == std::vector<std::string>{"a", "b"});
    CHECK(line.globals.quiet);
    CHECK(line.globals.verbose);
    CHECK(parse({"status"}).command->name == "status");
}

TEST_CASE("help is asked for in many ways", "[commands]") {
    CHECK(parse({}).wish == CommandLine::Wish::short_help);
    CHECK_FALSE(parse({}).complete);
    CHECK(parse({"-h"}).complete);
    CHECK(parse({"--help"}).wish == CommandLine::Wish::manual);
    CHECK(parse({"--version"}).wish == CommandLine::Wish::version);
    CHECK(parse({"session"}).group == "session");
    CHECK_FALSE(parse({"session"}).complete);
    CHECK(parse({"session", "-h"}).complete);
    CHECK(commands::manual_page(parse({"session", "--help"})) == "git-scad-session");
    CHECK(commands::manual_page(parse({"session", "rm", "--help"})) == "git-scad-session");
    CHECK(parse({"session", "rm", "--help"}).wish == CommandLine::Wish::manual);
    CHECK(commands::manual_page(parse({"--help", "inject"})) == "git-scad-inject");
    CHECK(commands::manual_page(parse({"--help"})) == "git-scad");
    CHECK(parse({"inject", "-h"}).wish == CommandLine::Wish::short_help);
    // The value of an option is no wish for help.
    CHECK(parse({"inject", "alpha", "-m", "-h"}).wish == CommandLine::Wish::run);
}

TEST_CASE("what follows -- reaches the command in order", "[commands]") {
    const auto line = parse({"inject", "alpha", "--", "sh", "-c", "echo --", "--", "x"});
    CHECK(line.has_words);
    CHECK(line.words == std::vector<std::string>{"sh", "-c", "echo --", "--", "x"});
    CHECK(parse({"inject", "alpha", "--"}).has_words);
    CHECK_FALSE(parse({"inject", "alpha"}).has_words);
    // Where no command can follow, -- only ends the options.
    CHECK(parse({"session", "show", "--", "alpha"}).wish == CommandLine::Wish::run);
    CHECK(problem({"session", "show", "--", "-alpha"}).kind == Error::Kind::usage);
}

TEST_CASE("wrong words are told with the nearest right one", "[commands]") {
    CHECK(problem({"injetc"}).message == "'injetc' is not a scad command");
    CHECK(problem({"injetc"}).hint == "did you mean 'inject'?");
    CHECK(problem({"logs"}).hint == "did you mean 'job logs'?");
    CHECK(problem({"session", "strat"}).hint == "did you mean 'start'?");
    CHECK(problem({"session", "list", "--jsno"}).hint == "did you mean '--json'?");
    CHECK(problem({"session", "show"}).message == "<session> is missing");
    // Told, and not the argument that it may have cost.
    CHECK(problem({"session", "show", "--jsno"}).message == "unknown option '--jsno'");
    CHECK(problem({"session", "show", "--jsno"}).hint == "did you mean '--json'?");
    CHECK(problem({"inject", "--modle=x"}).hint == "did you mean '--model'?");
    CHECK(problem({"session", "show", "a", "b"}).message == "unexpected argument 'b'");
    CHECK(problem({"inject", "alpha", "--agent"}).message == "option '--agent' wants one value");
    CHECK(problem({"-C"}).message == "no directory given for '-C'");
    for (const auto& words : {std::vector<std::string>{"x"}, {"session", "x"}, {"inject"}, {"status", "--x"}})
        CHECK(problem(words).kind == Error::Kind::usage);
}

TEST_CASE("--continue takes a job by = only", "[commands]") {
    // "fix it" is the prompt, not the value.
    CHECK(parse({"inject", "alpha", "--continue", "fix it"}).wish == CommandLine::Wish::run);
    CHECK(parse({"inject", "-c", "alpha", "fix it"}).wish == CommandLine::Wish::run);
    CHECK(parse({"inject", "alpha", "--continue=3", "fix it"}).wish == CommandLine::Wish::run);
    CHECK(problem({"inject", "alpha", "-c", "fix it", "more"}).kind == Error::Kind::usage);

    session::InjectOptions options;
    commands::choose_conversation("last", {"alpha", "beta"}, options);
    CHECK(options.resume);
    CHECK_FALSE(options.resume_job);
    commands::choose_conversation("3", {"alpha"}, options);
    CHECK(options.resume_job == 3U);
    commands::choose_conversation("alpha:12", {"alpha"}, options);
    CHECK(options.resume_job == 12U);
    const std::string bad = GENERATE("", "x", "0", "beta:3", "3x", "-1");
    INFO(bad);
    CHECK_THROWS_AS(commands::choose_conversation(bad, {"alpha"}, options), Error);
    CHECK_THROWS_AS(commands::choose_conversation("3", {"alpha", "beta"}, options), Error);
}

TEST_CASE("lists of names", "[commands]") {
    using commands::parse_names;
    CHECK(parse_names({"alpha,beta", "gamma", "alpha"}) ==
          std::vector<std::string>{"alpha", "beta", "gamma"});
    CHECK(parse_names({"loader-*"}) == std::vector<std::string>{"loader-*"});
    const std::string bad = GENERATE("", ",", "a,,b", "a,");
    INFO(bad);
    CHECK_THROWS_AS(parse_names({bad}), Error);
}

TEST_CASE("values of options", "[commands]") {
    CHECK(commands::parse_count("-n", "3", 10) == 3);
    for (const auto* bad : {"", "0", "11", "x", "3x", "-1", "1.5"}) {
        INFO(bad);
        CHECK_THROWS_AS(commands::parse_count("-n", bad, 10), Error);
    }
    CHECK(commands::parse_seconds("--idle", "1h30m").count() == 5400);
    for (const auto* bad : {"", "0", "soon", "-5s"}) {
        INFO(bad);
        CHECK_THROWS_AS(commands::parse_seconds("--idle", bad), Error);
    }
}

TEST_CASE("the help of all commands", "[commands]") {
    std::string text = commands::short_help({});
    std::string last_group;
    for (const auto& command : commands::all_commands()) {
        CommandLine line;
        line.command = &command;
        text += "\n=== git scad " + std::string(command.name) + " -h\n" + commands::short_help(line);
    }
    const std::string path = SCAD_SOURCE_DIR "/tests/golden/help/all.out";
    if (std::getenv("SCAD_ACCEPT") != nullptr) std::ofstream(path) << text;
    std::ifstream file(path);
    std::stringstream golden;
    golden << file.rdbuf();
    INFO("SCAD_ACCEPT=1 writes " << path << " anew");
    CHECK(text == golden.str());
}
