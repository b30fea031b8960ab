#pragma once

#include "session/session.h"

#include <cstdint>
#include <filesystem>
#include <string>

// The copy-on-write mounts of a session: what it changes in them lies in a layer of its own over the source.
namespace scad::session {

// The empty layers of a session whose directory this is.
void make_mount_layers(const Session& session, const std::filesystem::path& directory);

// What such a layer holds: changed, new and removed files and folders, and their room on the disk.
struct LayerUse {
    std::uint64_t entries = 0;
    std::uint64_t bytes = 0;
    bool more = false; // not all of it was looked at
};
// Looks at no more than a bounded number of entries, follows no link, and opens directories only.
LayerUse measure_layer(const Session& session, const SessionMount& mount);

// "3 changes, 1.5 MiB, which nothing carries out of the session"; empty when there are none.
std::string layer_words(const LayerUse& use);

// "read-only, shows", "writable, is", "writable in the session, over": what a mount is to its source.
std::string_view access_words(const SessionMount& mount);

} // namespace scad::session
