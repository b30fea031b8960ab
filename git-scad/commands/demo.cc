#include "base/error.h"
#include "base/text.h"
#include "commands/all.h"
#include "commands/demo_world.h"
#include "commands/options.h"

#include <csignal>
#include <fmt/format.h>
#include <memory>

namespace scad::commands {
namespace {

constexpr std::string_view total_sh = R"(#!/bin/sh
# Prints the sum of the second column of a CSV file.
# TODO: the first line is a heading and must not count.
cut -d, -f2 "$1" | paste -sd+ | bc
)";

constexpr std::string_view task_md = R"(# Task

`total.sh` in the code repo counts the heading of a file as a number, and needs
`bc`, which is not installed everywhere. Put both right, try it on the samples,
and write down in `notes.md` here what you did.
)";

constexpr const char* claude_prompt =
    "Do what /work/docs/task.md asks. Commit your work in /work/code; leave notes.md in /work/docs "
    "uncommitted.";

constexpr std::string_view samples_csv = "fruit,pieces\napples,3\npears,4\nplums,35\n";

// What stands in for an agent: it reads the task, looks at the data, works in two repos, tries its work,
// commits. Each session goes its own way.
constexpr std::string_view agent_sh = R"sh(#!/bin/sh
set -eu
say() { printf '%s\n' "$*"; sleep 0.4; }
data=@DATA@/fruit.csv
say "I am in session $SCAD_SESSION and read the task:"
sed -n 3p /work/docs/task.md
say "The data is at $data, read-only:"
! { echo broken > "$data"; } 2>/dev/null && say "(I tried to write to it, and could not.)"
cd /work/code
case $SCAD_SESSION in
alpha)
    say "I write it in awk."
    printf '%s\n' '#!/bin/sh' '# Prints the sum of the second column of a CSV file.' \
        "awk -F, 'NR > 1 { sum += \$2 } END { print sum + 0 }' \"\$1\"" > total.sh
    git commit -qam "total: skip the heading, sum in awk" ;;
*)
    say "I write it as a loop of the shell."
    printf '%s\n' '#!/bin/sh' '# Prints the sum of the second column of a CSV file.' \
        'sum=0' '{' '    read -r heading' '    while IFS=, read -r name count; do sum=$((sum + count)); done' \
        '    echo "$sum"' '} < "$1"' > total.sh
    git commit -qam "total: skip the heading, sum without any program"
    printf '%s\n' '#!/bin/sh' 'test "$(sh total.sh "$1")" = 42' > test.sh
    git add test.sh
    git commit -qm "total: add a test" ;;
esac
say "I try it: the sum is $(sh total.sh "$data")"
echo "The sum skips the heading now." > /work/docs/notes.md
say "Done. I leave notes.md in docs uncommitted."
)sh";

class Demo {
  public:
    Demo(const base::Context& context, bool claude)
        : terminal_(context.terminal), world_(context), claude_(claude) {
        if (claude) model_ = context.variables.get("ANTHROPIC_BASE_URL").value_or("");
    }

    void run() {
        set_up();
        project();
        sessions();
        work();
        look();
        take();
        finish();
        world_.remove();
        say("That was all. Everything that this demo made is gone again: sessions, repos, settings.");
    }

  private:
    void say(std::string_view text) { terminal_.write("\n" + std::string(text) + "\n"); }

    // Shows a command, then runs it in a directory of the demo.
    void step(const std::string& directory, const std::vector<std::string>& argv) {
        std::vector<std::string> words;
        words.reserve(argv.size());
        for (const auto& word : argv) words.push_back(base::shell_quote(word));
        terminal_.line(terminal_.style(base::Style::cyan, directory + " $ ") +
                       terminal_.style(base::Style::bold, base::join(words, " ")));
        world_.run(directory, argv);
    }

    void set_up() {
        say(fmt::format(
            "This demo works in {} with settings of its own, and removes it in the end. It shows each\n"
            "command before it runs it. You could type them yourself.",
            world_.top().string()));
        say("1. You have two repos, code and docs, and a directory with data.");
        world_.write("home/.gitconfig",
                     "[user]\n\tname = Demo User\n\temail = demo@example.com\n"
                     "[init]\n\tdefaultBranch = main\n[advice]\n\tdetachedHead = false\n");
        world_.write("code/total.sh", total_sh);
        world_.write("docs/task.md", task_md);
        // Inside, the data is below /data, or where it is on this machine.
        std::string agent(agent_sh);
        agent.replace(agent.find("@DATA@"), 6,
                      fmt::format("$(ls -d /data/samples '{}/samples' 2>/dev/null | head -n 1)",
                                  world_.top().string()));
        world_.write("docs/agent.sh", agent);
        world_.write("samples/fruit.csv", samples_csv);
        for (const std::string repo : {"code", "docs"}) {
            step(repo, {"git", "init", "-q"});
            world_.run(repo, {"git", "add", "-A"});
            step(repo, {"git", "commit", "-q", "-m", "start"});
            // As most repos have one.
            world_.run(repo, {"git", "init", "-q", "--bare", "../origin/" + repo + ".git"});
            world_.run(repo, {"git", "remote", "add", "origin", "../origin/" + repo + ".git"});
            world_.run(repo, {"git", "push", "-q", "-u", "origin", "main"});
        }
    }

