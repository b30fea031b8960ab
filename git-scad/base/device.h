#pragma once

#include <string>

namespace scad::base {

// Why a device node of this host is nothing to hand to a sandbox; empty: it is. It is a character device
// below /dev, links followed, that the caller can open; no directory, no disk, no terminal that somebody may
// sit at, and nothing that leads to the memory of the host or types on its keyboard.
std::string device_problem(const std::string& path);

} // namespace scad::base
