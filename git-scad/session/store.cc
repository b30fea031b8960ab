#include "session/store.h"

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/suggest.h"
#include "base/text.h"
#include "engine/host_check_state.h"
#include "environment/store.h"
#include "workspace/base_tree.h"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

namespace scad::session {
namespace {

constexpr int names_version = 1;

std::vector<std::string> directory_names(const std::filesystem::path& parent) {
    std::vector<std::string> names;
    std::error_code ignored;
    for (const auto& entry : std::filesystem::directory_iterator(parent, ignored))
        if (auto name = entry.path().filename().string(); !name.starts_with("."))
            names.push_back(std::move(name));
    std::sort(names.begin(), names.end());
    return names;
}

bool is_pattern(const std::string& text) { return text.find_first_of("*?[") != std::string::npos; }

// Those that a pattern or prefix stands for.
std::vector<std::string> fitting_names(const std::string& name, const std::vector<std::string>& names) {
    std::vector<std::string> fitting;
    if (name.empty()) return fitting;
    std::copy_if(names.begin(), names.end(), std::back_inserter(fitting), [&](const auto& candidate) {
        return is_pattern(name) ? base::glob_match(name, candidate) : candidate.starts_with(name);
    });
    return fitting;
}

Error unknown_session(const Store& store, const std::string& name, const std::vector<std::string>& names) {
    if (store.in_trash(name))
        return fatal("session '{}' was removed", name)
            .with_hint("git scad session undelete {}", base::shell_quote(name));
    if (const auto close = base::nearest(name, names, 1); !close.empty())
        return fatal("no session named '{}'", name)
            .with_hint("did you mean '{}'? `git scad session list` shows all", close.front());
    if (names.empty())
        return fatal("no session named '{}'", name)
            .with_hint("there is none yet: `git scad session start <project>` starts one");
    return fatal("no session named '{}'", name).with_hint("`git scad session list` shows all");
}

} // namespace

Store::Store(base::Paths paths) : paths_(std::move(paths)) {}

State Store::state_of(const Session& session) const {
    const bool alive = base::is_held(session.directory / "alive");
    const bool busy = base::is_held(paths_.locks() / session.name);
    const bool whole = std::all_of(session.repos.begin(), session.repos.end(), [&](const auto& repo) {
        return workspace::is_whole(workspace::base_tree_at(paths_, repo.tree));
    });
    const bool equipped = !session.parts.used() || environment::is_whole(paths_, session.environment);
    return decide_state(read_status(session.directory).phase, alive, busy, whole && equipped);
}

std::vector<Entry> Store::list() const {
    base::sweep_temporaries(paths_.sessions());
    std::vector<Entry> entries;
    for (const auto& name : directory_names(paths_.sessions())) {
        Entry entry;
        try {
            entry.session = read_session(paths_.sessions() / name);
            entry.status = read_status(entry.session.directory);
            entry.state = state_of(entry.session);
        } catch (const Error& error) {
            entry.session.name = name;
            entry.session.directory = paths_.sessions() / name;
            entry.status.note = error.message;
            entry.state = State::damaged;
        }
        entries.push_back(std::move(entry));
    }
    return entries;
}

Entry Store::find_exact(const std::string& name) const {
    const auto names = directory_names(paths_.sessions());
    if (std::find(names.begin(), names.end(), name) == names.end()) {
        const auto fitting = fitting_names(name, names);
        if (fitting.empty()) throw unknown_session(*this, name, names);
        throw fatal("no session is named '{}', and whole names are wanted here", name)
            .with_hint("it would fit {}", base::join(fitting, ", "));
    }
    Entry entry;
    entry.session = read_session(paths_.sessions() / name);
    entry.status = read_status(entry.session.directory);
    entry.state = state_of(entry.session);
    return entry;
}

Entry Store::find(const std::string& name) const {
    const auto names = directory_names(paths_.sessions());
    if (std::find(names.begin(), names.end(), name) != names.end()) return find_exact(name);
    const auto fitting = fitting_names(name, names);
    if (fitting.empty()) throw unknown_session(*this, name, names);
    if (fitting.size() > 1) throw fatal("'{}' fits several sessions: {}", name, base::join(fitting, ", "));
    return find_exact(fitting.front());
}

std::vector<Entry> Store::select(const std::vector<std::string>& names) const {
    if (names.empty()) return list();
    std::vector<Entry> selected;
    const auto add = [&](Entry entry) {
        const bool known = std::any_of(selected.begin(), selected.end(), [&](const auto& other) {
            return other.session.name == entry.session.name;
        });
        if (!known) selected.push_back(std::move(entry));
    };
    for (const auto& argument : names)
        for (const auto& name : base::split(argument, ',')) {
            if (!is_pattern(name)) {
                add(find(name));
                continue;
            }
            const auto before = selected.size();
            bool any = false;
            for (auto& entry : list())
                if (base::glob_match(name, entry.session.name)) {
                    any = true;
                    add(std::move(entry));
                }
            if (!any && before == selected.size())
                throw fatal("no session fits '{}'", name).with_hint("`git scad session list` shows all");
        }
    return selected;
}

bool Store::exists(const std::string& name) const {
    return std::filesystem::exists(paths_.sessions() / name);
}

bool Store::in_trash(const std::string& name) const {
    const auto trashed = trash();
    return std::any_of(trashed.begin(), trashed.end(), [&](const auto& entry) { return entry.name == name; });
}

base::FileLock Store::lock(const std::string& name, const std::function<void()>& on_wait) const {
    engine::require_locks(paths_.state);
    base::make_directories(paths_.locks());
    return base::FileLock::acquire(paths_.locks() / name, on_wait);
}

std::optional<base::FileLock> Store::try_lock(const std::string& name) const {
    base::make_directories(paths_.locks());
    return base::FileLock::try_acquire(paths_.locks() / name);
}

std::string Store::generate_name(const std::string& stem) const {
    base::make_directories(paths_.locks());
    const auto path = paths_.state / "names.json";
    const auto lock =
        base::FileLock::acquire(paths_.locks() / ".names"); // a session's name never starts with a dot
    auto document =
        base::read_document_if_exists(path, names_version)
            .value_or(nlohmann::json{{"version", names_version}, {"last", nlohmann::json::object()}});
    auto& last = document["last"];
    std::int64_t number = base::find_int(last, stem) + 1;
    while (exists(stem + "-" + std::to_string(number)) || in_trash(stem + "-" + std::to_string(number)))
        ++number;
    last[stem] = number;
    base::write_document(path, document);
    return stem + "-" + std::to_string(number);
}

std::filesystem::path Store::to_trash(const Session& session, std::int64_t now) const {
    base::make_directories(paths_.trash());
    auto target = paths_.trash() / (session.name + "." + std::to_string(now));
    for (int again = 1; std::filesystem::exists(target); ++again)
        target = paths_.trash() / (session.name + "." + std::to_string(now + again));
    std::error_code error;
    std::filesystem::rename(session.directory, target, error);
    if (error)
        throw system_error(error.value(), "cannot move '{}' into the trash", session.directory.string());
    base::sync_directory(paths_.trash());
    base::sync_directory(paths_.sessions());
    return target;
}

std::vector<Store::Trashed> Store::trash() const {
    std::vector<Trashed> found;
    for (const auto& name : directory_names(paths_.trash())) {
        const auto dot = name.rfind('.');
        if (dot == std::string::npos) continue;
        Trashed entry{name.substr(0, dot), 0, paths_.trash() / name};
        const auto digits = std::string_view(name).substr(dot + 1);
        if (std::from_chars(digits.data(), digits.data() + digits.size(), entry.removed).ec != std::errc{})
            continue;
        found.push_back(std::move(entry));
    }
    std::sort(found.begin(), found.end(),
              [](const auto& left, const auto& right) { return left.removed < right.removed; });
    return found;
}

Session Store::from_trash(const std::string& name) const {
    if (exists(name)) throw fatal("a session named '{}' is there already", name);
    const auto trashed = trash();
    const auto newest =
        std::find_if(trashed.rbegin(), trashed.rend(), [&](const auto& entry) { return entry.name == name; });
    if (newest == trashed.rend()) {
        std::vector<std::string> names;
        names.reserve(trashed.size());
        for (const auto& entry : trashed) names.push_back(entry.name);
        const auto close = base::nearest(name, names, 1);
        if (close.empty()) throw fatal("no session named '{}' in the trash", name);
        throw fatal("no session named '{}' in the trash", name)
            .with_hint("did you mean '{}'?", close.front());
    }
    const auto target = paths_.sessions() / name;
    std::error_code error;
    std::filesystem::rename(newest->directory, target, error);
    if (error)
        throw system_error(error.value(), "cannot bring '{}' back from the trash",
                           newest->directory.string());
    base::sync_directory(paths_.sessions());
    base::sync_directory(paths_.trash());
    return read_session(target);
}

} // namespace scad::session
