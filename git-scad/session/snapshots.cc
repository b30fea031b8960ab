#include "session/snapshots.h"

#include "base/error.h"
#include "base/text.h"
#include "environment/drift.h"
#include "session/plan.h"
#include "workspace/base_tree.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <fcntl.h>
#include <unistd.h>
#include <utility>

namespace scad::session {

namespace {

constexpr std::size_t output_limit_of_snapshot = std::size_t{1} << 20;

std::vector<std::string> repo_names(const Session& session) {
    std::vector<std::string> names;
    for (const SessionRepo& repo : session.repos) names.push_back(repo.name);
    return names;
}

std::vector<workspace::RepoState> all_with_problem(const Session& session, const std::string& problem) {
    std::vector<workspace::RepoState> states;
    for (const SessionRepo& repo : session.repos) {
        workspace::RepoState state;
        state.repo = repo.name;
        state.problem = problem;
        states.push_back(std::move(state));
    }
    return states;
}

} // namespace

std::vector<workspace::RepoState> merge_states(const std::vector<workspace::RepoState>& before,
                                               std::vector<workspace::RepoState> now,
                                               const std::string& late) {
    for (workspace::RepoState& state : now) {
        if (state.problem.empty()) continue;
        std::string problem = late.empty() ? state.problem : late;
        if (state.head.empty()) {
            auto known = std::find_if(before.begin(), before.end(), [&](const workspace::RepoState& old) {
                return old.repo == state.repo;
            });
            if (known != before.end()) state = *known;
        }
        state.problem = std::move(problem);
    }
    return now;
}

void Snapshots::request(Done done) {
    waiting_.push_back(std::move(done));
    schedule();
}

void Snapshots::when_settled(Done done) {
    if (settled()) return done();
    if (!waiting_.empty())
        waiting_.push_back(std::move(done));
    else
        current_.push_back(std::move(done));
}

// From the loop, so that jobs that end at the same time are covered by one.
void Snapshots::schedule() {
    if (held_ || scheduled_ || program_ != 0 || waiting_.empty()) return;
    scheduled_ = true;
    host_.loop.post([this] {
        scheduled_ = false;
        if (!held_ && program_ == 0 && !waiting_.empty()) begin();
    });
}

std::string Snapshots::missing_tree() const {
    for (const SessionRepo& repo : host_.session.repos) {
        if (!workspace::is_whole(workspace::base_tree_at(host_.paths, repo.tree))) {
            return "the base tree of repo '" + repo.name +
                   "' is gone: stop the session, then `git scad build " + host_.session.project +
                   "` makes it again";
        }
    }
    return {};
}

void Snapshots::begin() {
    current_ = std::exchange(waiting_, {});
    host_.begins();
    output_.clear();
    given_up_ = false;
    late_ = false;
    // Over a lower layer that is gone git would find nothing to save and say so.
    if (const std::string missing = missing_tree(); !missing.empty()) {
        return finish(all_with_problem(host_.session, missing), missing);
    }
    try {
        take();
    } catch (const Error& error) {
        readable_.reset();
        finish(all_with_problem(host_.session, error.message), {});
    }
}

void Snapshots::take() {
    std::vector<std::string> bases;
    for (const SessionRepo& repo : host_.session.repos) bases.push_back(repo.base_commit);
    const engine::RunRequest request =
        workspace::snapshot_request(repo_names(host_.session), bases,
                                    host_.session.parts.venv.empty() ? "" : environment::package_listing());
    base::Pipe pipe = base::make_pipe();
    ::fcntl(pipe.read.get(), F_SETFL, O_NONBLOCK);
    const base::Fd null = base::open_file("/dev/null", O_RDWR);
    engine::JobStart program;
    program.argv = request.argv;
    program.environment = request.environment;
    program.directory = request.directory;
    program.in = request.in >= 0 ? request.in : null.get();
    program.out = pipe.write.get();
    program.err = null.get();
    program_ = host_.programs.start(program,
                                    {{}, [this](const std::string&) { ended(); }, [this](int) { ended(); }});
    pipe_ = std::move(pipe.read);
    readable_ = host_.loop.on_readable(pipe_.get(), [this] {
        std::array<char, 16384> buffer{};
        const ssize_t count = ::read(pipe_.get(), buffer.data(), buffer.size());
        if (count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR)) readable_.reset();
        if (count > 0) output_.append(buffer.data(), static_cast<std::size_t>(count));
        if (output_.size() > output_limit_of_snapshot) {
            readable_.reset();
            host_.programs.end(program_);
        }
    });
    timer_ = host_.loop.after(limit_, [this] {
        late_ = true;
        host_.programs.end(program_);
    });
}

void Snapshots::ended() {
    timer_.reset();
    program_ = 0;
    if (readable_) { // what is still in the pipe; whoever else holds its other end is not waited for
        readable_.reset();
        std::array<char, 65536> buffer{};
        ssize_t count = 0;
        while (output_.size() < output_limit_of_snapshot &&
               (count = ::read(pipe_.get(), buffer.data(), buffer.size())) > 0) {
            output_.append(buffer.data(), static_cast<std::size_t>(count));
        }
    }
    pipe_.reset();
    if (given_up_) { // those who waited for it get the next one
        std::move(waiting_.begin(), waiting_.end(), std::back_inserter(current_));
        waiting_ = std::exchange(current_, {});
        return schedule();
    }
    const std::string late =
        late_ ? "the snapshot took longer than " +
                    base::format_duration(std::chrono::duration_cast<std::chrono::seconds>(limit_))
              : "";
    if (!late_ && !host_.session.parts.venv.empty()) host_.packages(environment::parse_packages(output_));
    finish(workspace::parse_snapshot(output_, repo_names(host_.session)), late);
}

void Snapshots::finish(std::vector<workspace::RepoState> states, const std::string& note) {
    const std::vector<workspace::RepoState> merged = merge_states(host_.known(), std::move(states), note);
    for (const workspace::RepoState& state : merged) {
        if (!state.problem.empty()) {
            host_.log.warn("snapshot of '{}': {}", state.repo, base::one_line(state.problem, 500));
        }
    }
    host_.taken(merged, note);
    const std::vector<Done> done = std::exchange(current_, {});
    for (const Done& call : done) call();
    schedule();
}

void Snapshots::hold(std::chrono::milliseconds limit) {
    held_ = true;
    limit_ = limit;
    if (program_ == 0) return;
    given_up_ = true;
    host_.programs.end(program_);
}

void Snapshots::release() {
    held_ = false;
    schedule();
}

} // namespace scad::session
