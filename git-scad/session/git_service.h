#pragma once

#include "base/context.h"
#include "base/fd.h"
#include "engine/runner.h"
#include "session/session.h"

#include <memory>
#include <string>

namespace scad::session {

enum class GitService { upload_pack, receive_pack };

// A git service (git-upload-pack(1), git-receive-pack(1)) that runs in a sandbox, and pipes to it. All that
// comes out of it is foreign.
struct OpenService {
    base::Fd to;     // its standard input
    base::Fd from;   // its standard output
    base::Fd errors; // its standard error
    std::unique_ptr<engine::Running> running;
};

// Where the services of one repo of a session run: in the session's own sandbox when it is live (for a fetch
// once no snapshot is pending), otherwise in a throw-away one that holds nothing but the repo. Fatal when the
// session is damaged.
std::unique_ptr<engine::Runner> fetch_runner(const Session& session, const std::string& repo);
std::unique_ptr<engine::Runner> push_runner(const Session& session, const base::Paths& paths,
                                            const std::string& repo);

// Starts the service there. `protocol`: the value of GIT_PROTOCOL ("version=2"), empty for version 0; only
// for upload_pack.
OpenService open_service(engine::Runner& runner, const std::string& repo, GitService service,
                         const std::string& protocol);

// What comes into a stopped session is in no snapshot: whoever saves it later must not rely on the last one.
void expect_changes(const Session& session, const base::Paths& paths);

// After something has come in: has a live session look at its repos anew, without waiting for it.
void note_changes(const Session& session);

// A runner on a whole session: the supervisor when it is live, else a throw-away sandbox like the session's
// own (all mounts, no network).
std::unique_ptr<engine::Runner> runner_for(const Session& session, const base::Paths& paths);

} // namespace scad::session
