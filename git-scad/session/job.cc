#include "session/job.h"

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "session/json_values.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <nlohmann/json.hpp>

namespace scad::session {
namespace {

constexpr int job_version = 1;
constexpr std::array<std::pair<JobState, std::string_view>, 8> state_names = {{
    {JobState::queued, "queued"},
    {JobState::running, "running"},
    {JobState::waiting, "waiting"},
    {JobState::done, "done"},
    {JobState::failed, "failed"},
    {JobState::cancelled, "cancelled"},
    {JobState::timeout, "timeout"},
    {JobState::lost, "lost"},
}};

std::optional<std::uint64_t> parse_number(std::string_view text) {
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size() || number == 0) return std::nullopt;
    return number;
}

std::vector<std::uint64_t> job_numbers(const std::filesystem::path& jobs) {
    std::vector<std::uint64_t> numbers;
    std::error_code ignored;
    for (const auto& entry : std::filesystem::directory_iterator(jobs, ignored))
        if (const auto number = parse_number(entry.path().filename().string())) numbers.push_back(*number);
    std::sort(numbers.begin(), numbers.end());
    return numbers;
}

nlohmann::json to_document(const Job& job) {
    nlohmann::json document = {
        {"version", job_version},
        {"session", job.session},
        {"number", job.number},
        {"agent", job.agent},
        {"argv", job.argv},
        {"environment", job.environment},
        {"path", job.path},
        {"files", pairs_to_json(job.files)},
        {"directory", job.directory},
        {"prompt_on_stdin", job.prompt_on_stdin},
        {"reader", job.reader},
        {"prompt_name", job.prompt_name},
        {"prompt_line", job.prompt_line},
        {"model", job.model},
        {"secret_names", job.secret_names},
        {"state", job_state_name(job.state)},
        {"reason", job.reason},
        {"created", job.created},
        {"started", job.started},
        {"ended", job.ended},
        {"conversation", job.conversation},
        {"usage",
         {{"input_tokens", job.input_tokens}, {"output_tokens", job.output_tokens}, {"cost", job.cost}}},
        {"saved", job.saved},
        {"before", repo_states_to_json(job.before)},
        {"after", repo_states_to_json(job.after)},
    };
    if (job.time) document["time"] = job.time->count();
    if (job.idle) document["idle"] = job.idle->count();
    if (job.exit_status) document["exit_status"] = *job.exit_status;
    return document;
}

std::optional<std::chrono::seconds> seconds_at(const nlohmann::json& document, const char* key) {
    const auto found = document.find(key);
    if (found == document.end() || !found->is_number_integer()) return std::nullopt;
    return std::chrono::seconds(found->get<std::int64_t>());
}

} // namespace

std::string_view job_state_name(JobState state) {
    const auto* found = std::find_if(state_names.begin(), state_names.end(),
                                     [&](const auto& row) { return row.first == state; });
    return found == state_names.end() ? "lost" : found->second;
}

std::optional<JobState> job_state_from(std::string_view name) {
    const auto* found = std::find_if(state_names.begin(), state_names.end(),
                                     [&](const auto& row) { return row.second == name; });
    return found == state_names.end() ? std::nullopt : std::optional(found->first);
}

bool is_final(JobState state) {
    return state != JobState::queued && state != JobState::running && state != JobState::waiting;
}

Job create_job(const Session& session, Job job, const std::string& prompt) {
    base::make_directories(session.jobs());
    base::sweep_temporaries(session.jobs());
    job.session = session.name;
    base::WholeDirectory directory(session.jobs());
    // Each sync costs, and a job that a power cut takes before it began is no work lost: only the document
    // must never be half there.
    base::replace_file(directory.path() / "prompt", prompt, 0600, base::Durability::plain);
    const auto numbers = job_numbers(session.jobs());
    // Racing callers take the same number; the rename lets one have it and the others go on to the next.
    for (job.number = numbers.empty() ? 1 : numbers.back() + 1;; ++job.number) {
        base::write_document(directory.path() / "job.json", to_document(job));
        if (directory.commit(std::to_string(job.number), base::Durability::plain)) break;
    }
    job.directory_on_host = session.jobs() / std::to_string(job.number);
    return job;
}

Job read_job(const std::filesystem::path& job_directory) {
    const auto path = job_directory / "job.json";
    const auto document = base::read_document(path, job_version);
    return with_context(
        [&] {
            Job job;
            job.session = base::get_string(document, "session");
            job.number = static_cast<std::uint64_t>(base::get_int(document, "number"));
            job.agent = base::get_string(document, "agent");
            job.argv = base::get_strings(document, "argv");
            job.environment = base::get_strings(document, "environment");
            job.path = base::get_strings(document, "path");
            job.files = pairs_from_json(array_at(document, "files"));
            job.directory = base::get_string(document, "directory");
            job.prompt_on_stdin = base::get_bool(document, "prompt_on_stdin");
            job.reader = base::get_string(document, "reader");
            job.prompt_name = base::get_string(document, "prompt_name");
            job.prompt_line = base::get_string(document, "prompt_line");
            job.model = base::get_string(document, "model");
            job.secret_names = base::get_strings(document, "secret_names");
            job.time = seconds_at(document, "time");
            job.idle = seconds_at(document, "idle");
            const auto state = base::get_string(document, "state");
            if (const auto known = job_state_from(state))
                job.state = *known;
            else
                throw fatal("unknown job state '{}'", state);
            if (document.contains("exit_status"))
                job.exit_status = static_cast<int>(base::get_int(document, "exit_status"));
            job.reason = base::get_string(document, "reason");
            job.created = base::get_int(document, "created");
            job.started = base::get_int(document, "started");
            job.ended = base::get_int(document, "ended");
            job.conversation = base::get_string(document, "conversation");
            const auto usage = object_at(document, "usage");
            job.input_tokens = base::find_int(usage, "input_tokens");
            job.output_tokens = base::find_int(usage, "output_tokens");
            if (const auto cost = usage.find("cost"); cost != usage.end() && cost->is_number())
                job.cost = cost->get<double>();
            job.saved = base::get_bool(document, "saved");
            for (const auto& value : array_at(document, "before"))
                job.before.push_back(repo_state_from_json(value));
            for (const auto& value : array_at(document, "after"))
                job.after.push_back(repo_state_from_json(value));
            job.directory_on_host = job_directory;
            return job;
        },
        "in '{}'", path.string());
}

void write_job(const Job& job, base::Durability durability) {
    base::write_document(job.directory_on_host / "job.json", to_document(job), durability);
}

std::vector<Job> list_jobs(const Session& session, bool alive) {
    std::vector<Job> jobs;
    for (const auto number : job_numbers(session.jobs())) {
        auto job = read_job(session.jobs() / std::to_string(number));
        if (!alive && !is_final(job.state)) {
            job.state = JobState::lost;
            if (job.reason.empty()) job.reason = "the session ended under it";
        }
        jobs.push_back(std::move(job));
    }
    return jobs;
}

JobName parse_job_name(const std::string& text) {
    const auto colon = text.rfind(':');
    if (colon == std::string::npos) {
        if (text.empty()) throw usage("a job is named <session>:<n>, or <session> for its newest");
        return {text, std::nullopt};
    }
    const auto number = parse_number(std::string_view(text).substr(colon + 1));
    if (colon == 0 || !number)
        throw usage("'{}' names no job: a job is <session>:<n>, or <session> for its newest", text);
    return {text.substr(0, colon), number};
}

} // namespace scad::session
