#include "environment/bake.h"

#include "base/error.h"
#include "base/file.h"
#include "base/lock.h"
#include "base/sync.h"
#include "base/text.h"
#include "environment/drift.h"
#include "environment/mounts.h"
#include "environment/step_log.h"
#include "environment/step_sandbox.h"
#include "environment/step_spec.h"
#include "environment/written.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <fmt/format.h>
#include <sys/stat.h>

namespace scad::environment {

namespace fs = std::filesystem;

namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr std::chrono::minutes listing_limit{2};
constexpr std::size_t listing_output = std::size_t{4} << 20;

void rename_into(const fs::path& from, const fs::path& to) {
    if (::rename(from.c_str(), to.c_str()) != 0)
        throw system_error(errno, "cannot rename '{}' to '{}'", from.native(), to.native());
}

// The step may have changed its mode: it is the directory that was mounted.
void open_up(const fs::path& upper) {
    if (::chmod(upper.c_str(), 0755) != 0)
        throw system_error(errno, "cannot change the mode of '{}'", upper.native());
}

class Baking {
  public:
    Baking(const base::Paths& paths, const Plan& plan, const Sources& sources, const engine::Engine& engine,
           const BakeOptions& options, const Progress& progress)
        : paths_(paths),
          plan_(plan),
          sources_(sources),
          engine_(engine),
          options_(options),
          progress_(progress),
          log_(paths.environments() / "logs" / (plan.key + ".log")) {}

    Baked run() {
        for (std::size_t i = 0; i < plan_.steps.size(); ++i) {
            const Step& step = plan_.steps[i];
            // After a step that was done anew all further ones are: their ids count what went before.
            auto layer = options_.renew ? std::nullopt : read_layer(paths_, newest_result(paths_, step.id));
            const bool kept = layer.has_value();
            if (!kept)
                layer = with_context([&] { return bake_step(i + 1, step); }, "step {} of {}: {}", i + 1,
                                     plan_.steps.size(), step.title);
            if (progress_.ended) progress_.ended(i + 1, step, kept, milliseconds(layer->milliseconds));
            layers_.push_back(std::move(*layer));
        }
        return finish();
    }

  private:
    Layer bake_step(std::size_t number, const Step& step) {
        if (progress_.begins) progress_.begins(number, step);
        base::WholeDirectory whole(layers_directory(paths_));
        StepPlace place{whole.path(), paths_.cache / "packages" / plan_.key};
        if (options_.renew) place.cache = place.scratch("cache");
        prepare_place(place, plan_);
        for (const auto& [repo, files] : step.inputs) sources_.write(repo, files, place.inputs(repo));
        log_.begin_step(whole.path() / "log", number, step.title);
        const auto start = Clock::now();
        const auto taken = [&] { return std::chrono::duration_cast<milliseconds>(Clock::now() - start); };
        const StepEnd end = run_step(
            engine_, step_spec(plan_, stack(layers_, plan_.tools), place, paths_, options_.limits),
            step_request(plan_, step), plan_.hosts, [&](std::string_view text) { log_.write(text); },
            [&] {
                if (progress_.runs) progress_.runs(number, step, log_.last_line(), taken());
            });
        if (!end.ok()) throw failure(end);
        Layer layer;
        layer.id = options_.renew ? base::sha256_hex(step.id + base::random_hex(16)).substr(0, 40) : step.id;
        layer.title = step.title;
        layer.milliseconds = taken().count();
        log_.end_step();
        take_results(place, layer);
        base::remove_tree(whole.path() / "scratch");
        layer.size = base::disk_usage(whole.path());
        write_layer(whole.path(), layer);
        base::sync_file_system(whole.path());
        if (!whole.commit(layer.id)) { // a build of another project that has the same steps was faster
            auto other = read_layer(paths_, layer.id);
            if (!other)
                throw fatal("'{}' is there and is no layer", layer_directory(paths_, layer.id).native())
                    .with_hint("rm -r {}", base::shell_quote(layer_directory(paths_, layer.id).native()));
            layer = std::move(*other);
        }
        if (options_.renew) renew(paths_, step.id, layer.id);
        return layer;
    }

