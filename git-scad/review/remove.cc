#include "review/remove.h"

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "review/save.h"
#include "session/gc_lock.h"
#include "session/host_remotes.h"
#include "session/launcher.h"

#include <algorithm>
#include <fmt/format.h>

namespace scad::review {
namespace {

base::FileLock lock_name(const base::Context& context, const session::Store& store, const std::string& name) {
    return store.lock(name, [&] {
        context.terminal.note(fmt::format("waiting for another command on session '{}'", name));
    });
}

void drop_pins(const base::Context& context, const session::Session& session) {
    for (const auto& repo : session.repos) {
        std::error_code error;
        if (std::filesystem::exists(repo.common_dir, error))
            session::drop_pins(session, repo, context.variables);
    }
}

// From the phase "removing" on. The caller holds the lock of the name.
void move_away(const base::Context& context, const session::Store& store, const session::Session& session,
               bool purge) {
    for (const auto& repo : session.repos) {
        std::error_code error;
        if (std::filesystem::exists(repo.common_dir, error))
            session::remove_remote(session, repo, context.variables);
    }
    const auto trashed = store.to_trash(session, base::unix_now());
    if (!purge) return;
    base::remove_tree(trashed);
    drop_pins(context, session);
}

void note_missing_hosts(const session::Session& session, Removal& removal) {
    for (const auto& repo : session.repos) {
        std::error_code error;
        if (!std::filesystem::exists(repo.common_dir, error))
            removal.notes.push_back(fmt::format("{}/{}: the host repo '{}' is not there any more",
                                                session.name, repo.name,
                                                base::visible(repo.common_dir.string())));
    }
}

} // namespace

Removal remove_session(const base::Context& context, const session::Store& store, const session::Entry& entry,
                       const RemoveOptions& options) {
    Removal removal;
    const auto& session = entry.session;
    // What cannot be read has no repos to fetch into.
    const bool readable = !session.repos.empty();
    if (entry.state != session::State::removing) {
        if (!readable && !options.force)
            throw fatal("session '{}' cannot be read, so its work cannot be saved", session.name)
                .with_hint("git scad session rm --force {} moves it to the trash as it is", session.name);
        try {
            if (readable) {
                if (store.state_of(session) == session::State::live) session::stop_session(store, session);
                removal.notes = save_session(context, store, store.find_exact(session.name));
            }
        } catch (Error& error) {
            if (!options.force) {
                if (error.hint.empty())
                    error.hint = fmt::format("git scad session rm --force {} moves it to the trash unsaved",
                                             session.name);
                throw;
            }
            removal.saved = false;
            removal.notes.push_back("not saved: " + base::one_line(error.message));
            note_missing_hosts(session, removal);
        }
    }
    const auto lock = lock_name(context, store, session.name);
    if (!store.exists(session.name)) return removal; // another command was faster
    if (readable) {
        if (store.state_of(session) == session::State::live)
            throw fatal("session '{}' was started again while it was being removed", session.name)
                .with_hint("git scad session rm {}", session.name);
        auto status = session::read_status(session.directory);
        if (removal.saved && status.phase == "stopped" && status.taken == 0)
            throw fatal("something came into session '{}' while it was being removed", session.name)
                .with_hint("git scad session rm {}", session.name);
        status.phase = "removing";
        session::write_status(session.directory, status, true);
    }
    auto target = session;
    if (target.directory.empty()) target.directory = store.paths().sessions() / session.name;
    move_away(context, store, target, options.purge);
    return removal;
}

std::vector<std::string> finish_removals(const base::Context& context, const session::Store& store) {
    std::vector<std::string> finished;
    for (const auto& entry : store.list()) {
        if (entry.state != session::State::removing) continue;
        const auto lock = store.try_lock(entry.session.name);
        if (!lock || !store.exists(entry.session.name)) continue; // somebody is at it
        move_away(context, store, entry.session, false);
        finished.push_back(entry.session.name);
    }
    return finished;
}

bool purge_trash(const base::Context& context, const session::Store& store, const std::string& name) {
    const auto lock = lock_name(context, store, name);
    bool found = false;
    for (const auto& trashed : store.trash()) {
        if (trashed.name != name) continue;
        found = true;
        std::optional<session::Session> session;
        try {
            session = session::read_session(trashed.directory);
        } catch (const Error&) { // it was damaged before it was removed: there are no pins to be found
        }
        base::remove_tree(trashed.directory);
        if (session && !store.exists(name)) drop_pins(context, *session);
    }
    return found;
}

session::Session undelete_session(const base::Context& context, const session::Store& store,
                                  const std::string& name) {
    const auto lock = lock_name(context, store, name);
    const auto named = session::hold_off_gc(context.paths); // it is in neither place while it is read
    const auto trash = store.trash();
    const auto newest =
        std::find_if(trash.rbegin(), trash.rend(), [&](const auto& entry) { return entry.name == name; });
    if (newest != trash.rend() && !store.exists(name)) {
        // Before the rename, so that a kill between the two does not bring back one that is "removing".
        auto status = session::read_status(newest->directory);
        status.phase = "stopped";
        session::write_status(newest->directory, status, true);
    }
    auto session = store.from_trash(name);
    for (const auto& repo : session.repos) session::make_pins(session, repo, context.variables);
    for (const auto& repo : session.repos) session::add_remote(session, repo, context.variables);
    return session;
}

} // namespace scad::review
