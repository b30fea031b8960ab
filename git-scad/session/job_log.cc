#include "session/job_log.h"

#include "base/error.h"
#include "base/text.h"

#include <fcntl.h>
#include <utility>

namespace scad::session {

namespace {

constexpr std::size_t tail_limit = 4096; // bytes of standard error that are kept for the reason of a failure

bool is_kept_when_full(agent::Event::Kind kind) {
    return kind == agent::Event::Kind::error || kind == agent::Event::Kind::result;
}

} // namespace

JobLog::JobLog(const Job& job, const std::map<std::string, std::string>& secrets)
    : log_(job.directory_on_host / "output.log", output_limit),
      events_(base::open_file(job.directory_on_host / "events.jsonl",
                              O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW, 0600)),
      out_mask_(secret_forms(secrets)),
      err_mask_(secret_forms(secrets)) {
    if (job.agent != "command") reader_ = agent::make_reader(job.reader);
}

JobLog::~JobLog() = default;

std::vector<agent::Event> JobLog::output(std::string_view bytes) {
    const std::string safe = out_mask_.feed(bytes);
    log_.write(safe);
    return read(safe);
}

void JobLog::errors(std::string_view bytes) {
    const std::string safe = err_mask_.feed(bytes);
    log_.write(safe);
    err_tail_ += safe;
    if (err_tail_.size() > 2 * tail_limit) err_tail_.erase(0, err_tail_.size() - tail_limit);
}

std::vector<agent::Event> JobLog::read(std::string_view safe) {
    if (!reader_ || reader_failed_ || safe.empty()) return {};
    std::vector<agent::Event> events;
    try {
        events = reader_->feed(safe);
    } catch (const std::exception& error) { // a stream that no reader can take ends no session
        reader_failed_ = true;
        agent::Event failure;
        failure.kind = agent::Event::Kind::error;
        failure.text = std::string("the agent's output could not be read: ") + error.what();
        events.push_back(failure);
    }
    const std::int64_t now = base::unix_now();
    for (agent::Event& event : events) {
        event = masked(std::move(event)); // once more: a reader sees through every way of quoting
        add(event, now);
    }
    return events;
}

agent::Event JobLog::masked(agent::Event event) const {
    for (std::string* text : {&event.text, &event.name, &event.conversation, &event.model}) {
        *text = out_mask_.whole(*text);
    }
    return event;
}

void JobLog::add(const agent::Event& event, std::int64_t now) {
    if (events_size_ > events_limit && !is_kept_when_full(event.kind)) {
        if (std::exchange(events_full_, true)) return;
        agent::Event note;
        note.kind = agent::Event::Kind::error;
        note.text =
            "events are left out from here on: more than " + base::format_size(events_limit) + " of them";
        return add(note, now);
    }
    const std::string line = agent::to_json_line(event, now) + "\n";
    // Errors must not fill the disk either.
    if (events_size_ > 2 * events_limit && event.kind != agent::Event::Kind::result) return;
    try {
        base::write_all(events_.get(), line);
    } catch (const Error&) { // a full disk: the job goes on, and its end is told by job.json
    }
    events_size_ += line.size();
}

agent::Verdict JobLog::finish(int wait_status, std::vector<agent::Event>& last) {
    const std::string rest = out_mask_.flush();
    log_.write(rest);
    last = read(rest);
    const std::string err_rest = err_mask_.flush();
    log_.write(err_rest);
    err_tail_ += err_rest;
    if (err_tail_.size() > tail_limit) err_tail_.erase(0, err_tail_.size() - tail_limit);
    log_.finish();
    agent::Verdict verdict;
    if (!reader_) {
        verdict.ok = wait_status == 0;
    } else if (reader_failed_) {
        verdict.reason = "the agent's output could not be read";
    } else {
        verdict = reader_->finish(wait_status, err_tail_);
        verdict.reason = base::one_line(out_mask_.whole(verdict.reason), 300);
    }
    return verdict;
}

} // namespace scad::session
