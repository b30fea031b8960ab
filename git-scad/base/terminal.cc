#include "base/terminal.h"

#include "base/error.h"
#include "base/fd.h"
#include "base/host_git.h"
#include "base/process.h"
#include "base/text.h"
#include "base/variables.h"

#include <charconv>
#include <csignal>
#include <fcntl.h>
#include <optional>
#include <sys/ioctl.h>
#include <unistd.h>

namespace scad::base {

namespace {

std::string_view code_of(Style style) {
    switch (style) {
        case Style::plain:
            return "";
        case Style::bold:
            return "\033[1m";
        case Style::dim:
            return "\033[2m";
        case Style::red:
            return "\033[31m";
        case Style::green:
            return "\033[32m";
        case Style::yellow:
            return "\033[33m";
        case Style::blue:
            return "\033[34m";
        case Style::cyan:
            return "\033[36m";
    }
    return "";
}

enum class Colour { always, never, automatic };

// git-config(1), color.ui. A word that git would refuse is left to git.
Colour parse_colour(std::string word) {
    for (char& c : word) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    if (word == "always") return Colour::always;
    if (word == "never" || word == "false" || word == "no" || word == "off" || word == "0" || word.empty()) {
        return Colour::never;
    }
    return Colour::automatic;
}

bool is_true(const std::optional<std::string>& value) {
    return value && (*value == "true" || *value == "1" || *value == "yes" || *value == "on");
}

constexpr std::string_view default_pager = "less";

// The user's pager as git chooses it (git-var(1), GIT_PAGER); empty: none.
std::string choose_pager(const Variables& variables, const Settings& settings) {
    std::string pager(default_pager);
    if (const auto own = variables.get("GIT_PAGER")) {
        pager = *own;
    } else if (const auto configured = settings.get("core.pager")) {
        pager = *configured;
    } else if (const auto common = variables.get("PAGER")) {
        pager = *common;
    }
    return pager == "cat" ? "" : pager;
}

// SIGINT belongs to the pager while it runs: the user ends it, and then writing to it ends this process. A
// handler, because an ignored signal would stay ignored in children.
void leave_to_pager(int) {}

Fd duplicate_of(int fd) { return Fd(::fcntl(fd, F_DUPFD_CLOEXEC, 3)); }

} // namespace

struct Terminal::Implementation {
    bool quiet = false;
    bool verbose = false;
    bool out_terminal = false;
    bool err_terminal = false;
    bool dumb = false;
    bool out_colour = false;
    bool err_colour = false;
    std::size_t columns = 80;
    std::string pager;
    std::vector<std::string> environment;
    bool progress_shown = false;
    // While a pager runs: it, and the streams as they were.
    std::optional<Child> pager_child;
    Fd saved_out;
    Fd saved_err;

    void to_stderr(std::string_view text) {
        remove_progress();
        send_to_stderr(text);
    }

    static void send_to_stderr(std::string_view text) {
        try {
            write_all(STDERR_FILENO, text);
        } catch (const Error&) { // there is nowhere left to say so
        }
    }

    void remove_progress() {
        if (!progress_shown) return;
        progress_shown = false;
        send_to_stderr("\r\033[K");
    }

    void labelled(std::string_view label, std::string_view text) {
        std::string all;
        for (const std::string& line : lines(text)) all += std::string(label) + line + '\n';
        to_stderr(all);
    }

    void end_pager() {
        if (!pager_child) return;
        ::dup2(saved_out.get(), STDOUT_FILENO);
        if (saved_err) ::dup2(saved_err.get(), STDERR_FILENO);
        pager_child->wait();
        pager_child.reset();
        ::signal(SIGINT, SIG_DFL);
    }
};

Terminal::Terminal(const Variables& variables, const Settings& settings)
    : implementation_(std::make_unique<Implementation>()) {
    Implementation& self = *implementation_;
    self.out_terminal = ::isatty(STDOUT_FILENO) == 1;
    self.err_terminal = ::isatty(STDERR_FILENO) == 1;
    self.dumb = variables.get("TERM").value_or("dumb") == "dumb";
    const auto word = settings.get("color.scad") ? settings.get("color.scad") : settings.get("color.ui");
    const Colour colour = word ? parse_colour(*word) : Colour::automatic;
    const bool wanted = !self.dumb && variables.get("NO_COLOR").value_or("").empty();
    const bool paged = is_true(variables.get("GIT_PAGER_IN_USE")) && settings.get("color.pager") != "false";
    const auto decide = [&](bool terminal) {
        return colour == Colour::always || (colour == Colour::automatic && wanted && terminal);
    };
    self.out_colour = decide(self.out_terminal || paged);
    self.err_colour = decide(self.err_terminal);
    self.pager = choose_pager(variables, settings);
    self.environment = variables.entries();
    if (!variables.get("LESS")) self.environment.emplace_back("LESS=FRX");
    if (!variables.get("LV")) self.environment.emplace_back("LV=-c");

    winsize size{};
    const std::string asked = variables.get("COLUMNS").value_or("");
    std::size_t number = 0;
    if (std::from_chars(asked.data(), asked.data() + asked.size(), number).ec == std::errc{} && number > 0) {
        self.columns = number;
    } else if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
        self.columns = size.ws_col;
    }
}

