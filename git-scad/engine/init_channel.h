#pragma once

#include "engine/engine.h"
#include "engine/init/protocol.h"

#include <optional>
#include <string>
#include <string_view>

namespace scad::engine {

// The host's side of what process 1 understands (init/protocol.h). Pure framing.

// The body of a request message.
std::string encode_request(protocol::RequestKind kind, std::uint64_t id = 0, int number = 0);

// The content of the sealed memory file that goes with `start`. Fatal when a string has a NUL in it, there is
// no program, or it is too long.
std::string encode_job(const JobStart& job);

// Empty when the message is none of this protocol's version.
std::optional<protocol::Reply> decode_reply(std::string_view body);

} // namespace scad::engine
