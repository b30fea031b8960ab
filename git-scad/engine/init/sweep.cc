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

void children_of_thread(const std::string& path, std::vector<pid_t>& found) {
    int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return; // it ended
    std::string text;
    read_whole(fd, text, std::size_t{16} << 20);
    ::close(fd);
    std::size_t at = 0;
    while (at < text.size()) {
        std::size_t space = std::min(text.find(' ', at), text.size());
        if (auto pid = parse_number(std::string_view(text).substr(at, space - at)))
            found.push_back(static_cast<pid_t>(*pid));
        at = space + 1;
    }
}

void children_of(pid_t pid, std::vector<pid_t>& found) {
    std::string tasks = "/proc/" + std::to_string(pid) + "/task";
    DIR* directory = ::opendir(tasks.c_str());
    if (directory == nullptr) return;
    while (const dirent* entry = ::readdir(directory))
        if (entry->d_name[0] != '.') children_of_thread(tasks + "/" + entry->d_name + "/children", found);
    ::closedir(directory);
}

} // namespace

std::vector<pid_t> all_processes() {
    std::vector<pid_t> found;
    children_of_thread("/proc/1/task/1/children", found);
    for (std::size_t i = 0; i < found.size(); ++i) children_of(found[i], found);
    return found;
}

std::size_t kill_all_but(const std::vector<pid_t>& spared) {
    std::vector<pid_t> doomed;
    children_of_thread("/proc/1/task/1/children", doomed);
    doomed.erase(std::remove_if(
                     doomed.begin(), doomed.end(),
                     [&](pid_t pid) { return std::find(spared.begin(), spared.end(), pid) != spared.end(); }),
                 doomed.end());
    // Killed before their children are looked for: what is dead makes no more. Reparented ones show up below
    // process 1 in the next pass.
    std::size_t done = 0;
    while (done < doomed.size()) {
        std::size_t end = doomed.size();
        for (std::size_t i = done; i < end; ++i) ::kill(doomed[i], SIGKILL);
        for (std::size_t i = done; i < end; ++i) children_of(doomed[i], doomed);
        done = end;
    }
    return done;
}

} // namespace scad::init