Terminal::~Terminal() {
    try {
        implementation_->remove_progress();
        implementation_->end_pager();
    } catch (const std::exception&) { // the end of the process cannot fail
    }
}

void Terminal::set_quiet(bool quiet) { implementation_->quiet = quiet; }
void Terminal::set_verbose(bool verbose) { implementation_->verbose = verbose; }
bool Terminal::quiet() const { return implementation_->quiet; }
bool Terminal::verbose() const { return implementation_->verbose; }

void Terminal::write(std::string_view text) {
    implementation_->remove_progress();
    if (write_all(STDOUT_FILENO, text)) return;
    implementation_->end_pager();
    ::signal(SIGPIPE, SIG_DFL);
    sigset_t pipe;
    ::sigemptyset(&pipe);
    ::sigaddset(&pipe, SIGPIPE);
    ::sigprocmask(SIG_UNBLOCK, &pipe, nullptr);
    ::raise(SIGPIPE);
}

void Terminal::line(std::string_view text) { write(std::string(text) + '\n'); }

void Terminal::note(std::string_view text) {
    if (!quiet()) implementation_->labelled("", text);
}

void Terminal::detail(std::string_view text) {
    if (verbose()) implementation_->labelled("", text);
}

void Terminal::warning(std::string_view text) { implementation_->labelled("warning: ", text); }

void Terminal::hint(std::string_view text) {
    if (!quiet()) implementation_->labelled("hint: ", text);
}

void Terminal::error(std::string_view rendered) { implementation_->to_stderr(rendered); }

void Terminal::progress(std::string_view text) {
    Implementation& self = *implementation_;
    if (text.empty()) return self.remove_progress();
    if (self.quiet || !self.err_terminal || self.dumb || self.pager_child) return;
    self.send_to_stderr("\r" + one_line(text, self.columns - 1) + "\033[K"); // a full line would wrap
    self.progress_shown = true;
}

std::string Terminal::style(Style style, std::string_view text, bool err) const {
    const bool colour = err ? implementation_->err_colour : implementation_->out_colour;
    if (!colour || style == Style::plain || text.empty()) return std::string(text);
    return std::string(code_of(style)) + std::string(text) + "\033[m";
}

bool Terminal::out_is_terminal() const { return implementation_->out_terminal; }
bool Terminal::err_is_terminal() const { return implementation_->err_terminal; }
std::size_t Terminal::width() const { return implementation_->columns; }

void Terminal::start_pager() {
    Implementation& self = *implementation_;
    if (!self.out_terminal || self.pager.empty() || self.pager_child) return;
    // The default one may simply not be there, and nobody asked for it.
    if (self.pager == default_pager && !find_program(self.pager, self.environment)) return;
    self.remove_progress();
    Pipe pipe = make_pipe();
    Command command;
    // As git does: a plain program is run as it is, all else is the user's own line of shell.
    const bool plain = self.pager.find_first_of("|&;<>()$`\\\"' \t\n*?[#~=%") == std::string::npos;
    command.argv =
        plain ? std::vector<std::string>{self.pager} : std::vector<std::string>{"/bin/sh", "-c", self.pager};
    command.environment = self.environment;
    command.in = Stream::descriptor(pipe.read.get());
    command.out = Stream::inherit();
    command.err = Stream::inherit();
    try {
        self.pager_child = start(command);
    } catch (const Error& error) { // no pager is no reason not to show the text
        return warning("cannot start the pager: " + error.message);
    }
    self.saved_out = duplicate_of(STDOUT_FILENO);
    ::dup2(pipe.write.get(), STDOUT_FILENO);
    if (self.err_terminal) {
        self.saved_err = duplicate_of(STDERR_FILENO);
        ::dup2(pipe.write.get(), STDERR_FILENO);
    }
    ::signal(SIGINT, leave_to_pager); // SA_RESTART
}

void Terminal::flush() { implementation_->remove_progress(); } // nothing else is ever held back

} // namespace scad::base
