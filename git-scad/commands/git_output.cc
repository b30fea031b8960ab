#include "commands/git_output.h"

#include "base/error.h"
#include "base/process.h"
#include "base/text.h"

#include <cerrno>
#include <unistd.h>

namespace scad::commands {
namespace {

constexpr std::size_t line_limit = std::size_t{64} << 10; // a longer line is shown in pieces

// Calls `take` for each line (without its newline) until end of file.
template <class Take> void read_lines(int fd, Take&& take) {
    std::string pending;
    char piece[std::size_t{64} << 10];
    for (;;) {
        const auto count = ::read(fd, piece, sizeof piece);
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) break;
        pending.append(piece, static_cast<std::size_t>(count));
        std::size_t start = 0;
        for (auto end = pending.find('\n'); end != std::string::npos; end = pending.find('\n', start)) {
            take(pending.substr(start, end - start));
            start = end + 1;
        }
        pending.erase(0, start);
        if (pending.size() > line_limit) {
            take(pending);
            pending.clear();
        }
    }
    if (!pending.empty()) take(pending);
}

} // namespace

void GitOutput::title(const std::string& text) {
    auto& terminal = context_.terminal;
    terminal.line((any_ ? "\n" : "") + terminal.style(base::Style::bold, base::one_line(text)));
    any_ = true;
}

bool GitOutput::show(const std::filesystem::path& directory, const std::vector<std::string>& arguments) {
    auto& terminal = context_.terminal;
    auto command = base::HostGit(directory, context_.variables).command(arguments);
    auto pipe = base::make_pipe();
    command.out = base::Stream::descriptor(pipe.write.get());
    command.err = base::Stream::inherit();
    auto child = base::start(command);
    pipe.write.reset();
    bool any = false;
    if (terminal.out_is_terminal() || elsewhere_ == Elsewhere::safe) {
        read_lines(pipe.read.get(), [&](std::string line) {
            if (line.ends_with('\r')) line.pop_back();
            terminal.line(colour_line(terminal, base::visible(line, true)));
            any = true;
        });
    } else {
        char piece[std::size_t{64} << 10];
        for (;;) {
            const auto count = ::read(pipe.read.get(), piece, sizeof piece);
            if (count < 0 && errno == EINTR) continue;
            if (count <= 0) break;
            terminal.write({piece, static_cast<std::size_t>(count)});
            any = true;
        }
    }
    any_ = any_ || any;
    const int status = child.wait();
    if (status != 0)
        throw fatal("git {} in '{}' {}", arguments.size() > 1 ? arguments[1] : "", directory.string(),
                    base::describe_wait_status(status));
    return any;
}

std::string colour_line(const base::Terminal& terminal, const std::string& line) {
    using base::Style;
    if (line.starts_with("diff ") || line.starts_with("index ") || line.starts_with("+++ ") ||
        line.starts_with("--- ") || line.starts_with("new file ") || line.starts_with("deleted file ") ||
        line.starts_with("rename ") || line.starts_with("similarity "))
        return terminal.style(Style::bold, line);
    if (line.starts_with('+')) return terminal.style(Style::green, line);
    if (line.starts_with('-')) return terminal.style(Style::red, line);
    if (line.starts_with("@@")) return terminal.style(Style::cyan, line);
    return line;
}

} // namespace scad::commands
