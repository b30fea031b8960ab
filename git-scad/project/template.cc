#include "project/template.h"

#include "project/rules.h"
#include "project/show.h"

#include <filesystem>
#include <fmt/format.h>
#include <set>
#include <string_view>

namespace scad::project {

namespace {

// Where a host directory is mounted: at the same path, where that can be, else below /data by its name.
std::string target_of(const std::string& directory, const std::set<std::string>& taken) {
    if (mount_target_problem(directory).empty() && !taken.contains(directory)) return directory;
    std::string name;
    const auto last = std::filesystem::path(directory).filename(); // named: the loop below needs it to live
    for (char c : last.native()) {
        auto byte = static_cast<unsigned char>(c);
        name += byte < 0x20 || byte == 0x7f ? '_' : c;
    }
    if (name.empty() || name == "." || name == "..") name = "mount";
    auto target = "/data/" + name;
    for (int n = 2; taken.contains(target); ++n) target = fmt::format("/data/{}-{}", name, n);
    return target;
}

} // namespace

std::string project_template(const TemplateInput& input) {
    std::string out = fmt::format(
        "# The scad project '{0}': what a session of it is made of. scad-project(5) describes every key;\n"
        "# `git scad config check {0}` checks this file, `git scad config show {0}` shows it with all\n"
        "# defaults. Lines that start with '#' are examples. '{0}.local.toml' beside this file is laid\n"
        "# over it on this machine only.\n\n"
        "# The git repos of a session, each a clone of its own at /work/<name>. A path is taken from the\n"
        "# top of this docs repo, unless it is absolute or starts with ~; url = \"https://…\" instead of "
        "path is "
        "fetched.\n# The first repo is where jobs start.\n",
        input.name);
    for (const auto& [name, place] : input.repos) {
        out += fmt::format("[repos.{}]\n{} = {}\n", toml_key(name),
                           url_problem(place).empty() ? "url" : "path", toml_string(place));
        if (name == input.repos.front().first) {
            out +=
                "# base = \"main\"               # where sessions start; default: what HEAD of the repo is\n";
        }
    }
    out += "\n# Host directories that a session sees, at this place inside of it.\n";
    std::set<std::string> targets;
    for (const auto& mount : input.mounts) {
        auto target = target_of(mount, targets);
        out += fmt::format("[mounts.{}]\n", toml_string(target));
        if (target != mount) out += fmt::format("source = {}\n", toml_string(mount));
        out += "mode = \"ro\"                     # ro: read only; rw: written through to the host\n";
        targets.insert(std::move(target));
    }
    if (input.mounts.empty()) {
        out +=
            "# [mounts.\"/data/images\"]\n"
            "# source = \"~/datasets/images\"  # default: the same path\n"
            "# mode = \"ro\"                   # ro: read only; rw: written through to the host\n";
    }
    out += R"(
# What programs find. With base "host": those of this machine, read only.
[environment]
base = "host"
# env = { PYTHONUNBUFFERED = "1" }
# tools = ["~/.nvm/versions/node/v22.4.0"]    # host directories, read only, their bin on PATH
# python = { requirements = ["code/requirements.txt"], editable = ["code"] }
# setup = [{ run = "npm ci --prefix code", inputs = ["code/package.json", "code/package-lock.json"] }]
# gpu = true                    # the graphics processors of this machine
# devices = ["/dev/kvm"]        # other devices

# What a session may use. Without a line there is no limit.
[limits]
# cpus = 4
# memory = "16GiB"              # all jobs together
# pids = 2048                   # processes and threads
# time = "2h"                   # one job, at most
# idle = "20m"                  # one job without output, at most

# What a session may reach. none: nothing. allow: the hosts listed here and the agent's own.
# host: the network of this machine, all of it.
[network]
mode = "allow"
allow = []                      # as in ["*.debian.org", "@python", "@npm"]

# Who works in it, with full permissions: the session is the boundary.
[agent]
use = "claude"                  # command: no agent, plain commands only
# model = "…"
# env = ["WANDB_API_KEY"]       # handed through from your environment to each job, never stored

# [session]
# branch = "{session}"          # the work branch in every repo
)";
    return out;
}

} // namespace scad::project
