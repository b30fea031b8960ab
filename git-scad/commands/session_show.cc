#include "base/json.h"
#include "base/text.h"
#include "commands/all.h"
#include "commands/options.h"
#include "commands/sessions.h"
#include "review/status.h"
#include "review/summary.h"
#include "session/json_values.h"
#include "session/mount_layers.h"
#include "session/ports.h"

#include <fmt/format.h>
#include <memory>
#include <nlohmann/json.hpp>

namespace scad::commands {
namespace {

constexpr std::size_t drift_shown = 20;
constexpr std::int64_t newest_jobs = 10; // shown of a session that had more

struct Options {
    std::string session;
    Format format;
};

nlohmann::json repo_json(const session::Entry& entry, const session::SessionRepo& repo) {
    const auto state = review::state_of(entry.session, entry.status, repo.name);
    return {{"name", repo.name},
            {"host", repo.host.string()},
            {"url", repo.url},
            {"base_commit", repo.base_commit},
            {"base_branch", repo.base_branch},
            {"work_branch", repo.branch},
            {"branch", state.branch},
            {"head", state.head},
            {"wip", state.wip},
            {"ahead", state.ahead},
            {"changed", state.changed},
            {"untracked", state.untracked},
            {"not_saved", review::not_saved(state)},
            {"problem", state.problem}};
}

nlohmann::json document(const session::Entry& entry, const std::vector<session::Job>& jobs) {
    const auto& session = entry.session;
    nlohmann::json document = {{"version", 1},
                               {"name", session.name},
                               {"project", session.project},
                               {"docs_repo", session.docs_repo.string()},
                               {"state", session::state_name(entry.state)},
                               {"note", entry.status.note},
                               {"created", session.created},
                               {"forked_from", session.forked_from},
                               {"saved", entry.status.taken},
                               {"engine", session.engine},
                               {"workspace", session.workspace},
                               {"environment", session.environment},
                               {"agent", session.agent},
                               {"model", session.model},
                               {"directory", session.agent_directory},
                               {"secrets", session.secrets},
                               {"state_directory", session.directory.string()}};
    document["packages_changed"] = session::drift_to_json(entry.status.drift);
    document["network"] = {{"mode", session::network_name(session.network)}, {"allow", session.allow}};
    for (const auto* key : {"repos", "mounts", "limits", "jobs", "user_files"})
        document[key] = nlohmann::json::array();
    for (const auto& repo : session.repos) document["repos"].push_back(repo_json(entry, repo));
    for (const auto& mount : session.mounts) {
        document["mounts"].push_back(
            {{"target", mount.target}, {"source", mount.source.string()}, {"writable", mount.writable}});
        if (mount.layer.empty()) continue;
        const auto use = session::measure_layer(session, mount);
        document["mounts"].back()["changed"] = {
            {"entries", use.entries}, {"bytes", use.bytes}, {"more", use.more}};
    }
    document["devices"] = entry.status.devices;
    document["mcp"] = session.mcp;
    for (const auto& file : session.user_files)
        document["user_files"].push_back({{"target", file.target},
                                          {"source", file.source.string()},
                                          {"files", file.files},
                                          {"bytes", file.bytes},
                                          {"left_out", file.left_out},
                                          {"problem", file.problem}});
    for (const auto& limit : entry.status.limits)
        document["limits"].push_back(
            {{"name", limit.name}, {"value", limit.value}, {"means", limit.means}, {"strong", limit.strong}});
    for (const auto& job : jobs)
        document["jobs"].push_back({{"number", job.number},
                                    {"agent", job.agent},
                                    {"state", session::job_state_name(job.state)},
                                    {"prompt", job.prompt_line}});
    return document;
}

class Printer {
  public:
    explicit Printer(base::Terminal& terminal) : terminal_(terminal) {}
    void row(std::string_view label, std::string_view text) {
        terminal_.line(fmt::format("{:<12} {}", std::string(label) + ":", base::one_line(text)));
    }
    void title(std::string_view text) { terminal_.line("\n" + terminal_.style(base::Style::bold, text)); }
    void item(std::string_view text) { terminal_.line("  " + base::one_line(text)); }

