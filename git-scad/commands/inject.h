#pragma once

#include "commands/command.h"
#include "commands/prompt.h"
#include "session/session.h"
#include "session/start.h"
#include "session/store.h"

#include <optional>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace scad::commands {

// The options that `inject` and `dispatch` share.
struct WorkOptions {
    PromptOptions prompt;
    std::string agent, model, timeout, idle, after;
    bool interactive = false;
};
void add_work_options(CLI::App& app, WorkOptions& options);

// What is sent, before it is known which sessions get it. Error::usage when options exclude each other. Reads
// no prompt yet.
void check_work(const WorkOptions& options, const Invocation& invocation);
// What keeps the work from starting whatever the session is, told before an editor opens or a session is
// made: an agent that is unknown, not installed or without a credential, or one of `variables` (what the
// project hands through) that is not set. `agent` is the project's or the session's.
// `login` is the kind of login that the project wants of it, and `logins` keeps what was found.
void check_agent(const base::Context& context, const std::string& agent, const std::string& login,
                 const std::vector<std::string>& variables, const WorkOptions& options, bool plain,
                 session::Logins& logins);
// The prompt (or the command after "--") and limits.
session::InjectOptions read_work(const WorkOptions& options, const Invocation& invocation,
                                 const std::filesystem::path& docs_repo, const std::string& about);

// "3", "alpha:3" for one session, or "last". Pure.
void choose_conversation(const std::string& resume, const std::vector<std::string>& sessions,
                         session::InjectOptions& options);

// Makes sure that the sessions are live (said on stderr), makes a job in each and starts all. Detached:
// prints the jobs' names. Otherwise streams, tells the ends on stderr and returns 0 (all done), 1, 130
// (detached by Ctrl-C), or the status of a command in a single session.
int inject_into(const base::Context& context, const session::Store& store,
                const std::vector<session::Entry>& entries, const session::InjectOptions& work, bool detach,
                session::Logins& logins);

} // namespace scad::commands
