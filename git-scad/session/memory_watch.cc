#include "session/memory_watch.h"

#include "base/error.h"
#include "base/fd.h"
#include "base/text.h"

#include <charconv>
#include <deque>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <string>
#include <string_view>
#include <unistd.h>
#include <utility>

namespace scad::session {

namespace {

// A file of /proc; empty when the process is gone or hides it.
std::string read_proc(const std::string& path) {
    try {
        auto file = base::open_if_exists(path, O_RDONLY);
        return file ? base::read_all(file->get(), std::size_t{1} << 20, path) : std::string();
    } catch (const Error&) {
        return {};
    }
}

// The last number of the line that starts with `key`.
std::uint64_t last_number(std::string_view text, std::string_view key) {
    const std::size_t start = text.find(key);
    if (start == std::string_view::npos) return 0;
    const std::string_view line = text.substr(start, text.find('\n', start + key.size()) - start);
    std::uint64_t number = 0;
    for (const char* at = line.data() + key.size(); at < line.data() + line.size();) {
        const auto parsed = std::from_chars(at, line.data() + line.size(), number);
        at = parsed.ptr > at ? parsed.ptr : at + 1;
    }
    return number;
}

std::vector<pid_t> children_of(pid_t pid) {
    std::vector<pid_t> children;
    std::error_code error;
    const std::string tasks = fmt::format("/proc/{}/task", pid);
    std::filesystem::directory_iterator task(tasks, error);
    for (; !error && task != std::filesystem::directory_iterator(); task.increment(error)) {
        for (const std::string& word : base::split(read_proc(task->path() / "children"), ' ')) {
            pid_t child = 0;
            if (std::from_chars(word.data(), word.data() + word.size(), child).ec == std::errc{})
                children.push_back(child);
        }
    }
    return children;
}

} // namespace

std::map<pid_t, std::uint64_t> memory_by_program(const std::map<pid_t, ProcessFacts>& processes,
                                                 const std::vector<pid_t>& programs) {
    // Which child of the sandbox's process 1 a process descends from; 0: none.
    const auto top_of = [&](pid_t pid) {
        for (std::size_t step = 0; step <= processes.size(); ++step) {
            auto found = processes.find(pid);
            if (found == processes.end()) return pid_t{0};
            auto parent = processes.find(found->second.parent);
            if (parent == processes.end()) return pid_t{0};
            if (parent->second.inner == 1) return pid;
            pid = parent->first;
        }
        return pid_t{0};
    };
    std::map<pid_t, std::uint64_t> by_top;
    std::map<pid_t, pid_t> top_by_inner;
    for (const auto& [pid, facts] : processes) {
        const pid_t top = top_of(pid);
        if (top == 0) continue;
        by_top[top] += facts.memory;
        top_by_inner[facts.inner] = top;
    }
    std::map<pid_t, std::uint64_t> result;
    for (const pid_t program : programs) {
        auto top = top_by_inner.find(program);
        if (top != top_by_inner.end()) result[program] = by_top[top->second];
    }
    return result;
}

std::map<pid_t, ProcessFacts> descendants_of_self() {
    std::map<pid_t, ProcessFacts> processes;
    std::deque<std::pair<pid_t, pid_t>> open; // pid, parent
    for (const pid_t child : children_of(::getpid())) open.emplace_back(child, 0);
    while (!open.empty() && processes.size() < 100'000) {
        const auto [pid, parent] = open.front();
        open.pop_front();
        const std::string status = read_proc(fmt::format("/proc/{}/status", pid));
        ProcessFacts facts;
        facts.parent = parent;
        facts.inner = static_cast<pid_t>(last_number(status, "NSpid:"));
        facts.memory = last_number(read_proc(fmt::format("/proc/{}/smaps_rollup", pid)), "\nPss:") << 10;
        processes[pid] = facts;
        for (const pid_t child : children_of(pid)) open.emplace_back(child, pid);
    }
    return processes;
}

MemoryWatch::MemoryWatch(base::Loop& loop, Programs& programs, std::uint64_t limit,
                         std::function<void(std::uint64_t, const std::string&)> over)
    : programs_(programs),
      limit_(limit),
      over_(std::move(over)),
      timer_(loop.every(std::chrono::milliseconds(500), [this] { look(); })) {}

void MemoryWatch::look() {
    if (programs_.empty() || programs_.gone()) return;
    std::erase_if(named_, [&](const auto& entry) { return !programs_.is_running(entry.first); });
    if (programs_.sandbox().memory_use() <= limit_) return;
    const auto now = std::chrono::steady_clock::now();
    for (const auto& [program, since] : named_) {
        if (now - since < std::chrono::seconds(2)) return; // its memory is on its way back
    }
    const std::uint64_t program = greatest();
    if (program == 0) return;
    named_[program] = now;
    over_(program, "memory limit of " + base::format_size(limit_) + " exceeded (held by a watch)");
}

std::uint64_t MemoryWatch::greatest() const {
    std::vector<pid_t> pids;
    for (const std::uint64_t id : programs_.ids()) pids.push_back(programs_.inner_pid(id));
    const std::map<pid_t, std::uint64_t> memory = memory_by_program(descendants_of_self(), pids);
    std::uint64_t chosen = 0;
    std::uint64_t most = 0;
    for (const std::uint64_t id : programs_.ids()) {
        if (named_.contains(id)) continue;
        auto found = memory.find(programs_.inner_pid(id));
        const std::uint64_t use = found == memory.end() ? 0 : found->second;
        if (use < most) continue;
        most = use;
        chosen = id;
    }
    return chosen;
}

} // namespace scad::session
