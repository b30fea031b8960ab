#pragma once

#include <sys/types.h>
#include <vector>

namespace scad::init {

// Every process below process 1, a parent before its children. One pass, as below.
std::vector<pid_t> all_processes();

// Sends SIGKILL to every process below process 1 but the `spared` children of it and what is below these
// (/proc/<pid>/task/<tid>/children in proc(5)). Returns how many there were. One pass: a list may miss a
// child while others come and go, and new ones are made meanwhile, so it is called until nothing was found
// more than once.
std::size_t kill_all_but(const std::vector<pid_t>& spared);

} // namespace scad::init
