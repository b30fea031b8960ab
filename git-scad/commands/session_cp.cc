#include "base/error.h"
#include "base/text.h"
#include "commands/all.h"
#include "commands/options.h"
#include "commands/sessions.h"
#include "session/copy.h"

#include <atomic>
#include <chrono>
#include <csignal>
#include <fmt/format.h>
#include <memory>
#include <optional>

namespace scad::commands {
namespace {

constexpr std::uint64_t default_limit = std::uint64_t{16} << 30; // bytes that a session may send at once
constexpr std::chrono::milliseconds redraw{100};

struct Options {
    std::vector<std::string> paths;
    std::string limit;
};

struct Place {
    std::optional<std::string> session; // none: on the host
    std::string path;
};

// "alpha:code/x" is in a session; "./a:b" and "/a:b" are not.
Place parse_place(const std::string& word) {
    const auto colon = word.find(':');
    if (colon == std::string::npos || colon == 0 || word.find('/') < colon) return {{}, word};
    return {word.substr(0, colon), word.substr(colon + 1)};
}

std::atomic<bool> interrupted{false};

// A first signal lets what is half made be tidied up.
void catch_signals() {
    struct sigaction action {};
    action.sa_handler = [](int) { interrupted = true; };
    for (const int number : {SIGINT, SIGTERM, SIGHUP}) ::sigaction(number, &action, nullptr);
}

std::string amount(const transfer::Totals& totals) {
    return fmt::format("{} file{}, {}", totals.files, totals.files == 1 ? "" : "s",
                       base::format_size(totals.bytes));
}

transfer::Progress show_progress(base::Terminal& terminal, const std::string& what) {
    auto shown = std::make_shared<std::chrono::steady_clock::time_point>(std::chrono::steady_clock::now());
    return [&terminal, what, shown](const transfer::Totals& totals) {
        const auto now = std::chrono::steady_clock::now();
        if (now - *shown >= redraw) {
            *shown = now;
            terminal.progress(fmt::format("copying {}: {}", what, amount(totals)));
        }
        return !interrupted.load();
    };
}

int tell(base::Terminal& terminal, const std::string& what, const std::string& where,
         const transfer::Totals& totals) {
    terminal.progress("");
    terminal.note(fmt::format("{} -> {}: {}", what, where, amount(totals)));
    const auto left_out = [&](std::uint64_t count, std::string_view kind) {
        if (count > 0) terminal.warning(fmt::format("{}: left out {} {}", what, count, kind));
    };
    left_out(totals.special, "sockets, FIFOs or devices");
    left_out(totals.links, "links that lead out of it");
    left_out(totals.git, "parts of git repositories, which git on the host would obey");
    left_out(totals.names, "names with control characters");
    return totals.complete() ? 0 : 1;
}

int copy(Invocation& invocation, const Options& options) {
    const auto& context = invocation.context;
    if (options.paths.size() < 2) throw usage("cp wants something to copy, and where to");
    std::uint64_t limit = default_limit;
    if (!options.limit.empty()) {
        const auto size = base::parse_size(options.limit);
        if (!size) throw usage("--limit wants a size as '20GiB', not '{}'", options.limit);
        limit = *size;
    }
    std::vector<Place> sources;
    for (const auto& word : options.paths) sources.push_back(parse_place(word));
    const Place target = sources.back();
    sources.pop_back();
    for (const auto& source : sources)
        if (source.session.has_value() == target.session.has_value())
            throw usage("cp copies into a session or out of one: <session>:<path> names a place in it");
    auto destination = target.path.empty() ? std::string(".") : target.path;
    if (sources.size() > 1 && destination.back() != '/') destination += '/'; // must be a folder then
    catch_signals();
    const session::Store store(context.paths);
    int status = 0;
    for (const auto& source : sources) {
        const auto& name = source.session ? *source.session : *target.session;
        const auto entry = find_session(store, name);
        const auto inside =
            fmt::format("{}:{}", entry.session.name, source.session ? source.path : destination);
        const auto what = base::visible(source.session ? inside : source.path);
        if (source.session) {
            if (source.path.empty()) throw usage("'{}:' names no path", name);
            const auto received = session::copy_out(entry.session, context.paths, source.path, destination,
                                                    limit, show_progress(context.terminal, what));
            status |= tell(context.terminal, what, base::visible(received.path), received.totals);
        } else {
            const auto totals = session::copy_in(entry.session, context.paths, source.path, destination,
                                                 show_progress(context.terminal, what));
            status |= tell(context.terminal, what, base::visible(inside), totals);
        }
    }
    return status;
}

} // namespace

Action set_up_session_cp(CLI::App& app) {
    auto options = std::make_shared<Options>();
    add_arguments(app, "path", options->paths, Count::at_least_one,
                  "what to copy, and last where to; <session>:<path> is in a session, from /work on");
    add_option(app, "--limit", "<size>", options->limit, "at most so much out of a session (16GiB)");
    return [options](Invocation& invocation) { return copy(invocation, *options); };
}

} // namespace scad::commands
