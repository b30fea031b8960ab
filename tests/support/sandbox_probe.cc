// Starts one sandbox and runs commands in it, for tests of the sandbox itself. See `usage`.

#include "base/error.h"
#include "base/fd.h"
#include "base/process.h"
#include "base/text.h"
#include "engine/engine.h"

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <poll.h>
#include <set>
#include <sys/wait.h>

namespace {

using namespace scad;
using Clock = std::chrono::steady_clock;

constexpr const char* usage_text =
    "usage: sandbox_probe [<option>…] -- <argv…> [:: <argv…>]…\n"
    "Runs the commands one after another in one sandbox over the host's programs, with the caller's "
    "descriptors 0-2.\n"
    "Exit status: the last command's, 128+n for signal n; 125 when the sandbox or a command could not be "
    "started.\n"
    "  --bind <source> <target>, --bind-rw <source> <target>    a host directory or file, read-only or not\n"
    "  --overlay <lower> <upper> <work> <git> <target>           upper beside a file 'lock'; git may be '-'\n"
    "  --overlay-ro <source> <target>                            read-only, its sockets and FIFOs dead\n"
    "  --tmpfs <bytes> <target>   --net none|allow|host   --port <n>   --name <name>   --directory <inside>\n"
    "  --pids <n>  --files <n>  --fsize <bytes>  --shm <bytes>  --memory <bytes>  --cpus <n>\n"
    "  --env NAME=value      (PATH, HOME, LANG are set)\n"
    "  --together            start all commands at once\n"
    "  --end-after <seconds> end each command (SIGKILL to all of it) after that time\n"
    "  --limits, --times, --memory-use   tell these on stderr\n";

struct Options {
    engine::SandboxSpec spec;
    std::vector<std::string> environment = {"PATH=/usr/local/bin:/usr/bin:/bin", "HOME=/home/agent",
                                            "LANG=C.UTF-8"};
    std::string directory = "/tmp";
    bool together = false, limits = false, times = false, memory_use = false;
    std::chrono::milliseconds end_after{0};
    std::vector<std::vector<std::string>> commands;
};

struct Words {
    std::vector<std::string> all;
    std::size_t at = 0;
    std::string next() {
        if (at >= all.size()) throw usage("an option lacks its value");
        return all[at++];
    }
    std::uint64_t number() { return std::strtoull(next().c_str(), nullptr, 10); }
};

bool parse_mount(const std::string& option, Words& words, engine::SandboxSpec& spec) {
    if (option == "--bind" || option == "--bind-rw") {
        std::string source = words.next();
        spec.mounts.push_back({words.next(), engine::Bind{source, option == "--bind-rw"}});
    } else if (option == "--overlay") {
        engine::Overlay overlay;
        overlay.lowers = {words.next()};
        overlay.upper = words.next();
        overlay.work = words.next();
        if (std::string git = words.next(); git != "-") overlay.git = git;
        spec.mounts.push_back({words.next(), overlay});
    } else if (option == "--overlay-ro") {
        engine::Overlay overlay;
        overlay.lowers = {words.next()};
        spec.mounts.push_back({words.next(), overlay});
    } else if (option == "--tmpfs") {
        std::uint64_t size = words.number();
        spec.mounts.push_back({words.next(), engine::Tmpfs{size, 01777}});
    } else {
        return false;
    }
    return true;
}

bool parse_limit(const std::string& option, Words& words, engine::SandboxLimits& limits) {
    if (option == "--pids")
        limits.pids = words.number();
    else if (option == "--files")
        limits.open_files = words.number();
    else if (option == "--fsize")
        limits.file_size = words.number();
    else if (option == "--shm")
        limits.shm = words.number();
    else if (option == "--memory")
        limits.memory = words.number();
    else if (option == "--cpus")
        limits.cpus = std::strtod(words.next().c_str(), nullptr);
    else
        return false;
    return true;
}

Options parse(Words words) {
    Options options;
    options.spec.name = "probe";
    std::vector<std::string> rest;
    engine::SandboxSpec extra;
    for (std::string word; words.at < words.all.size();) {
        word = words.next();
        if (word == "--") break;
        if (parse_mount(word, words, extra) || parse_limit(word, words, options.spec.limits)) continue;
        if (word == "--net") {
            std::string mode = words.next();
            options.spec.network = mode == "host"    ? engine::NetworkMode::host
                                   : mode == "allow" ? engine::NetworkMode::allow
                                                     : engine::NetworkMode::none;
        } else if (word == "--port") {
            options.spec.proxy_port = static_cast<std::uint16_t>(words.number());
        } else if (word == "--name") {
            options.spec.name = words.next();
        } else if (word == "--directory") {
            options.directory = words.next();
        } else if (word == "--env") {
            options.environment.push_back(words.next());
        } else if (word == "--end-after") {
            options.end_after =
                std::chrono::milliseconds(std::int64_t(std::strtod(words.next().c_str(), nullptr) * 1000));
        } else if (word == "--together") {
            options.together = true;
        } else if (word == "--limits") {
            options.limits = true;
        } else if (word == "--times") {
            options.times = true;
        } else if (word == "--memory-use") {
            options.memory_use = true;
        } else {
            throw usage("unknown option '{}'\n{}", word, usage_text);
        }
    }
    options.commands.emplace_back();
    for (; words.at < words.all.size(); ++words.at) {
        if (words.all[words.at] == "::")
            options.commands.emplace_back();
        else
            options.commands.back().push_back(words.all[words.at]);
    }
    for (const auto& command : options.commands)
        if (command.empty()) throw usage("a command is missing\n{}", usage_text);
    auto& mounts = options.spec.mounts;
    mounts = engine::host_root(options.spec.network, options.spec.name);
    bool own_tmp = false;
    for (const auto& mount : extra.mounts) own_tmp = own_tmp || mount.target == "/tmp";
    if (!own_tmp) mounts.push_back({"/tmp", engine::Tmpfs{std::uint64_t{256} << 20, 01777}});
    mounts.push_back({"/home/agent", engine::Tmpfs{std::uint64_t{64} << 20, 01777}});
    mounts.insert(mounts.end(), extra.mounts.begin(), extra.mounts.end());
    return options;
}

void say(const std::string& line) { std::fprintf(stderr, "probe: %s\n", line.c_str()); }

double since(Clock::time_point then) {
    return std::chrono::duration<double, std::milli>(Clock::now() - then).count();
}

class Probe {
  public:
    Probe(engine::Sandbox& sandbox, const Options& options) : sandbox_(sandbox), options_(options) {}

