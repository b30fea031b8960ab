#include "session/creation.h"

#include "base/error.h"
#include "base/text.h"
#include "project/load.h"
#include "session/host_remotes.h"
#include "session/launcher.h"

#include <fmt/format.h>

namespace scad::session {
namespace {

// Whether no host repo has anything of an earlier session of that name.
bool is_free(const base::Context& context, const Session& session, bool generated) {
    for (const auto& repo : session.repos) {
        // Without a session of this name its pins are the leftovers of a start that was killed.
        drop_pins(session, repo, context.variables);
        if (!has_refs(session.name, repo.common_dir, context.variables)) continue;
        if (generated) return false;
        throw fatal("'{}' still has refs of an earlier session of that name in '{}'", session.name,
                    repo.common_dir.string())
            .with_hint("git scad code prune {}", session.name);
    }
    return true;
}

void undo(const Session& session, const base::Variables& variables) noexcept {
    try {
        for (const auto& repo : session.repos) {
            remove_remote(session, repo, variables);
            remove_refs(session.name, repo.common_dir, variables);
        }
        base::remove_tree(session.directory);
    } catch (const Error&) { // the error that led here is the one to tell; the next start of that name sweeps
                             // the rest
    }
}

} // namespace

base::FileLock take_name(const base::Context& context, const Store& store, Session& session,
                         const WantedName& wanted) {
    const bool generated = wanted.name.empty();
    for (;;) {
        session.name = generated ? store.generate_name(wanted.stem) : wanted.name;
        if (const auto problem = project::name_problem(session.name); !problem.empty())
            throw fatal("'{}' cannot name a session: {}", session.name, problem);
        auto lock = store.lock(session.name, [&] {
            context.terminal.note(fmt::format("waiting for another command on session '{}'", session.name));
        });
        if (store.exists(session.name))
            throw fatal("a session named '{}' is there already", session.name)
                .with_hint("git scad session show {}", session.name);
        if (store.in_trash(session.name))
            throw fatal("the name '{}' belongs to a removed session that can still be brought back",
                        session.name)
                .with_hint("git scad session undelete {0}, or git scad session rm --purge {0}", session.name);
        if (!is_free(context, session, generated)) continue;
        for (const auto& repo : session.repos)
            for (const auto& warning : remote_warnings(session, repo, context.variables))
                context.terminal.warning(base::visible(warning));
        return lock;
    }
}

std::string work_branch(const Session& session) {
    constexpr std::string_view place = "{session}";
    std::string text = session.branch.empty() ? std::string(place) : session.branch;
    for (auto at = text.find(place); at != std::string::npos; at = text.find(place, at + session.name.size()))
        text.replace(at, place.size(), session.name);
    return text;
}

void bring_up(const base::Context& context, Session& session, base::WholeDirectory& directory) {
    for (const auto& repo : session.repos) make_pins(session, repo, context.variables);
    session.directory = context.paths.sessions() / session.name;
    if (!directory.commit(session.name)) throw fatal("a session named '{}' is there already", session.name);
    try {
        launch_supervisor(session);
        for (const auto& repo : session.repos) add_remote(session, repo, context.variables);
    } catch (const Error&) {
        try {
            end_session(session);
        } catch (const Error&) { // it never ran, or is gone already
        }
        undo(session, context.variables);
        throw;
    }
}

} // namespace scad::session
