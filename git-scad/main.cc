#include "base/error.h"
#include "base/fd.h"
#include "base/process.h"
#include "commands/parse.h"

#include <csignal>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <optional>
#include <unistd.h>

namespace {

using namespace scad;
using commands::CommandLine;

constexpr int wrong_usage = 129; // also the status of a short help, as git has it

void print(FILE* to, const std::string& text) {
    std::fwrite(text.data(), 1, text.size(), to);
    std::fflush(to);
}

void change_directory(const std::vector<std::string>& directories) {
    for (const auto& directory : directories) {
        if (!directory.empty() && ::chdir(directory.c_str()) != 0)
            throw system_error(errno, "cannot change to '{}'", directory);
    }
}

// The manual page of the build tree or the installation that this program is part of.
std::optional<std::filesystem::path> own_page(const std::string& page) {
    std::error_code error;
    const auto self = std::filesystem::read_symlink("/proc/self/exe", error);
    if (error) return std::nullopt;
    for (const auto* ending : {".1", ".1.gz"}) {
        auto path = self.parent_path().parent_path() / "share/man/man1" / (page + ending);
        if (std::filesystem::exists(path, error)) return path;
    }
    return std::nullopt;
}

int show_manual(const CommandLine& line, const base::Variables& variables) {
    const auto page = commands::manual_page(line);
    if (base::find_program("man", variables.entries())) {
        std::vector<std::string> argv = {"man", page};
        if (const auto path = own_page(page)) argv = {"man", path->string()};
        base::Command command{.argv = std::move(argv)};
        command.in = base::Stream::inherit();
        command.out = base::Stream::inherit();
        command.err = base::Stream::null(); // "No manual entry": the short help says more
        if (base::run(command).ok()) return 0;
    }
    print(stdout, commands::short_help(line));
    return 0;
}

int run_command(CommandLine& line, const base::Variables& variables) {
    change_directory(line.globals.directories);
    // Printing the version must work everywhere, also without git.
    const bool bare = line.command->name == "version";
    const auto directory = std::filesystem::current_path();
    auto settings = bare ? base::Settings() : base::Settings::read(variables, directory);
    base::Terminal terminal(variables, settings);
    terminal.set_quiet(line.globals.quiet);
    terminal.set_verbose(line.globals.verbose);
    auto paths = base::find_paths(variables, settings);
    base::Context context{variables, std::move(settings), std::move(paths), directory, terminal};
    commands::Invocation invocation{context, line.has_words, std::move(line.words)};
    int status = 0;
    try {
        status = line.action(invocation);
    } catch (const Error&) {
        terminal.progress("");
        terminal.flush();
        throw;
    }
    terminal.flush();
    return status;
}

int run(std::vector<std::string> arguments, CommandLine& line) {
    commands::parse_command_line(std::move(arguments), line);
    const auto variables = base::Variables::from_process();
    switch (line.wish) {
        case CommandLine::Wish::version:
            parse_command_line({"version"}, line);
            break;
        case CommandLine::Wish::short_help:
            print(line.complete ? stdout : stderr, commands::short_help(line));
            return wrong_usage;
        case CommandLine::Wish::manual:
            return show_manual(line, variables);
        case CommandLine::Wish::run:
            break;
    }
    return run_command(line, variables);
}

} // namespace

int main(int argc, char** argv) {
    base::open_standard_descriptors();
    std::signal(SIGPIPE, SIG_IGN); // a reader that is gone is an error of write(2)
    CommandLine line;
    try {
        return run({argv + (argc > 0 ? 1 : 0), argv + argc}, line);
    } catch (const Error& error) {
        print(stderr, base::render_error(error));
        if (error.kind == Error::Kind::usage && line.command != nullptr)
            print(stderr, commands::usage_lines(line));
        return base::exit_status(error.kind);
    } catch (const std::exception& error) {
        print(stderr, base::render_error(fatal("{}", error.what())));
    } catch (...) {
        print(stderr, base::render_error(fatal("unknown error")));
    }
    return base::exit_status(Error::Kind::fatal);
}
