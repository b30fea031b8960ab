#pragma once

#include "base/context.h"
#include "session/job.h"
#include "session/session.h"
#include "session/start.h"

#include <memory>
#include <string>
#include <vector>

namespace scad::commands {

struct StreamOptions {
    bool print = true;          // what the jobs say, to stdout
    bool until_saved = true;    // also wait for the snapshot that follows each job
    bool interruptible = false; // SIGINT: with a terminal the first one detaches and a second within two
                                // seconds cancels; without one it cancels
};

struct StreamEnd {
    std::vector<session::Job> jobs; // as they are on disk now, in the order they were added
    bool detached = false;          // the jobs go on
};

// Follows jobs of several sessions at once until all have ended.
class JobStream {
  public:
    JobStream(const base::Context& context, StreamOptions options);
    ~JobStream();
    JobStream(const JobStream&) = delete;
    JobStream& operator=(const JobStream&) = delete;

    // Starts a job that was prepared and follows it. Fatal when the supervisor refuses it.
    void start(const session::Session& session, const session::Injection& injection);
    // Follows one that runs, or has ended and is being saved.
    void follow(const session::Session& session, const session::Job& job);
    StreamEnd run();

  private:
    struct Implementation;
    std::unique_ptr<Implementation> implementation_;
};

// Starts a job and does not follow it.
void start_detached(const session::Session& session, const session::Injection& injection);

// Says on stderr how a job ended: one line, and a warning for what of its work is not saved.
void tell_end(const base::Context& context, const session::Job& job);

} // namespace scad::commands