    int run() {
        std::uint64_t id = 0;
        for (const auto& command : options_.commands) {
            start(++id, command);
            if (!options_.together) wait();
        }
        wait();
        return status_;
    }

  private:
    void start(std::uint64_t id, const std::vector<std::string>& command) {
        engine::JobStart job;
        job.id = id;
        job.argv = command;
        job.environment = options_.environment;
        job.directory = options_.directory;
        job.in = 0;
        job.out = 1;
        job.err = 2;
        sandbox_.start_job(job);
        running_.insert(id);
        begin_ = Clock::now();
    }

    void wait() {
        while (!running_.empty()) {
            pollfd waiting{sandbox_.events_fd(), POLLIN, 0};
            int ready =
                ::poll(&waiting, 1,
                       options_.end_after.count() > 0 ? static_cast<int>(options_.end_after.count()) : -1);
            if (ready == 0) {
                if (options_.memory_use) say(fmt::format("memory {}", sandbox_.memory_use()));
                for (auto id : running_) sandbox_.end_job(id);
            }
            while (auto event = sandbox_.next_event()) take(*event);
        }
    }

    void take(engine::SandboxEvent& event) {
        using Kind = engine::SandboxEvent::Kind;
        switch (event.kind) {
            case Kind::terminal:
            case Kind::started:
            case Kind::frozen:
                break;
            case Kind::failed:
                say(fmt::format("cannot run it: {}", event.message));
                status_ = 125;
                running_.erase(event.id);
                break;
            case Kind::ended:
                if (options_.times) say(fmt::format("job {} {:.2f} ms", event.id, since(begin_)));
                status_ = WIFSIGNALED(event.wait_status) ? 128 + WTERMSIG(event.wait_status)
                                                         : WEXITSTATUS(event.wait_status);
                running_.erase(event.id);
                break;
            case Kind::connection: {
                say("connection");
                base::write_all(event.descriptor.get(), "hello from the host\n");
                break;
            }
            case Kind::gone:
                say(fmt::format("gone: {}", event.message));
                status_ = 125;
                running_.clear();
                break;
        }
    }

    engine::Sandbox& sandbox_;
    const Options& options_;
    std::set<std::uint64_t> running_;
    Clock::time_point begin_;
    int status_ = 0;
};

} // namespace

int main(int argc, char** argv) {
    base::open_standard_descriptors();
    std::signal(SIGPIPE, SIG_IGN);
    try {
        Options options = parse({{argv + 1, argv + argc}});
        auto begin = Clock::now();
        auto sandbox = engine::make_engine("bubblewrap")->start(options.spec);
        if (options.times) say(fmt::format("start {:.2f} ms", since(begin)));
        if (options.limits)
            for (const auto& limit : sandbox->limits())
                say(fmt::format("limit {} = {} by {}{}", limit.name, limit.value, limit.means,
                                limit.strong ? "" : " (weak)"));
        int status = Probe(*sandbox, options).run();
        begin = Clock::now();
        sandbox->stop();
        if (options.times) say(fmt::format("stop {:.2f} ms", since(begin)));
        return status;
    } catch (const Error& error) {
        std::fputs(base::render_error(error).c_str(), stderr);
        return 125;
    }
}
