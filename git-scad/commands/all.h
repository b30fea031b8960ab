#pragma once

#include "commands/command.h"

// One set-up function per command, each in <group>_<verb>.cc.
namespace scad::commands {

Action set_up_init(CLI::App& app);
Action set_up_config_list(CLI::App& app);
Action set_up_config_show(CLI::App& app);
Action set_up_config_check(CLI::App& app);
Action set_up_config_trust(CLI::App& app);
Action set_up_build(CLI::App& app);
Action set_up_session_start(CLI::App& app);
Action set_up_session_list(CLI::App& app);
Action set_up_session_show(CLI::App& app);
Action set_up_session_stop(CLI::App& app);
Action set_up_session_resume(CLI::App& app);
Action set_up_session_exec(CLI::App& app);
Action set_up_session_shell(CLI::App& app);
Action set_up_session_cp(CLI::App& app);
Action set_up_session_forward(CLI::App& app);
Action set_up_session_snapshot(CLI::App& app);
Action set_up_session_rm(CLI::App& app);
Action set_up_session_fork(CLI::App& app);
Action set_up_session_gc(CLI::App& app);
Action set_up_session_update(CLI::App& app);
Action set_up_session_undelete(CLI::App& app);
Action set_up_inject(CLI::App& app);
Action set_up_job_list(CLI::App& app);
Action set_up_job_show(CLI::App& app);
Action set_up_job_logs(CLI::App& app);
Action set_up_job_wait(CLI::App& app);
Action set_up_job_cancel(CLI::App& app);
Action set_up_code_fetch(CLI::App& app);
Action set_up_code_log(CLI::App& app);
Action set_up_code_diff(CLI::App& app);
Action set_up_code_prune(CLI::App& app);
Action set_up_status(CLI::App& app);
Action set_up_dispatch(CLI::App& app);
Action set_up_harvest(CLI::App& app);
Action set_up_finish(CLI::App& app);
Action set_up_doctor(CLI::App& app);
Action set_up_demo(CLI::App& app);
Action set_up_version(CLI::App& app);

} // namespace scad::commands