  private:
    base::Terminal& terminal_;
};

void show_repo(Printer& printer, const session::Entry& entry, const session::SessionRepo& repo) {
    const auto state = review::state_of(entry.session, entry.status, repo.name);
    printer.item(fmt::format("/work/{} from {}", repo.name, repo.host.string()));
    if (!repo.url.empty()) printer.item("    fetched from " + repo.url);
    printer.item(fmt::format("    base {}{}, branch {}", short_id(repo.base_commit),
                             repo.base_branch.empty() ? "" : " of " + repo.base_branch,
                             state.branch.empty() ? "none (detached HEAD)" : state.branch));
    printer.item(fmt::format("    {} {} ahead, {} changed, {} untracked", state.ahead,
                             state.ahead == 1 ? "commit" : "commits", state.changed, state.untracked));
    if (const auto words = review::not_saved_words(state); !words.empty())
        printer.item("    not saved: " + words + (state.problem.empty() ? "" : ": " + state.problem));
    for (const auto& path : state.unsaved) printer.item("      " + path);
}

std::string user_file_line(const agent::UserFile& file) {
    if (!file.problem.empty()) return fmt::format("~/{} not copied: {}", file.target, file.problem);
    auto line = fmt::format("~/{} {} {}, {}", file.target, file.files, file.files == 1 ? "file" : "files",
                            base::format_size(file.bytes));
    if (file.left_out > 0)
        line += fmt::format(", {} left out (links that lead out, not readable)", file.left_out);
    return line;
}

void show(const base::Context& context, const session::Entry& entry, const std::vector<session::Job>& jobs) {
    const auto& session = entry.session;
    const auto now = base::unix_now();
    Printer printer(context.terminal);
    printer.row("session", session.name);
    printer.row("project", session.project + "  (" + session.docs_repo.string() + ")");
    printer.row("state", std::string(session::state_name(entry.state)) +
                             (entry.status.note.empty() ? "" : ": " + entry.status.note));
    printer.row("created", base::format_age(session.created, now) +
                               (session.forked_from.empty() ? "" : ", a fork of " + session.forked_from));
    if (entry.status.taken > 0) printer.row("saved", base::format_age(entry.status.taken, now));
    printer.row("engine", session.engine + ", workspace " + session.workspace);
    if (!session.environment.empty()) {
        const auto drift = environment::drift_words(entry.status.drift, drift_shown);
        printer.row("environment", session.environment + (drift.empty() ? "" : " (changed: " + drift + ")"));
    }
    printer.row("agent", session.agent + (session.model.empty() ? "" : ", model " + session.model) + ", in " +
                             session.agent_directory);
    printer.row("network",
                std::string(session::network_name(session.network)) +
                    (session.network == engine::NetworkMode::allow
                         ? ": " + (session.allow.empty() ? "nothing" : base::join(session.allow, ", "))
                         : ""));
    for (const auto& lease : session::read_grants(session.directory).ports)
        printer.row("port", fmt::format("{}: {}", lease.name, lease.port));
    printer.row("kept in", session.directory.string());

    printer.title("repos");
    for (const auto& repo : session.repos) show_repo(printer, entry, repo);
    if (!session.mounts.empty()) {
        printer.title("mounts");
        for (const auto& mount : session.mounts) {
            printer.item(
                fmt::format("{} {} {}", mount.target, session::access_words(mount), mount.source.string()));
            if (mount.layer.empty()) continue;
            const auto words = session::layer_words(session::measure_layer(session, mount));
            if (!words.empty()) printer.item("  " + words);
        }
    }
    if (session.devices.gpu || !session.devices.devices.empty()) {
        printer.title("devices");
        for (const auto& node : entry.status.devices) printer.item(node);
        if (entry.status.devices.empty()) printer.item("found when it starts");
    }
    if (!session.user_files.empty() || !session.mcp.empty()) {
        printer.title("of yours");
        for (const auto& file : session.user_files) printer.item(user_file_line(file));
        if (!session.mcp.empty()) printer.item("MCP servers " + base::join(session.mcp, ", "));
    }
    if (!entry.status.limits.empty()) {
        printer.title("limits");
        for (const auto& limit : entry.status.limits)
            printer.item(fmt::format("{:<11} {:<10} {}{}", limit.name, limit.value, limit.means,
                                     limit.strong ? "" : " (weak)"));
    }
    printer.title("jobs");
    if (jobs.empty()) printer.item("none yet");
    const auto count = static_cast<std::int64_t>(jobs.size());
    if (count > newest_jobs) printer.item(fmt::format("… {} older ones", count - newest_jobs));
    for (auto i = std::max<std::int64_t>(0, count - newest_jobs); i < count; ++i) {
        const auto& job = jobs[static_cast<std::size_t>(i)];
        printer.item(review::job_line(job) + "  " + base::one_line(job.prompt_line, 60));
    }
}

} // namespace

Action set_up_session_show(CLI::App& app) {
    auto options = std::make_shared<Options>();
    add_argument(app, "session", options->session, "its name or an unambiguous prefix");
    add_json(app, options->format);
    return [options](Invocation& invocation) {
        const auto& context = invocation.context;
        const auto entry = session::Store(context.paths).find(options->session);
        const auto jobs = session::list_jobs(entry.session, is_alive(entry.state));
        if (options->format.json)
            context.terminal.write(base::to_text(document(entry, jobs)));
        else
            show(context, entry, jobs);
        return 0;
    };
}

} // namespace scad::commands
