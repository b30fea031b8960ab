#pragma once

#include "base/context.h"
#include "engine/host_check.h"

#include <string>

namespace scad::engine {

// What systemd-logind(8) does with this process when its user logs out.
struct Login {
    std::string cgroup; // of this process, in the hierarchy of version 2; empty: there is none
    bool lingers =
        false; // the user's service manager goes on after the last logout (loginctl(1), enable-linger)
    bool kills = false; // KillUserProcesses of logind.conf(5)
};

// Asks loginctl(1) only where the answer matters, which is not where a desktop's terminals run.
Login find_login(const base::Context& context);

// Whether sessions that are started from here end at logout, and what keeps them. Never needed. Pure.
Check explain_login(const Login& login);

} // namespace scad::engine
