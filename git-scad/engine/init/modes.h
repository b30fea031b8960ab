#pragma once

#include <string_view>
#include <vector>

// What scad-init can be started as. Each mode lives in a file of its own and returns an exit status, or
// never.
namespace scad::init {

using Arguments = std::vector<std::string_view>;

// Process 1 of a sandbox. `words`: the descriptor of the control channel, then "name=value" settings:
// processes, files, size (limits of each job's processes), port (on 127.0.0.1, where connections are accepted
// and handed out).
int run_process_one(const Arguments& words);

// The outer helper: makes the mounts that a sandbox stands on, in name spaces of its own, and becomes
// bubblewrap. `words`: the descriptor of the plan.
int run_stage(const Arguments& words);

// Writes standard input to a file: `words`: path, mode in octal. Missing parents are made; the file is
// replaced at once or not at all.
int run_write(const Arguments& words);

// Sends the file or folder at a path to standard output, or makes one of what comes from standard input
// (engine/transfer). `words`: the path; the destination and the name. The receiver's standard output says how
// many special files and links were left out.
int run_send(const Arguments& words);
int run_receive(const Arguments& words);

// Joins standard input and output to a connection to a TCP port of the sandbox's own loopback, until that
// ends. `words`: the port.
int run_connect(const Arguments& words);

} // namespace scad::init
