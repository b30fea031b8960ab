#pragma once

#include "agent/login.h"
#include "base/context.h"

#include <map>
#include <string>
#include <utility>

namespace scad::session {

// What the jobs of one command sign in with: each kind of login is looked for once, however many jobs use it,
// so that the command of a token setting runs once.
class Logins {
  public:
    explicit Logins(const base::Context& context) : context_(context) {}

    // As agent::find_login; warns of one that is about to expire.
    const agent::Login& find(const agent::Agent& agent, const std::string& mode);

  private:
    const base::Context& context_;
    std::map<std::pair<std::string, std::string>, agent::Login> found_; // by agent and mode
};

} // namespace scad::session
