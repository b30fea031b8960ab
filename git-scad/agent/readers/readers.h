#pragma once

#include "agent/events.h"

#include <memory>

namespace scad::agent {

// Claude Code's --output-format stream-json: one JSON object a line, `type` anywhere in it.
std::unique_ptr<EventReader> make_claude_reader();

// Anything else: each line is a text.
std::unique_ptr<EventReader> make_text_reader();

} // namespace scad::agent
