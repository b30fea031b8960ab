#include "commands/all.h"

#include <array>

namespace scad::commands {

std::span<const Command> all_commands() {
    constexpr bool words = true;
    static constexpr std::array commands = {
        Command{"init", "write the project file of a docs repo", set_up_init},
        Command{"config list", "list the projects that can be named from here", set_up_config_list},
        Command{"config show", "show a project with its defaults filled in", set_up_config_show},
        Command{"config check", "check project files for errors", set_up_config_check},
        Command{"config trust", "approve what a project asks of this machine", set_up_config_trust},
        Command{"build", "prepare a project's environment and base trees", set_up_build},

        Command{"session start", "start an isolated session of a project", set_up_session_start},
        Command{"session fork", "copy a session as it is now, conversation included", set_up_session_fork},
        Command{"session list", "list the sessions on this machine", set_up_session_list},
        Command{"session show", "show all about a session", set_up_session_show},
        Command{"session stop", "end a session's jobs and its sandbox; its work stays", set_up_session_stop},
        Command{"session resume", "start a stopped or lost session again", set_up_session_resume},
        Command{"session exec", "run a command in a session", set_up_session_exec, words,
                "[<options>] <session> [--] <command>…"},
        Command{"session shell", "open a login shell in a session", set_up_session_shell},
        Command{"session cp", "copy files into a session or out of one", set_up_session_cp, false,
                "[<options>] <path>… <session>:<path> | <session>:<path>… <path>"},
        Command{"session forward", "carry a TCP port of this machine to one in a session",
                set_up_session_forward},
        Command{"session snapshot", "save uncommitted work where a fetch finds it", set_up_session_snapshot},
        Command{"session update", "move origin/<base> inside to the host's base of now",
                set_up_session_update},
        Command{"session rm", "save a session's work, then move it to the trash", set_up_session_rm},
        Command{"session undelete", "bring a session back from the trash", set_up_session_undelete},
        Command{"session gc", "drop what no session needs any more", set_up_session_gc},

        Command{"inject", "send work to sessions", set_up_inject, words,
                "[<options>] <session>[,<session>…] [<prompt> | -- <command>…]"},
        Command{"job list", "list jobs", set_up_job_list},
        Command{"job show", "show all about a job", set_up_job_show},
        Command{"job logs", "show what a job did", set_up_job_logs},
        Command{"job wait", "wait until jobs have ended and their work is saved", set_up_job_wait},
        Command{"job cancel", "end jobs", set_up_job_cancel},

        Command{"code fetch", "bring sessions' work into the host repos", set_up_code_fetch},
        Command{"code log", "show the commits of sessions, over all their repos", set_up_code_log},
        Command{"code diff", "show the changes of sessions, over all their repos", set_up_code_diff, words,
                "[<options>] <session>[,<session>…] [-- <path>…]"},
        Command{"code prune", "drop the refs of removed sessions", set_up_code_prune},

        Command{"status", "show what runs, what has ended and what is not fetched", set_up_status},
        Command{"dispatch", "build, start sessions and inject, in one go", set_up_dispatch, words,
                "[<options>] [<project>] [<prompt> | -- <command>…]"},
        Command{"harvest", "wait for sessions, save and fetch their work, sum it up", set_up_harvest},
        Command{"finish", "harvest sessions, then remove them", set_up_finish},

        Command{"doctor", "check what this machine can do", set_up_doctor},
        Command{"demo", "walk through the whole loop on throw-away repos", set_up_demo},
        Command{"version", "print the version", set_up_version},
    };
    return commands;
}

} // namespace scad::commands
