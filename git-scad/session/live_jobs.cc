#include "session/live_jobs.h"

#include "base/error.h"
#include "base/text.h"
#include "session/capped_log.h"

#include <spdlog/spdlog.h>

#include <filesystem>
#include <utility>

namespace scad::session {

namespace {

constexpr std::chrono::milliseconds tick_period{30}; // a follower is woken at most so often

} // namespace

std::filesystem::path LiveJobs::directory(std::uint64_t number) const {
    return host_.session.jobs() / std::to_string(number);
}

Job LiveJobs::on_disk(std::uint64_t number) const {
    if (!std::filesystem::exists(directory(number) / "job.json")) {
        throw fatal("session '{}' has no job {}", host_.session.name, number);
    }
    return read_job(directory(number));
}

bool LiveJobs::write(const Job& job) {
    try {
        write_job(job);
        return true;
    } catch (const Error& error) {
        host_.log.error("job {}: {}", job.number, error.message);
        return false;
    }
}

void LiveJobs::catch_up() {
    try {
        for (Job& job : list_jobs(host_.session, true)) {
            if (is_final(job.state) && !job.saved) ended_.emplace(job.number, std::move(job));
        }
    } catch (const Error& error) {
        host_.log.warn("{}", error.message);
    }
    settle_all();
}

std::vector<workspace::RepoState> LiveJobs::state_before(std::uint64_t number) const {
    if (!host_.status.repos.empty() || number != 1) return host_.status.repos;
    std::vector<workspace::RepoState> states; // nothing ran in it yet
    for (const SessionRepo& repo : host_.session.repos) {
        workspace::RepoState state;
        state.repo = repo.name;
        state.branch = repo.branch;
        state.head = repo.base_commit;
        states.push_back(std::move(state));
    }
    return states;
}

void LiveJobs::start(Peers::Id peer, const Request& request) {
    const std::uint64_t number = request.number;
    Job job = on_disk(number);
    if (running_.contains(number) || job.state != JobState::queued) {
        throw fatal("job {}:{} was started before", host_.session.name, number);
    }
    job.before = state_before(number);
    if (request.follow) host_.peers.follow(peer, number);
    host_.peers.send(peer, {});
    auto& runner = running_[number];
    runner = std::make_unique<JobRunner>(
        JobRunner::Host{host_.loop, host_.programs, host_.session, host_.log,
                        [this](std::uint64_t n) { on_progress(n); }, [this](std::uint64_t n) { on_end(n); }},
        std::move(job), request.secrets);
    host_.log.info("job {} starts", number);
    runner->start();
}

void LiveJobs::follow(Peers::Id peer, std::uint64_t number) {
    Job job;
    if (auto running = running_.find(number); running != running_.end())
        job = running->second->job();
    else if (auto ended = ended_.find(number); ended != ended_.end())
        job = ended->second;
    else
        job = on_disk(number);
    host_.peers.send(peer, {});
    host_.peers.follow(peer, number);
    if (!is_final(job.state)) return;
    tell_ended(peer, job);
    if (!ended_.contains(number)) tell_saved(peer, number);
}

void LiveJobs::cancel(Peers::Id peer, std::uint64_t number) {
    if (auto running = running_.find(number); running != running_.end()) {
        running->second->cancel();
    } else if (Job job = on_disk(number); job.state == JobState::queued) { // whoever made it never came back
        job.state = JobState::cancelled;
        job.reason = "cancelled before it was started";
        job.ended = base::unix_now();
        job.saved = true;
        write_job(job);
        for (const Peers::Id follower : host_.peers.followers(number)) {
            tell_ended(follower, job);
            tell_saved(follower, number);
        }
    }
    host_.peers.send(peer, {});
}

void LiveJobs::note(const agent::Event& event) {
    for (auto& [number, runner] : running_) runner->note(event);
}

bool LiveJobs::end(std::uint64_t program, Cause cause, const std::string& why) {
    for (auto& [number, runner] : running_) {
        if (runner->program() != program) continue;
        runner->end_now(cause, why);
        return true;
    }
    return false;
}

void LiveJobs::end_all(Cause cause, const std::string& why) {
    for (auto& [number, runner] : running_) runner->end_now(cause, why);
}

void LiveJobs::on_progress(std::uint64_t number) {
    news_.insert(number);
    if (tick_) return; // the first is told at once, the following ones together
    send_ticks();
    tick_ = host_.loop.after(tick_period, [this] {
        tick_.reset();
        send_ticks();
    });
}

void LiveJobs::send_ticks() {
    for (const std::uint64_t number : std::exchange(news_, {})) {
        for (const Peers::Id peer : host_.peers.followers(number)) {
            host_.peers.send_if_room(peer, {Reply::Kind::tick, 0, number, {}});
        }
    }
}

void LiveJobs::on_end(std::uint64_t number) {
    const Job& job = running_.at(number)->job();
    host_.log.info("job {}: {}{}{}", number, job_state_name(job.state), job.reason.empty() ? "" : ": ",
                   base::visible(job.reason));
    ended_[number] = job;
    for (const Peers::Id peer : host_.peers.followers(number)) tell_ended(peer, job);
    host_.loop.post([this, number] { running_.erase(number); }); // not from within its own call
    host_.ended();
    if (!held_ && !host_.programs.gone()) settle(number);
}

void LiveJobs::tell_ended(Peers::Id peer, const Job& job) {
    host_.peers.send(peer, {Reply::Kind::ended, 0, job.number, std::string(job_state_name(job.state))});
}

void LiveJobs::tell_saved(Peers::Id peer, std::uint64_t number) {
    host_.peers.send(peer, {Reply::Kind::saved, 0, number, {}});
    host_.peers.unfollow(peer, number);
}

void LiveJobs::settle(std::uint64_t number) {
    host_.snapshots.request([this, number] {
        auto found = ended_.find(number);
        if (found == ended_.end()) return;
        Job job = std::move(found->second);
        ended_.erase(found);
        job.saved = true;
        job.after = host_.status.repos;
        if (!write(job)) ended_[number] = job; // at the end of the session once more
        for (const Peers::Id peer : host_.peers.followers(number)) tell_saved(peer, number);
    });
}

void LiveJobs::settle_all() {
    for (const auto& [number, job] : ended_) settle(number);
}

void LiveJobs::close(JobState state, const std::string& reason) {
    for (auto& [number, runner] : running_) {
        if (runner->has_ended()) continue;
        Job job = runner->job();
        job.state = state;
        job.reason = reason;
        job.ended = base::unix_now();
        ended_[number] = std::move(job);
    }
    running_.clear();
    for (const auto& [number, job] : ended_) {
        try {
            CappedLog::mend(job.directory_on_host / "output.log");
        } catch (const Error& error) {
            host_.log.error("job {}: {}", number, error.message);
        }
        write(job);
    }
}

} // namespace scad::session
