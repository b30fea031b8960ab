#pragma once

#include "engine/init/leader.h"
#include "engine/init/modes.h"

#include <cstdint>
#include <optional>

namespace scad::init {

// What process 1 is told by its arguments after the first ("name=value").
struct Settings {
    JobLimits limits;
    std::uint16_t port = 0;
};

// Empty when one of the words from the second on is malformed.
std::optional<Settings> parse_settings(const Arguments& words);

// A listening socket (non-blocking) on 127.0.0.1; ends the process when that cannot be had.
int listen_on_loopback(std::uint16_t port);

} // namespace scad::init
