#include "environment/step_spec.h"

#include "base/fd.h"
#include "base/file.h"
#include "base/text.h"
#include "engine/engine.h"
#include "engine/proxy.h"
#include "environment/drift.h"
#include "environment/environment.h"
#include "environment/mounts.h"

#include <fcntl.h>
#include <iterator>

namespace scad::environment {

namespace {

constexpr std::uint16_t proxy_port = 3128;
constexpr const char* sandbox_name = "build";

void append(std::vector<engine::Mount>& mounts, std::vector<engine::Mount> more) {
    std::move(more.begin(), more.end(), std::back_inserter(mounts));
}

engine::Overlay writable(const std::filesystem::path& directory, std::vector<std::filesystem::path> lowers) {
    engine::Overlay overlay;
    overlay.lowers = std::move(lowers);
    overlay.upper = directory / "upper";
    overlay.work = directory / "work";
    return overlay;
}

} // namespace

engine::NetworkMode engine_mode(project::NetworkMode mode) {
    switch (mode) {
        case project::NetworkMode::none:
            return engine::NetworkMode::none;
        case project::NetworkMode::allow:
            return engine::NetworkMode::allow;
        case project::NetworkMode::host:
            return engine::NetworkMode::host;
    }
    return engine::NetworkMode::none;
}

void prepare_place(const StepPlace& place, const Plan& plan) {
    std::vector<std::string> overlays = {"opt"};
    for (const std::string& repo : plan.repos) {
        overlays.push_back("work-" + repo);
        base::make_directories(place.inputs(repo), 0755);
    }
    for (const std::string& name : overlays) {
        base::make_directories(place.scratch(name) / "upper", 0755);
        base::make_directories(place.scratch(name) / "work");
        base::open_file(place.scratch(name) / "lock", O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW);
    }
    for (const char* name : {"home", "tmp"}) base::make_directories(place.scratch(name));
    base::make_directories(place.cache);
}

engine::SandboxSpec step_spec(const Plan& plan, const Parts& below, const StepPlace& place,
                              const base::Paths& paths, const engine::SandboxLimits& limits) {
    engine::SandboxSpec spec;
    spec.name = sandbox_name;
    spec.network = engine_mode(plan.network);
    if (spec.network == engine::NetworkMode::allow) spec.proxy_port = proxy_port;
    spec.limits = limits;
    spec.mounts = make_environment(plan.base)->root(spec.network, spec.name);
    append(spec.mounts, tool_mounts(plan.tools));
    spec.mounts.push_back({own_path, writable(place.scratch("opt"), own_lowers(paths, below))});
    spec.mounts.push_back({"/work", engine::Directory{0755}});
    for (const std::string& repo : plan.repos) {
        auto lowers = work_lowers(paths, below, repo);
        lowers.push_back(place.inputs(repo));
        spec.mounts.push_back({"/work/" + repo, writable(place.scratch("work-" + repo), std::move(lowers))});
    }
    spec.mounts.push_back({"/home/agent", engine::Bind{place.scratch("home"), true}});
    spec.mounts.push_back({"/tmp", engine::Bind{place.scratch("tmp"), true}});
    spec.mounts.push_back({cache_path, engine::Bind{place.cache, true}});
    spec.directory = "/work";
    return spec;
}

engine::RunRequest step_request(const Plan& plan, const Step& step) {
    engine::RunRequest request;
    request.argv = step.argv;
    request.directory = step.directory;
    std::string path = "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin";
    const std::string cache = cache_path;
    std::map<std::string, std::string> variables = {
        {"HOME", "/home/agent"},
        {"USER", "agent"},
        {"LOGNAME", "agent"},
        {"SHELL", "/bin/bash"},
        {"LANG", "C.UTF-8"},
        {"TERM", "dumb"},
        {"TMPDIR", "/tmp"},
        {"XDG_CACHE_HOME", cache},
        {"PIP_CACHE_DIR", cache + "/pip"},
        {"PIP_NO_INPUT", "1"},
        {"PIP_DISABLE_PIP_VERSION_CHECK", "1"},
        {"UV_CACHE_DIR", cache + "/uv"},
        {"UV_LINK_MODE", "copy"}, // a hard link would be one file with the cache
        {"UV_PYTHON_DOWNLOADS", "never"},
        {"npm_config_cache", cache + "/npm"},
        {"npm_config_update_notifier", "false"},
        {"npm_config_fund", "false"},
    };
    if (plan.network == project::NetworkMode::allow) {
        for (auto& [name, value] : engine::proxy_variables(proxy_port, plan.hosts)) variables[name] = value;
    }
    for (const auto& [name, value] : plan.variables) {
        if (name == "PATH")
            path = fmt::format("{}:{}", value, path);
        else
            variables[name] = value;
    }
    request.environment.push_back("PATH=" + path);
    for (const auto& [name, value] : variables)
        request.environment.push_back(fmt::format("{}={}", name, value));
    return request;
}

engine::SandboxSpec listing_spec(const Plan& plan, const Parts& parts, const base::Paths& paths) {
    engine::SandboxSpec spec;
    spec.name = sandbox_name;
    spec.limits.pids = 64;
    spec.limits.open_files = 1024;
    spec.mounts = make_environment(plan.base)->root(spec.network, spec.name);
    engine::Overlay own;
    own.lowers = own_lowers(paths, parts);
    spec.mounts.push_back({own_path, std::move(own)});
    return spec;
}

engine::RunRequest listing_request() {
    engine::RunRequest request;
    request.argv = {"/bin/sh", "-c", std::string(package_listing())};
    request.environment = {"PATH=/usr/bin:/bin", "LC_ALL=C"};
    return request;
}

} // namespace scad::environment
