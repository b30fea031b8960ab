#include "workspace/checkout.h"

#include "base/error.h"
#include "base/fd.h"
#include "base/text.h"
#include "engine/runner.h"
#include "workspace/checkout_script.h"
#include "workspace/inner_mounts.h"

#include <chrono>
#include <fcntl.h>
#include <iterator>

namespace scad::workspace {

namespace {

constexpr std::chrono::minutes checkout_limit{30};
constexpr std::size_t checkout_output = std::size_t{1} << 20;

} // namespace

engine::SandboxSpec checkout_spec(std::vector<engine::Mount> mounts) {
    engine::SandboxSpec spec;
    spec.name = "checkout";
    spec.mounts = engine::host_root(engine::NetworkMode::none, spec.name);
    spec.network = engine::NetworkMode::none;
    spec.limits.pids = 256;
    spec.limits.open_files = 4096;
    spec.limits.file_size = std::uint64_t{64} << 30;
    std::move(mounts.begin(), mounts.end(), std::back_inserter(spec.mounts));
    return spec;
}

void run_checkout(const engine::Engine& engine, const engine::SandboxSpec& spec,
                  std::vector<std::string> argv, const Origin& origin) {
    engine::RunRequest request;
    request.argv = std::move(argv);
    request.environment = checkout_environment();
    const auto runner = engine::make_throwaway(engine, spec);
    const engine::Output output =
        engine::run_captured(*runner, std::move(request), {}, checkout_limit, checkout_output);
    if (output.result.timed_out) {
        throw fatal("cannot check out repo '{}' at {}: it took longer than {}", origin.name,
                    origin.base_commit, base::format_duration(checkout_limit));
    }
    if (output.result.ok()) return;
    std::vector<std::string> told = base::lines(output.err);
    if (told.size() > 10) told.erase(told.begin(), told.end() - 10);
    throw fatal("cannot check out repo '{}' at {}: {}{}{}", origin.name, origin.base_commit,
                base::describe_wait_status(output.result.wait_status), told.empty() ? "" : "\n",
                base::join(told, "\n"))
        .with_hint("git -C {} fsck", base::shell_quote(origin.host.common_dir.native()));
}

void make_small_files(const std::filesystem::path& directory) {
    for (const auto& [part, mode] : {std::pair{"lock", 0600}, std::pair{empty_file, 0444}}) {
        base::open_file(directory / part, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW,
                        static_cast<mode_t>(mode));
    }
}

void fill_working_copy(std::vector<engine::Mount> mounts, const Origin& origin,
                       const engine::Engine& engine) {
    if (!origin.laid_over.empty())
        mounts.push_back({std::string(laid_over_path), engine::Bind{origin.laid_over, false}});
    run_checkout(engine, checkout_spec(std::move(mounts)),
                 fill_argv("/work/" + origin.name,
                           origin.start_commit.empty() ? origin.base_commit : origin.start_commit),
                 origin);
}

} // namespace scad::workspace
