#include "engine/init/freezer.h"

#include "engine/init/sweep.h"
#include "engine/init/system.h"

#include <algorithm>
#include <csignal>
#include <dirent.h>
#include <fcntl.h>
#include <string>
#include <unistd.h>

namespace scad::init {

namespace {

constexpr std::chrono::seconds patience{5};
constexpr int passes_before_nudge = 20;

// The state and the parent of a thread in /proc/<pid>/stat (proc(5)); 'X' when it is gone.
struct Standing {
    char state = 'X';
    pid_t parent = 0;
};

Standing standing_of(const std::string& stat) {
    Standing standing;
    int fd = ::open(stat.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return standing;
    std::string text;
    read_whole(fd, text, 4096);
    ::close(fd);
    // The name before it is the program's own choice, with parentheses perhaps.
    std::size_t name_end = text.rfind(')');
    if (name_end == std::string::npos || name_end + 4 > text.size()) return standing;
    standing.state = text[name_end + 2];
    std::string_view parent = std::string_view(text).substr(name_end + 4);
    parent = parent.substr(0, parent.find(' '));
    standing.parent = static_cast<pid_t>(parse_number(parent).value_or(0));
    return standing;
}

std::string directory_of(pid_t pid) { return "/proc/" + std::to_string(pid); }

bool is_still(char state) { return state == 'T' || state == 't' || state == 'Z' || state == 'X'; }

// All of its threads.
bool stands_still(pid_t pid) {
    std::string tasks = directory_of(pid) + "/task";
    DIR* directory = ::opendir(tasks.c_str());
    if (directory == nullptr) return true; // gone
    bool still = true;
    while (const dirent* entry = ::readdir(directory))
        if (entry->d_name[0] != '.')
            still = still && is_still(standing_of(tasks + "/" + entry->d_name + "/stat").state);
    ::closedir(directory);
    return still;
}

} // namespace

void Freezer::begin() {
    busy_ = true;
    passes_ = 0;
    quiet_passes_ = 0;
    end_ = std::chrono::steady_clock::now() + patience;
}

bool Freezer::stop(pid_t pid) {
    if (stands_still(pid)) return true;
    if (std::find(stopped_.begin(), stopped_.end(), pid) == stopped_.end()) stopped_.push_back(pid);
    ::kill(pid, SIGSTOP);
    return stands_still(pid);
}

Freezer::Outcome Freezer::step(const std::vector<pid_t>& spared) {
    ++passes_;
    // Parents first: they are not to see that a child has stopped.
    std::vector<pid_t> running;
    for (pid_t pid : all_processes())
        if (std::find(spared.begin(), spared.end(), pid) == spared.end() && !stop(pid))
            running.push_back(pid);
    quiet_passes_ = running.empty() ? quiet_passes_ + 1 : 0;
    if (quiet_passes_ == 2) { // a list may miss a child that was just made
        busy_ = false;
        return Outcome::frozen;
    }
    if (std::chrono::steady_clock::now() > end_) {
        thaw();
        return Outcome::failed;
    }
    // Who waits in vfork(2) stops when its child has gone on to another program, which that child cannot do
    // while it is stopped itself: it gets a moment, until the next pass.
    if (passes_ > passes_before_nudge)
        for (pid_t child : stopped_) {
            pid_t parent = standing_of(directory_of(child) + "/stat").parent;
            if (std::find(running.begin(), running.end(), parent) != running.end()) ::kill(child, SIGCONT);
        }
    return Outcome::not_yet;
}

void Freezer::thaw() {
    busy_ = false;
    // Children first: when the parent looks, they run.
    for (auto pid = stopped_.rbegin(); pid != stopped_.rend(); ++pid) ::kill(*pid, SIGCONT);
    stopped_.clear();
}

} // namespace scad::init
