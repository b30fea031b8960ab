#include "commands/demo_world.h"

#include "base/error.h"
#include "base/file.h"
#include "base/process.h"

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <poll.h>
#include <unistd.h>

namespace scad::commands {
namespace {

constexpr int grace_ms = 10'000; // for a child that was told to end

std::atomic<int> signal_seen{0};
static_assert(std::atomic<int>::is_always_lock_free); // it is set in a signal handler

void remember(int number) { signal_seen = number; }

void catch_signals() {
    struct sigaction action {};
    action.sa_handler = remember; // and not SA_RESTART, so that a wait ends
    for (const int number : {SIGINT, SIGTERM, SIGHUP}) ::sigaction(number, &action, nullptr);
}

std::filesystem::path make_directory(const base::Variables& variables) {
    auto pattern = variables.get("TMPDIR").value_or("/tmp") + "/scad-demo-XXXXXX";
    if (::mkdtemp(pattern.data()) == nullptr) throw system_error(errno, "cannot make '{}'", pattern);
    return std::filesystem::canonical(pattern);
}

std::vector<std::string> environment_in(const std::filesystem::path& top, const base::Variables& variables) {
    const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe").parent_path();
    std::vector<std::string> environment;
    for (const auto& entry : variables.entries()) {
        const bool ours = entry.starts_with("GIT_") || entry.starts_with("XDG_") ||
                          entry.starts_with("HOME=") || entry.starts_with("PATH=");
        if (!ours) environment.push_back(entry);
    }
    environment.push_back("PATH=" + self.string() + ":" + variables.get("PATH").value_or("/usr/bin:/bin"));
    environment.push_back("HOME=" + (top / "home").string());
    environment.push_back("XDG_STATE_HOME=" + (top / "home/.local/state").string());
    environment.push_back("XDG_CACHE_HOME=" + (top / "home/.cache").string());
    environment.push_back("XDG_CONFIG_HOME=" + (top / "home/.config").string());
    environment.push_back("GIT_CONFIG_GLOBAL=" + (top / "home/.gitconfig").string());
    environment.emplace_back("GIT_CONFIG_SYSTEM=/dev/null");
    environment.emplace_back("GIT_PAGER=cat"); // a tutorial does not stop in the middle
    return environment;
}

// Waits for a child; a signal that comes meanwhile is passed on to it.
int wait_for_child(base::Child& child) {
    int limit = -1;
    for (;;) {
        if (signal_seen != 0 && limit < 0) {
            child.signal(SIGTERM); // SIGINT from a terminal has reached it by itself
            limit = grace_ms;
        }
        pollfd ended{child.pidfd(), POLLIN, 0};
        const int ready = ::poll(&ended, 1, limit);
        if (ready > 0) return child.wait();
        if (ready == 0) child.signal(SIGKILL);
    }
}

} // namespace

int demo_signal() { return signal_seen; }

DemoWorld::DemoWorld(const base::Context& context)
    : top_(make_directory(context.variables)), environment_(environment_in(top_, context.variables)) {
    catch_signals();
    std::filesystem::create_directories(top_ / "home");
}

DemoWorld::~DemoWorld() {
    try {
        remove();
    } catch (const Error&) { // the error that led here is the one to tell
    }
}

void DemoWorld::write(const std::filesystem::path& name, std::string_view content) const {
    const auto path = top_ / name;
    base::make_directories(path.parent_path(), 0755);
    base::replace_file(path, content, 0644, base::Durability::plain);
}

void DemoWorld::run(const std::filesystem::path& directory, const std::vector<std::string>& argv) const {
    if (signal_seen != 0) throw fatal("stopped by a signal");
    base::Command command{.argv = argv};
    command.directory = top_ / directory;
    command.environment = environment_;
    command.out = base::Stream::inherit();
    command.err = base::Stream::inherit();
    auto child = base::start(command);
    const int status = wait_for_child(child);
    if (signal_seen != 0) throw fatal("stopped by a signal");
    if (status != 0) throw fatal("'{}' {}", argv.front(), base::describe_wait_status(status));
}

void DemoWorld::end_sessions() const {
    std::error_code error;
    std::vector<std::string> names;
    for (std::filesystem::directory_iterator at(top_ / "home/.local/state/scad/sessions", error), end;
         !error && at != end; at.increment(error)) {
        auto name = at->path().filename().string();
        if (!name.starts_with('.')) names.push_back(std::move(name));
    }
    for (const auto& name : names) {
        base::Command command{.argv = {"git", "scad", "session", "rm", "--force", "--purge", name}};
        command.directory = top_;
        command.environment = environment_;
        command.new_session = true; // Ctrl-C is not for the tidying up
        base::run(command);
    }
}

void DemoWorld::remove() {
    if (removed_) return;
    removed_ = true;
    end_sessions();
    base::remove_tree(top_);
}

} // namespace scad::commands
