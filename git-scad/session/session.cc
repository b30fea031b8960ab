#include "session/session.h"

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "environment/parts_json.h"
#include "session/json_values.h"

#include <nlohmann/json.hpp>

namespace scad::session {
namespace {

constexpr int session_version = 1;
constexpr int status_version = 1;

engine::NetworkMode mode_from(const std::string& name) {
    for (const auto mode : {engine::NetworkMode::none, engine::NetworkMode::allow, engine::NetworkMode::host})
        if (network_name(mode) == name) return mode;
    throw fatal("unknown network mode '{}'", name);
}

nlohmann::json limits_to_json(const Session& session) {
    nlohmann::json limits = {{"shm", session.limits.shm}};
    if (session.limits.cpus) limits["cpus"] = *session.limits.cpus;
    if (session.limits.memory) limits["memory"] = *session.limits.memory;
    if (session.limits.pids) limits["pids"] = *session.limits.pids;
    if (session.limits.open_files) limits["open_files"] = *session.limits.open_files;
    if (session.limits.file_size) limits["file_size"] = *session.limits.file_size;
    if (session.time) limits["time"] = session.time->count();
    if (session.idle) limits["idle"] = session.idle->count();
    return limits;
}

template <class T> std::optional<T> find_number(const nlohmann::json& object, const char* key) {
    const auto found = object.find(key);
    if (found == object.end() || !found->is_number()) return std::nullopt;
    return found->get<T>();
}

std::optional<std::chrono::seconds> find_seconds(const nlohmann::json& object, const char* key) {
    const auto count = find_number<std::int64_t>(object, key);
    return count ? std::optional(std::chrono::seconds(*count)) : std::nullopt;
}

void limits_from_json(const nlohmann::json& limits, Session& session) {
    session.limits.cpus = find_number<double>(limits, "cpus");
    session.limits.memory = find_number<std::uint64_t>(limits, "memory");
    session.limits.pids = find_number<std::uint64_t>(limits, "pids");
    session.limits.open_files = find_number<std::uint64_t>(limits, "open_files");
    session.limits.file_size = find_number<std::uint64_t>(limits, "file_size");
    session.limits.shm = find_number<std::uint64_t>(limits, "shm").value_or(session.limits.shm);
    session.time = find_seconds(limits, "time");
    session.idle = find_seconds(limits, "idle");
}

nlohmann::json repo_to_json(const SessionRepo& repo) {
    nlohmann::json objects = nlohmann::json::array();
    for (const auto& path : repo.objects) objects.push_back(path.string());
    return {{"name", repo.name},
            {"start_commit", repo.start_commit},
            {"url", repo.url},
            {"host", repo.host.string()},
            {"common_dir", repo.common_dir.string()},
            {"objects", objects},
            {"base_commit", repo.base_commit},
            {"base_ref", repo.base_ref},
            {"base_branch", repo.base_branch},
            {"branch", repo.branch},
            {"tree", repo.tree}};
}

nlohmann::json user_files_to_json(const std::vector<agent::UserFile>& files) {
    auto list = nlohmann::json::array();
    for (const auto& file : files)
        list.push_back({{"target", file.target},
                        {"source", file.source.string()},
                        {"files", file.files},
                        {"bytes", file.bytes},
                        {"left_out", file.left_out},
                        {"problem", file.problem}});
    return list;
}

std::vector<agent::UserFile> user_files_from_json(const nlohmann::json& list) {
    std::vector<agent::UserFile> files;
    const auto count = [](const nlohmann::json& value, const char* key) {
        return static_cast<std::uint64_t>(std::max<std::int64_t>(base::find_int(value, key), 0));
    };
    for (const auto& value : list)
        files.push_back({base::get_string(value, "target"), base::get_string(value, "source"),
                         count(value, "files"), count(value, "bytes"), count(value, "left_out"),
                         base::find_string(value, "problem")});
    return files;
}

SessionRepo repo_from_json(const nlohmann::json& value) {
    SessionRepo repo;
    repo.name = base::get_string(value, "name");
    repo.host = base::get_string(value, "host");
    repo.common_dir = base::get_string(value, "common_dir");
    for (const auto& path : base::get_strings(value, "objects")) repo.objects.emplace_back(path);
    repo.base_commit = base::get_string(value, "base_commit");
    repo.base_branch = base::get_string(value, "base_branch");
    repo.base_ref = base::find_string(value, "base_ref");
    repo.start_commit = base::find_string(value, "start_commit");
    repo.url = base::find_string(value, "url");
    repo.branch = base::get_string(value, "branch");
    repo.tree = base::get_string(value, "tree");
    return repo;
}

nlohmann::json devices_to_json(const engine::DeviceRequest& request) {
    nlohmann::json paths = nlohmann::json::array();
    for (const auto& device : request.devices)
        paths.push_back({{"path", device.path}, {"source", device.source}});
    return {{"gpu", request.gpu}, {"paths", paths}};
}

engine::DeviceRequest devices_from_json(const nlohmann::json& devices) {
    engine::DeviceRequest request;
    request.gpu = base::find_bool(devices, "gpu");
    for (const auto& device : array_at(devices, "paths"))
        request.devices.push_back({base::get_string(device, "path"), base::get_string(device, "source")});
    return request;
}

} // namespace

std::string_view network_name(engine::NetworkMode mode) {
    switch (mode) {
        case engine::NetworkMode::none:
            return "none";
        case engine::NetworkMode::allow:
            return "allow";
        case engine::NetworkMode::host:
            return "host";
    }
    return "none";
}

const SessionRepo* Session::repo(const std::string& wanted) const {
    for (const auto& candidate : repos)
        if (candidate.name == wanted) return &candidate;
    return nullptr;
}

std::string to_json(const Session& session) {
    nlohmann::json document = {
        {"version", session_version},
        {"name", session.name},
        {"project", session.project},
        {"docs_repo", session.docs_repo.string()},
        {"created", session.created},
        {"branch", session.branch},
        {"forked_from", session.forked_from},
        {"engine", session.engine},
        {"workspace", session.workspace},
        {"environment", session.environment},
        {"parts", environment::to_json(session.parts)},
        {"variables", pairs_to_json(session.variables)},
        {"network", {{"mode", network_name(session.network)}, {"allow", session.allow}}},
        {"devices", devices_to_json(session.devices)},
        {"limits", limits_to_json(session)},
        {"agent",
         {{"use", session.agent},
          {"model", session.model},
          {"login", session.login},
          {"mcp", session.mcp},
          {"files", user_files_to_json(session.user_files)},
          {"directory", session.agent_directory},
          {"secrets", session.secrets}}},
    };
    document["repos"] = nlohmann::json::array();
    for (const auto& repo : session.repos) document["repos"].push_back(repo_to_json(repo));
    document["mounts"] = nlohmann::json::array();
    for (const auto& mount : session.mounts)
        document["mounts"].push_back({{"target", mount.target},
                                      {"source", mount.source.string()},
                                      {"writable", mount.writable},
                                      {"file", mount.file},
                                      {"layer", mount.layer}});
    return base::to_text(document);
}

Session read_session(const std::filesystem::path& directory) {
    const auto path = directory / "session.json";
    const auto document = base::read_document(path, session_version);
    return with_context(
        [&] {
            Session session;
            session.name = base::get_string(document, "name");
            session.project = base::get_string(document, "project");
            session.docs_repo = base::get_string(document, "docs_repo");
            session.created = base::get_int(document, "created");
            session.branch = base::find_string(document, "branch");
            session.forked_from = base::find_string(document, "forked_from");
            session.engine = base::get_string(document, "engine");
            session.workspace = base::get_string(document, "workspace");
            session.environment = base::get_string(document, "environment");
            session.parts = environment::parts_from_json(object_at(document, "parts"));
            session.variables = pairs_from_json(array_at(document, "variables"));
            const auto network = object_at(document, "network");
            session.network = mode_from(base::get_string(network, "mode"));
            session.allow = base::get_strings(network, "allow");
            session.devices = devices_from_json(object_at(document, "devices"));
            limits_from_json(object_at(document, "limits"), session);
            const auto agent = object_at(document, "agent");
            session.agent = base::get_string(agent, "use");
            session.model = base::get_string(agent, "model");
            session.login = base::find_string(agent, "login", "auto");
            if (agent.contains("mcp")) session.mcp = base::get_strings(agent, "mcp");
            if (agent.contains("files")) session.user_files = user_files_from_json(array_at(agent, "files"));
            session.agent_directory = base::get_string(agent, "directory");
            session.secrets = base::get_strings(agent, "secrets");
            for (const auto& value : array_at(document, "repos"))
                session.repos.push_back(repo_from_json(value));
            for (const auto& value : array_at(document, "mounts"))
                session.mounts.push_back({base::get_string(value, "target"),
                                          base::get_string(value, "source"),
                                          base::get_bool(value, "writable"), base::get_bool(value, "file"),
                                          base::find_string(value, "layer")});
            session.directory = directory;
            return session;
        },
        "in '{}'", path.string());
}

std::string_view state_name(State state) {
    switch (state) {
        case State::starting:
            return "starting";
        case State::live:
            return "live";
        case State::stopped:
            return "stopped";
        case State::lost:
            return "lost";
        case State::removing:
            return "removing";
        case State::damaged:
            return "damaged";
    }
    return "damaged";
}

Status read_status(const std::filesystem::path& session_directory) {
    Status status;
    const auto document = base::read_document_if_exists(session_directory / "status.json", status_version);
    if (!document) return status;
    status.phase = base::find_string(*document, "phase");
    status.taken = base::find_int(*document, "taken");
    status.note = base::find_string(*document, "note");
    status.drift = drift_from_json(object_at(*document, "drift"));
    for (const auto& value : array_at(*document, "repos"))
        status.repos.push_back(repo_state_from_json(value));
    for (const auto& value : array_at(*document, "limits"))
        status.limits.push_back({base::find_string(value, "name"), base::find_string(value, "value"),
                                 base::find_string(value, "means"), base::find_bool(value, "strong", true)});
    if (document->contains("devices")) status.devices = base::get_strings(*document, "devices");
    status.device_variables = pairs_from_json(array_at(*document, "device_variables"));
    return status;
}

void write_status(const std::filesystem::path& session_directory, const Status& status, bool synced) {
    nlohmann::json document = {
        {"version", status_version}, {"phase", status.phase}, {"taken", status.taken}, {"note", status.note}};
    document["repos"] = repo_states_to_json(status.repos);
    document["devices"] = status.devices;
    document["device_variables"] = pairs_to_json(status.device_variables);
    if (status.drift.size() > 0) document["drift"] = drift_to_json(status.drift);
    document["limits"] = nlohmann::json::array();
    for (const auto& limit : status.limits)
        document["limits"].push_back(
            {{"name", limit.name}, {"value", limit.value}, {"means", limit.means}, {"strong", limit.strong}});
    base::write_document(session_directory / "status.json", document,
                         synced ? base::Durability::synced : base::Durability::plain);
}

State decide_state(const std::string& phase, bool alive, bool busy, bool whole) {
    if (phase == "removing") return State::removing;
    if (alive) return State::live; // also while the base trees are damaged: what runs, runs
    if (!whole) return State::damaged;
    if (phase == "stopped") return State::stopped;
    // The supervisor was meant to run, or the start was about to launch it: whoever does that holds the
    // name's lock.
    return busy && phase == "starting" ? State::starting : State::lost;
}

} // namespace scad::session
