#include "session/quarantine_git.h"

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"

#include <algorithm>
#include <csignal>
#include <fmt/format.h>
#include <poll.h>
#include <system_error>
#include <unistd.h>

namespace scad::session {
namespace {

constexpr std::chrono::seconds git_time{300};
constexpr std::uint64_t address_space = std::uint64_t{4} << 30;
constexpr std::size_t output_bytes = std::size_t{8} << 20;
constexpr const char* incoming_name = "incoming";
constexpr std::size_t pack_header = 12; // "PACK", version, number of objects

bool is_object_id(std::string_view text) {
    return (text.size() == 40 || text.size() == 64) &&
           text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

} // namespace

QuarantineGit::QuarantineGit(std::filesystem::path directory, std::uint64_t file_size,
                             std::filesystem::path objects)
    : directory_(std::move(directory)), file_size_(file_size), objects_(std::move(objects)) {}

base::Command QuarantineGit::command(std::vector<std::string> args) const {
    base::Command command;
    command.argv = {"prlimit",
                    fmt::format("--fsize={}", file_size_),
                    fmt::format("--as={}", address_space),
                    "--core=0",
                    fmt::format("--cpu={}", git_time.count()),
                    "git",
                    "--git-dir=" + directory_.string()};
    command.argv.insert(command.argv.end(), std::make_move_iterator(args.begin()),
                        std::make_move_iterator(args.end()));
    command.environment = {{"PATH=/usr/local/bin:/usr/bin:/bin", "HOME=/nonexistent", "LANG=C.UTF-8",
                            "LC_ALL=C.UTF-8", "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null",
                            "GIT_TERMINAL_PROMPT=0", "GIT_NO_REPLACE_OBJECTS=1"}};
    if (!objects_.empty()) command.environment->push_back("GIT_OBJECT_DIRECTORY=" + objects_.string());
    command.directory = "/";
    command.output_limit = output_bytes;
    command.timeout = git_time;
    return command;
}

base::Result QuarantineGit::run(std::vector<std::string> args, std::string input) const {
    auto with_input = command(std::move(args));
    with_input.input = std::move(input);
    return base::run(with_input);
}

Refs QuarantineGit::refs() const {
    Refs refs;
    for (const auto& line : base::lines(base::read_if_exists(directory_ / "packed-refs").value_or("")))
        if (const auto space = line.find(' '); is_object_id(std::string_view(line).substr(0, space)))
            refs.emplace(line.substr(space + 1), line.substr(0, space));
    const auto top = directory_ / "refs";
    std::error_code error;
    for (std::filesystem::recursive_directory_iterator entry(top, error), end; entry != end;
         entry.increment(error)) {
        if (error) throw system_error(error.value(), "cannot read '{}'", top.string());
        if (!entry->is_regular_file() || entry->path().extension() == ".lock") continue;
        const std::string content = base::read_file(entry->path());
        if (const auto id = base::trim(content); is_object_id(id))
            refs.insert_or_assign(entry->path().lexically_relative(directory_).string(), std::string(id));
    }
    if (error) throw system_error(error.value(), "cannot read '{}'", top.string());
    return refs;
}

void QuarantineGit::write(const Refs& refs) const {
    std::string text = "# pack-refs with: peeled fully-peeled sorted \n";
    for (const auto& [name, id] : refs) text.append(id).append(" ").append(name).append("\n");
    base::replace_file(directory_ / "packed-refs", text);
}

bool QuarantineGit::connected(const std::vector<std::string>& tips, std::uint64_t limit, bool& huge) const {
    std::string revisions;
    for (const auto& tip : tips) revisions += tip + "\n";
    const auto result = run({"rev-list", "--objects", "--quiet", fmt::format("--filter=blob:limit={}", limit),
                             "--filter-print-omitted", "--stdin", "--not", "--all"},
                            revisions);
    huge = result.out.find('~') != std::string::npos;
    return result.ok();
}

bool QuarantineGit::all_commits(const std::vector<std::string>& ids) const {
    std::string names;
    for (const auto& id : ids) names += id + "\n";
    const auto result = run({"cat-file", "--batch-check=%(objecttype)"}, names);
    const auto types = base::lines(result.out);
    return result.ok() &&
           std::all_of(types.begin(), types.end(), [](const auto& type) { return type == "commit"; });
}

bool QuarantineGit::is_ancestor(const std::string& older, const std::string& newer) const {
    return run({"merge-base", "--is-ancestor", older, newer}).ok();
}

PackReceiver::PackReceiver(const QuarantineGit& git, std::uint64_t limit) : git_(git), limit_(limit) {}

PackReceiver::~PackReceiver() {
    if (!words_) return;
    try {
        child_.signal(SIGKILL);
        child_.wait();
    } catch (const Error&) { // it is gone already
    }
}

void PackReceiver::start() {
    auto input = base::make_pipe();
    auto errors = base::make_pipe();
    auto command = git_.command(
        {"index-pack", "--stdin", "--fix-thin", "--strict", fmt::format("--max-input-size={}", limit_)});
    command.in = base::Stream::descriptor(input.read.get());
    command.out = base::Stream::null();
    command.err = base::Stream::descriptor(errors.write.get());
    child_ = base::start(command);
    to_ = std::move(input.write);
    words_ = std::make_unique<ForeignWords>(std::move(errors.read));
}

void PackReceiver::take(std::string_view bytes) {
    if (!words_) {
        head_ += bytes;
        if (head_.size() < pack_header) return;
        const bool empty = head_.starts_with("PACK") && head_.substr(8, 4) == std::string_view("\0\0\0\0", 4);
        if (empty) return;
        start();
        bytes = head_;
    }
    if (!base::write_all(to_.get(), bytes)) refused();
}

void PackReceiver::finish() {
    if (!words_) {
        if (head_.size() < pack_header) throw fatal("it sends no pack");
        return; // all that is wanted is here already
    }
    to_.reset();
    pollfd asked{child_.pidfd(), POLLIN, 0};
    const auto limit = std::chrono::duration_cast<std::chrono::milliseconds>(git_time);
    if (::poll(&asked, 1, static_cast<int>(limit.count())) == 0)
        throw fatal("its pack takes longer than {} to look through", base::format_duration(git_time));
    if (child_.wait() != 0) refused();
}

void PackReceiver::refused() {
    to_.reset();
    const auto said = words_->reason(std::chrono::seconds(2)); // its last words come as it ends
    child_.signal(SIGKILL);
    const auto status = child_.wait();
    throw fatal("{}", said.empty() ? "git index-pack " + base::describe_wait_status(status) : said);
}

IncomingObjects::IncomingObjects(const std::filesystem::path& quarantine)
    : quarantine_(quarantine), path_(quarantine / incoming_name) {
    sweep(quarantine);
    for (const auto* part : {"info", "pack"}) base::make_directories(path_ / part);
    base::replace_file(path_ / "info/alternates", base::c_quote((quarantine / "objects").string()) + "\n",
                       0600, base::Durability::plain);
}

IncomingObjects::~IncomingObjects() {
    try {
        sweep(quarantine_);
    } catch (const Error&) { // the next fetch tries again
    }
}

void IncomingObjects::keep() {
    const auto pack = quarantine_ / "objects/pack";
    std::vector<std::filesystem::path> files;
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(path_ / "pack", error))
        files.push_back(entry.path());
    // git looks for a pack once it sees its index.
    std::stable_partition(files.begin(), files.end(),
                          [](const auto& path) { return path.extension() != ".idx"; });
    for (const auto& file : files) {
        if (!error) std::filesystem::rename(file, pack / file.filename(), error);
        if (error) throw system_error(error.value(), "cannot move '{}'", file.string());
    }
    if (!files.empty()) base::sync_directory(pack);
}

void IncomingObjects::sweep(const std::filesystem::path& quarantine) {
    base::remove_tree(quarantine / incoming_name);
}

} // namespace scad::session
