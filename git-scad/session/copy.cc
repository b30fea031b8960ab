#include "session/copy.h"

#include "base/error.h"
#include "base/fd.h"
#include "base/text.h"
#include "engine/engine.h"
#include "engine/runner.h"
#include "session/client.h"
#include "session/git_service.h"

#include <chrono>
#include <cstdio>
#include <fcntl.h>
#include <optional>
#include <unistd.h>

namespace scad::session {

namespace {

constexpr std::chrono::seconds end_limit{10}; // for what has nothing more to do
constexpr std::size_t longest_complaint = 500;

// One end of a transfer, in the session.
struct Inside {
    std::unique_ptr<engine::Runner> runner;
    std::unique_ptr<engine::Running> running;
    base::Fd stream; // to its input, or from its output
    base::Fd said;   // its output, when that is not the stream
    base::Fd errors;
};

Inside begin(const Session& session, const base::Paths& paths, std::vector<std::string> words, bool inward) {
    Inside inside;
    // Not runner_for() for a live one: that waits for snapshots, and files can be copied while one is taken.
    inside.runner = Client::connect(session) ? make_live_runner(session, false) : runner_for(session, paths);
    auto stream = base::make_pipe();
    auto said = base::make_pipe();
    auto errors = base::make_pipe();
    engine::RunRequest request;
    request.argv = {std::string(engine::init_path)};
    request.argv.insert(request.argv.end(), words.begin(), words.end());
    request.environment = {"PATH=/usr/bin:/bin"};
    request.directory = "/work";
    request.in = inward ? stream.read.get() : -1;
    request.out = inward ? said.write.get() : stream.write.get();
    request.err = errors.write.get();
    inside.running = inside.runner->start(request);
    inside.stream = std::move(inward ? stream.write : stream.read);
    inside.said = std::move(said.read);
    inside.errors = std::move(errors.read);
    return inside;
}

// What is there to be read, of text that is short when it is honest.
std::string short_text(const base::Fd& from) {
    ::fcntl(from.get(), F_SETFL, O_NONBLOCK);
    std::string text(4096, '\0');
    const ssize_t count = ::read(from.get(), text.data(), text.size());
    text.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
    return text;
}

[[noreturn]] void fail(const std::string& what, const std::string& reason) {
    throw fatal("cannot copy '{}': {}", base::visible(what), base::one_line(reason, longest_complaint));
}

} // namespace

transfer::Received copy_out(const Session& session, const base::Paths& paths, const std::string& path,
                            const std::string& destination, std::uint64_t most_bytes,
                            const transfer::Progress& progress) {
    transfer::ReceiveOptions options;
    options.destination = destination;
    options.name = transfer::base_name(path);
    options.most_bytes = most_bytes;
    options.guarded = true;
    if (options.name.empty()) throw fatal("'{}:{}' has no name to copy it under", session.name, path);
    auto inside = begin(session, paths, {"send", path}, false);
    try {
        return transfer::receive(inside.stream.get(), options, progress);
    } catch (const transfer::Failure& failure) {
        fail(session.name + ":" + path, failure.what());
    }
}

transfer::Totals copy_in(const Session& session, const base::Paths& paths, const std::string& path,
                         const std::string& destination, const transfer::Progress& progress) {
    const auto name = transfer::base_name(path);
    if (name.empty()) throw fatal("'{}' has no name to copy it under", path);
    expect_changes(session, paths);
    auto inside = begin(session, paths, {"receive", destination, name}, true);
    transfer::Totals totals;
    std::optional<std::string> failed;
    try {
        totals = transfer::send(path, inside.stream.get(), progress);
    } catch (const transfer::Failure& failure) {
        failed = failure.what();
    }
    inside.stream.reset(); // the receiver tidies up when it ends too early
    const auto result = inside.running->wait(end_limit);
    const auto complaint = short_text(inside.errors);
    if (!result.ok() && !complaint.empty() && progress(totals)) fail(path, complaint);
    if (failed || !result.ok()) fail(path, failed.value_or("the session did not take it"));
    unsigned long long special = 0;
    unsigned long long links = 0;
    if (std::sscanf(short_text(inside.said).c_str(), "%llu %llu", &special, &links) == 2)
        totals.links = links;
    note_changes(session);
    return totals;
}

} // namespace scad::session
