// git-remote-scad: a session's repo as a git remote. Run by git (gitremote-helpers(7)); stdout carries the
// protocol and nothing else.

#include "answer_filter.h"
#include "base/context.h"
#include "base/error.h"
#include "base/file.h"
#include "base/loop.h"
#include "base/process.h"
#include "base/relay.h"
#include "base/text.h"
#include "protocol.h"
#include "session/git_service.h"
#include "session/quarantine.h"
#include "session/store.h"
#include "session/upload_pack_client.h"
#include "target.h"

#include <array>
#include <csignal>
#include <cstdio>
#include <exception>
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

namespace scad::remote_helper {
namespace {

constexpr std::chrono::seconds answer_time{30};
constexpr int silence_milliseconds = 1000;

enum class Served { upload_pack, upload_archive };

constexpr std::uint64_t message_bytes = std::uint64_t{64}
                                        << 10; // of a session's own words on the user's terminal

void answer(std::string_view text) { base::write_all(STDOUT_FILENO, text); }

void say(const std::string& line) { base::write_all(STDERR_FILENO, line + "\n"); }

// The common directory of the repo that git runs this helper for; GIT_DIR may be relative.
std::optional<std::filesystem::path> caller_common_dir(const base::Variables& variables) {
    const auto git_dir = variables.get("GIT_DIR");
    if (!git_dir) return std::nullopt;
    const auto repo = base::find_host_repo(std::filesystem::absolute(*git_dir), variables);
    return repo ? std::optional(repo->common_dir) : std::nullopt;
}

// What git may be told of the environment when it serves the quarantine: nothing of the caller's but the
// protocol's version.
base::Command quarantine_service(const std::filesystem::path& quarantine, Served service,
                                 const base::Settings& settings) {
    base::Command command;
    command.argv = {"git"};
    if (service == Served::upload_pack)
        command.argv.insert(command.argv.end(), {"upload-pack", "--strict", quarantine.string()});
    else
        command.argv.insert(command.argv.end(), {"upload-archive", quarantine.string()});
    command.environment = {{"PATH=/usr/local/bin:/usr/bin:/bin", "HOME=/nonexistent", "LANG=C.UTF-8",
                            "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null",
                            "GIT_NO_REPLACE_OBJECTS=1"}};
    const auto version = settings.get_int("protocol.version", 2);
    if (service == Served::upload_pack && version > 0)
        command.environment->push_back(fmt::format("GIT_PROTOCOL=version={}", version));
    command.in = base::Stream::inherit();
    command.out = base::Stream::inherit();
    command.err = base::Stream::inherit();
    return command;
}

[[noreturn]] void serve_quarantine(const Target& target, Served service, const base::Settings& settings) {
    const auto report = session::update_quarantine(
        target.session, target.repo, session::fetch_limits(settings),
        [&] { say(fmt::format("waiting for another fetch from session '{}'", target.session.name)); });
    for (const auto& line : report.refused) say("warning: " + line);
    answer("\n");
    base::replace_process(quarantine_service(report.directory, service, settings));
}

// Waits until the service says something. Once git has been answered it tells of its own, and badly, what
// went wrong.
void require_answer(session::OpenService& service) {
    pollfd asked{service.from.get(), POLLIN, 0};
    const auto limit = std::chrono::duration_cast<std::chrono::milliseconds>(answer_time);
    if (::poll(&asked, 1, static_cast<int>(limit.count())) == 0)
        throw fatal("the session does not answer within {}", base::format_duration(answer_time));
    if ((asked.revents & POLLIN) != 0) return;
    session::ForeignWords words(std::move(service.errors));
    const auto said = words.reason(std::chrono::seconds(1));
    throw fatal("the session cannot be pushed to: {}", said.empty() ? "git receive-pack has ended" : said);
}

// What git still sends when nobody listens any more is read and dropped until git has seen the end of the
// answer: a closed pipe would kill git (SIGPIPE) before it can tell its user what it was answered. git may as
// well keep the pipe and wait for this program, so silence is an end, too.
void drop_what_git_sends() {
    pollfd asked{STDIN_FILENO, POLLIN, 0};
    std::array<char, 65536> dropped{};
    while (::poll(&asked, 1, silence_milliseconds) > 0)
        if (::read(STDIN_FILENO, dropped.data(), dropped.size()) <= 0) return;
}

// A push: receive-pack in the sandbox, joined to git's pipes. Its hooks run there, its words are foreign.
int relay_push(const Target& target, const base::Paths& paths) {
    const auto runner = session::push_runner(target.session, paths, target.repo);
    auto service = session::open_service(*runner, target.repo, session::GitService::receive_pack, "");
    require_answer(service);
    answer("\n");
    base::Loop loop;
    int open = 2; // from the service to git: when both have ended, all is said
    const auto ended = [&](base::Relay::Ended, std::uint64_t) {
        if (--open == 0) loop.stop();
    };
    std::optional<base::Relay> dropped;
    base::Relay to_service(loop, base::Fd(::dup(STDIN_FILENO)), std::move(service.to), {},
                           [&](base::Relay::Ended how, std::uint64_t) {
                               if (how == base::Relay::Ended::end_of_file) return;
                               dropped.emplace(loop, base::Fd(::dup(STDIN_FILENO)),
                                               base::Fd(::open("/dev/null", O_WRONLY | O_CLOEXEC)),
                                               base::RelayOptions{},
                                               [](base::Relay::Ended, std::uint64_t) {});
                           });
    AnswerFilter answers;
    base::Relay from_service(loop, std::move(service.from), base::Fd(::dup(STDOUT_FILENO)),
                             {.filter = [&](std::string_view bytes) { return answers.pass(bytes); }}, ended);
    ::close(STDOUT_FILENO); // the duplicate must be the last one, so that git sees its end
    base::Relay messages(
        loop, std::move(service.errors), base::Fd(::dup(STDERR_FILENO)),
        {.limit = message_bytes, .filter = [](std::string_view text) { return base::visible(text, true); }},
        ended);
    loop.run();
    drop_what_git_sends();
    if (!service.running->wait(std::chrono::seconds(10)).ok()) return 1;
    session::note_changes(target.session);
    return 0;
}

int run(const std::vector<std::string>& arguments) {
    if (arguments.size() < 2)
        throw usage("git-remote-scad is run by git: git fetch scad::<session>[/<repo>]");
    const auto variables = base::Variables::from_process();
    const auto settings = base::Settings::read(variables, std::filesystem::current_path());
    const session::Store store(base::find_paths(variables, settings));
    const auto address = parse_address(arguments.back());
    for (;;) {
        const auto kind = parse_line(read_line(STDIN_FILENO)).kind;
        if (kind == Action::Kind::end) return 0;
        if (kind == Action::Kind::unknown)
            throw fatal("git asked for something that a session's remote does not have");
        if (kind == Action::Kind::capabilities)
            answer(capabilities_answer);
        else if (kind == Action::Kind::option)
            answer("unsupported\n");
        else {
            const auto target = find_target(
                store, address, address.repo.empty() ? caller_common_dir(variables) : std::nullopt);
            if (kind == Action::Kind::receive_pack) return relay_push(target, store.paths());
            serve_quarantine(target,
                             kind == Action::Kind::upload_pack ? Served::upload_pack : Served::upload_archive,
                             settings);
        }
    }
}

} // namespace
} // namespace scad::remote_helper

int main(int argc, char** argv) {
    using scad::base::Error;
    try {
        scad::base::open_standard_descriptors();
        std::signal(SIGPIPE, SIG_IGN);
        return scad::remote_helper::run(std::vector<std::string>(argv + 1, argv + argc));
    } catch (const Error& error) {
        std::fputs(scad::base::render_error(error).c_str(), stderr);
        return scad::base::exit_status(error.kind);
    } catch (const std::exception& error) {
        std::fputs(scad::base::render_error(scad::fatal("{}", error.what())).c_str(), stderr);
        return 128;
    }
}