    Error failure(const StepEnd& end) const {
        std::string text = end.reason.empty() ? base::describe_wait_status(end.wait_status) : end.reason;
        for (const std::string& line : log_.last_lines()) text += "\n    " + line;
        return fatal("the environment of project '{}' could not be built: {}", plan_.project, text)
            .with_hint("the whole log is '{}'", log_.path().native());
    }

    // What the step wrote goes from its upper layers into the layer; all else is dropped.
    void take_results(const StepPlace& place, Layer& layer) {
        for (const std::string& repo : plan_.repos) {
            const fs::path upper = place.upper_of_repo(repo);
            open_up(upper);
            if (fs::is_empty(upper)) continue;
            std::vector<std::string> made;
            const auto over = written_over(upper, sources_.list(repo, {""}), repo, sources_, made);
            if (!over.empty()) {
                std::string list;
                for (const std::string& path : over)
                    list += fmt::format("\n    {}", base::c_quote(fmt::format("{}/{}", repo, path)));
                throw fatal("it wrote over what repo '{}' tracks:{}", repo, list)
                    .with_hint("what a step makes in a repo must be files that git does not track");
            }
            if (fs::is_empty(upper)) continue;
            layer.work.push_back(repo);
            for (const std::string& path : made) layer.made.push_back(fmt::format("{}/{}", repo, path));
            base::make_directories(place.directory / "work", 0755);
            rename_into(upper, place.directory / "work" / repo);
        }
        open_up(place.upper_of_opt());
        layer.opt = !fs::is_empty(place.upper_of_opt());
        if (!layer.opt) return;
        rename_into(place.upper_of_opt(), place.directory / "opt");
        layer.venv = venv_part(place.directory / "opt");
    }

    Baked finish() {
        Baked baked;
        baked.id =
            options_.renew ? base::sha256_hex(plan_.id + base::random_hex(16)).substr(0, 40) : plan_.id;
        baked.project = plan_.project;
        baked.base = plan_.base;
        baked.variables = plan_.variables;
        baked.parts = stack(layers_, plan_.tools);
        for (const Layer& layer : layers_) {
            baked.layers.push_back(layer.id);
            baked.size += layer.size;
        }
        if (!baked.parts.venv.empty()) baked.packages = list_packages(baked.parts);
        base::WholeDirectory whole(paths_.environments());
        std::string log;
        for (const Layer& layer : layers_)
            if (auto part = base::read_if_exists(layer_directory(paths_, layer.id) / "log", StepLog::most))
                log += *part;
        base::replace_file(whole.path() / "log", log);
        write_baked(whole.path(), baked);
        if (!whole.commit(baked.id) && !find(paths_, baked.id)) {
            throw fatal("'{}' is there and is no environment", (paths_.environments() / baked.id).native())
                .with_hint("rm -r {}", base::shell_quote((paths_.environments() / baked.id).native()));
        }
        if (options_.renew) renew(paths_, plan_.id, baked.id);
        return *find(paths_, baked.id);
    }

    std::vector<std::string> list_packages(const Parts& parts) const {
        const auto runner = engine::make_throwaway(engine_, listing_spec(plan_, parts, paths_));
        const auto output =
            engine::run_captured(*runner, listing_request(), {}, listing_limit, listing_output);
        if (!output.result.ok()) throw fatal("cannot list the packages of the environment");
        return parse_packages(output.out);
    }

    const base::Paths& paths_;
    const Plan& plan_;
    const Sources& sources_;
    const engine::Engine& engine_;
    const BakeOptions& options_;
    const Progress& progress_;
    StepLog log_;
    std::vector<Layer> layers_; // lowest first
};

} // namespace

Baked bake(const base::Paths& paths, const Plan& plan, const Sources& sources, const engine::Engine& engine,
           const BakeOptions& options, const Progress& progress) {
    const auto held = hold(paths);
    const auto lock = base::FileLock::acquire(paths.environments() / "locks" / plan.key, progress.waits);
    if (!options.renew) {
        if (auto baked = find_baked(paths, plan)) return *baked; // by a build that was waited for
    }
    prepare_own_lowers(paths);
    base::make_directories(layers_directory(paths));
    base::sweep_temporaries(paths.environments());
    base::sweep_temporaries(layers_directory(paths));
    return Baking(paths, plan, sources, engine, options, progress).run();
}

} // namespace scad::environment
