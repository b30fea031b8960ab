#include "workspace/fork.h"

#include "base/error.h"
#include "base/text.h"

#include <fmt/format.h>

namespace scad::workspace {

namespace {

constexpr std::chrono::minutes copy_limit{30};
constexpr std::chrono::seconds naming_limit{60};
constexpr std::size_t output_limit = std::size_t{1} << 20;
constexpr std::size_t most_lines = 5; // of what cp complains about

const std::vector<std::string> environment = {
    "PATH=/usr/bin:/bin",
    "HOME=/nonexistent",
    "LANG=C.UTF-8",
    "GIT_CONFIG_NOSYSTEM=1",
    "GIT_CONFIG_GLOBAL=/dev/null",
    "GIT_COMMITTER_NAME=scad",
    "GIT_COMMITTER_EMAIL=scad@localhost",
};

// From within the layer, so that paths are no longer than they were in the session. What cannot be copied is
// told, and all else is copied first.
constexpr const char* copy_script = R"sh(
status=0
i=0
while [ $i -lt "$1" ]; do
    cd /f/$i || exit 1
    n=0
    while [ $n -lt "$2" ]; do
        cp -R -d --preserve=mode,timestamps,links,xattr --reflink=auto --sparse=auto -T . /t/$n/$i || status=1
        n=$((n + 1))
    done
    i=$((i + 1))
done
exit $status
)sh";

// Arguments: git directory, from, to, again and again; prints one line for each. No process of the copied
// session is there that could hold a lock. The repo's own configuration has no say; where git takes too long
// over what it finds, the name stays.
constexpr const char* naming_script = R"sh(
while [ $# -gt 2 ]; do
    if cd "$1"; then
        rm -f -- index.lock HEAD.lock config.lock packed-refs.lock shallow.lock
        for place in refs worktrees; do
            [ ! -d $place ] || [ -h $place ] || find $place -name '*.lock' -type f -delete
        done
    fi
    kept=to
    if [ "$2" != "$3" ]; then
        g="timeout 5 git --git-dir=$1 -c core.hooksPath=/dev/null -c core.fsmonitor=false"
        $g branch -m -- "$2" "$3" >&2 || ! $g show-ref --verify --quiet "refs/heads/$2" || kept=from
    fi
    echo $kept
    shift 3
done
)sh";

std::string told(const std::string& text) {
    std::vector<std::string> lines = base::lines(text);
    const std::size_t count = lines.size();
    if (count > most_lines) lines.resize(most_lines);
    for (std::string& line : lines) {
        // The reason stands at the end, after a path that may be long.
        if (line.size() > 300)
            line =
                fmt::format("{}…{}", line.substr(0, 100), std::string_view(line).substr(line.size() - 150));
        line = base::visible(base::one_line(line, 300));
    }
    if (count > most_lines) lines.push_back(fmt::format("… and {} more", count - most_lines));
    return base::join(lines, "\n");
}

engine::RunRequest request_for(const char* script, std::vector<std::string> arguments) {
    engine::RunRequest request;
    request.argv = {"sh", "-c", script, "sh"};
    request.argv.insert(request.argv.end(), arguments.begin(), arguments.end());
    request.environment = environment;
    return request;
}

} // namespace

engine::SandboxSpec copy_spec(const std::string& name, const std::vector<LayerCopy>& layers,
                              std::vector<engine::Mount> host_root) {
    engine::SandboxSpec spec;
    spec.name = name;
    spec.mounts = std::move(host_root);
    for (std::size_t i = 0; i < layers.size(); ++i) {
        spec.mounts.push_back({fmt::format("/f/{}", i), engine::Bind{layers[i].from, false}});
        for (std::size_t n = 0; n < layers[i].to.size(); ++n)
            spec.mounts.push_back({fmt::format("/t/{}/{}", n, i), engine::Bind{layers[i].to[n], true}});
    }
    spec.network = engine::NetworkMode::none;
    spec.limits.pids = 256;
    spec.limits.open_files = 4096;
    spec.read_all = true;
    return spec;
}

void copy_layers(engine::Runner& runner, std::size_t layers, std::size_t copies) {
    const engine::Output output = engine::run_captured(
        runner, request_for(copy_script, {std::to_string(layers), std::to_string(copies)}), {}, copy_limit,
        output_limit);
    if (output.result.timed_out)
        throw fatal("it was not copied within {}", base::format_duration(copy_limit));
    if (!output.result.ok()) throw fatal("not all of it could be copied\n{}", told(output.err));
}

std::vector<std::string> name_branches(engine::Runner& runner, const std::vector<BranchName>& wanted) {
    std::vector<std::string> arguments;
    for (const BranchName& one : wanted) {
        arguments.push_back(fmt::format("/t/{}/{}", one.copy, one.layer));
        arguments.push_back(one.from);
        arguments.push_back(one.to);
    }
    const engine::Output output = engine::run_captured(
        runner, request_for(naming_script, std::move(arguments)), {}, naming_limit, output_limit);
    const std::vector<std::string> lines = base::lines(output.out);
    if (!output.result.ok() || lines.size() != wanted.size())
        throw fatal("the work branches of the copies could not be named\n{}", told(output.err));
    std::vector<std::string> names;
    for (std::size_t i = 0; i < wanted.size(); ++i)
        names.push_back(lines[i] == "from" ? wanted[i].from : wanted[i].to);
    return names;
}

} // namespace scad::workspace