    void project() {
        say("2. A project file in the docs repo names the repos, and the data that sessions see read-only.");
        step("docs", {"git", "scad", "init", "demo", "../code", "--mount", "../samples"});
        world_.run("docs", {"git", "add", "-A"});
        world_.run("docs", {"git", "commit", "-q", "-m", "add the scad project"});
        allow_model();
        say("   What a project asks of this machine takes effect only once you have approved it.");
        step("docs", {"git", "scad", "config", "trust", "--yes", "demo"});
        say("   Building makes, once, what all sessions stand on: environment and base trees.");
        step("docs", {"git", "scad", "build", "demo"});
    }

    void sessions() {
        say("3. Two sessions: each has a copy of both repos on a branch of its own, in a sandbox of its "
            "own.\n"
            "   The second one costs no more than milliseconds and no disk, whatever the size of the repos.");
        step("docs", {"git", "scad", "session", "start", "demo", "alpha"});
        step("docs", {"git", "scad", "session", "start", "demo", "beta"});
    }

    void work() {
        say("4. The same work is injected into both at once; they cannot see each other, nor your home.");
        if (claude_) {
            step("docs", {"git", "scad", "inject", "alpha,beta", "--agent", "claude", "-m", claude_prompt});
            return;
        }
        say("   (No account is needed: the script docs/agent.sh plays the agent. `git scad demo --agent "
            "claude`\n"
            "   takes a real one, with -m \"<prompt>\" instead of a command.)");
        step("docs", {"git", "scad", "inject", "alpha,beta", "--", "sh", "/work/docs/agent.sh"});
    }

    void look() {
        say("5. What has become of it? Your own repos are as they were; the work waits in the sessions.");
        step("docs", {"git", "scad", "status"});
        say("   It comes back by plain git: each session is a remote of your repos.");
        for (const std::string repo : {"code", "docs"})
            for (const std::string session : {"alpha", "beta"})
                step(repo, {"git", "fetch", "scad/" + session});
        say("   Compare as you compare branches: against your own, and one attempt against the other.");
        step("code", {"git", "diff", "main...scad/alpha"});
        step("code", {"git", "range-diff", "--no-color", "main", "scad/alpha", "scad/beta"});
        say("   Over all repos at once, with what was not committed as the last entry:");
        step("docs", {"git", "scad", "code", "log", "alpha", "beta"});
        step("docs", {"git", "scad", "code", "diff", "--stat", "beta"});
    }

    void take() {
        say("6. Take the attempt that you like.");
        step("code", {"git", "merge", "--ff-only", "scad/alpha"});
        step("code", {"git", "log", "--oneline", "--decorate=no"});
    }

    void finish() {
        say("7. Finish: what is in the sessions is saved in your repos and they go to the trash, from where\n"
            "   `git scad session undelete` brings them back for a while. Nothing is lost.");
        step("docs", {"git", "scad", "finish", "alpha", "beta"});
        step("docs", {"git", "scad", "session", "list", "--trash"});
        say("   What was fetched stays as refs of your repos, until you drop that too:");
        step("docs", {"git", "scad", "code", "prune", "alpha", "beta"});
    }

    // A model of the user's own, elsewhere than the agent's makers have it, must be within the session's
    // reach.
    void allow_model() {
        if (model_.empty()) return;
        const auto host =
            model_.substr(0, model_.find('/', model_.find("//") + 2)).substr(model_.find("//") + 2);
        const bool encrypted = model_.starts_with("https://");
        const auto network =
            encrypted ? fmt::format("allow = [\"{}\"]\n", host) : std::string("mode = \"host\"\n");
        world_.write("docs/.scad/demo.local.toml", "[network]\n" + network);
        say(fmt::format("   (demo.local.toml lets sessions reach {}.)", base::visible(model_)));
    }

    base::Terminal& terminal_;
    DemoWorld world_;
    std::string model_;
    bool claude_;
};

struct Options {
    std::string agent = "command";
};

int demo(Invocation& invocation, const Options& options) {
    if (options.agent != "command" && options.agent != "claude")
        throw usage("--agent is 'command' or 'claude', not '{}'", options.agent);
    try {
        Demo(invocation.context, options.agent == "claude").run();
    } catch (const Error&) {
        const int number = demo_signal();
        if (number == 0) throw;
        // All is tidied up: end by the signal, as everybody expects.
        invocation.context.terminal.note("stopped; everything that the demo made is removed");
        std::signal(number, SIG_DFL);
        std::raise(number);
    }
    return 0;
}

} // namespace

Action set_up_demo(CLI::App& app) {
    auto options = std::make_shared<Options>();
    add_option(app, "--agent", "<agent>", options->agent, "command: no account needed; claude: the real one");
    return [options](Invocation& invocation) { return demo(invocation, *options); };
}

} // namespace scad::commands
