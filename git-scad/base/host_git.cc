#include "base/host_git.h"

#include "base/error.h"
#include "base/text.h"

#include <algorithm>
#include <charconv>

namespace scad::base {

namespace {

std::string lower(std::string_view text) {
    std::string result(text);
    for (char& c : result) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    return result;
}

// "Section.Sub.Key" as git prints it: section and key in lower case, what is between them as it is.
std::string canonical(std::string_view name) {
    const std::size_t first = name.find('.');
    const std::size_t last = name.rfind('.');
    if (first == std::string_view::npos) return lower(name);
    return lower(name.substr(0, first)) + std::string(name.substr(first, last - first)) +
           lower(name.substr(last));
}

void set_variable(std::vector<std::string>& environment, std::string_view name, std::string_view value) {
    const std::string start = std::string(name) + '=';
    environment.erase(std::remove_if(environment.begin(), environment.end(),
                                     [&](const std::string& entry) { return entry.starts_with(start); }),
                      environment.end());
    environment.push_back(start + std::string(value));
}

// What git said before it gave up, as an error of ours: its first "fatal: " line, and the command that it
// advises as the hint.
Error in_words_of_git(const Command& command, const Result& result) {
    const std::vector<std::string> told = lines(result.err);
    for (auto line = told.begin(); line != told.end(); ++line) {
        if (!line->starts_with("fatal: ")) continue;
        Error error = fatal("{}", line->substr(7));
        for (auto next = line + 1; next != told.end(); ++next) {
            if (trim(*next).starts_with("git config ")) error.hint = trim(*next);
        }
        return error;
    }
    return command_failed(command, result);
}

std::filesystem::path nearest_directory(const std::filesystem::path& path) {
    std::error_code error;
    return std::filesystem::is_directory(path, error) ? path : path.parent_path();
}

} // namespace

Settings Settings::read(const Variables& variables, const std::filesystem::path& directory) {
    Command command{.argv = {"git", "config", "-z", "--list"},
                    .directory = directory,
                    .environment = variables.entries()};
    const Result result = run(command);
    if (!result.ok()) throw in_words_of_git(command, result);
    std::vector<std::pair<std::string, std::string>> entries;
    for (std::string& record : split(result.out, '\0')) {
        if (record.empty()) continue;
        const std::size_t end = record.find('\n');
        // A key without "=" means true.
        std::string value = end == std::string::npos ? "true" : record.substr(end + 1);
        record.resize(std::min(end, record.size()));
        entries.emplace_back(std::move(record), std::move(value));
    }
    return Settings(std::move(entries));
}

std::optional<std::string> Settings::get(std::string_view name) const {
    const std::string wanted = canonical(name);
    const auto found = std::find_if(entries_.rbegin(), entries_.rend(),
                                    [&](const auto& entry) { return entry.first == wanted; });
    return found == entries_.rend() ? std::nullopt : std::optional(found->second);
}

std::vector<std::string> Settings::all(std::string_view name) const {
    const std::string wanted = canonical(name);
    std::vector<std::string> values;
    for (const auto& [key, value] : entries_) {
        if (key == wanted) values.push_back(value);
    }
    return values;
}

bool Settings::get_bool(std::string_view name, bool otherwise) const {
    const auto value = get(name);
    if (!value) return otherwise;
    const std::string word = lower(*value);
    if (word == "true" || word == "yes" || word == "on") return true;
    if (word == "false" || word == "no" || word == "off" || word.empty()) return false;
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
    if (error == std::errc{} && end == word.data() + word.size()) return number != 0;
    throw fatal("bad boolean config value '{}' for '{}'", *value, name);
}

std::int64_t Settings::get_int(std::string_view name, std::int64_t otherwise) const {
    const auto value = get(name);
    if (!value) return otherwise;
    const std::string_view text = trim(*value);
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    const std::string unit =
        lower(std::string_view(end, static_cast<std::size_t>(text.data() + text.size() - end)));
    const std::int64_t factor = unit.empty()  ? 1
                                : unit == "k" ? 1 << 10
                                : unit == "m" ? 1 << 20
                                : unit == "g" ? 1 << 30
                                              : 0;
    if (error != std::errc{} || factor == 0 || __builtin_mul_overflow(number, factor, &number)) {
        throw fatal("bad numeric config value '{}' for '{}'", *value, name);
    }
    return number;
}

std::optional<std::string> own_setting(const std::string& name, const Variables& variables,
                                       const std::filesystem::path& directory) {
    Command command{.argv = {"git", "config", "-z", "--show-scope", "--get-all", name},
                    .directory = directory,
                    .environment = variables.entries()};
    const Result result = run(command);
    if (result.status() == 1 && result.out.empty()) return std::nullopt;
    if (!result.ok()) throw in_words_of_git(command, result);
    // <scope> NUL <value> NUL …
    const std::vector<std::string> words = split(result.out, '\0');
    std::optional<std::string> value;
    for (std::size_t i = 0; i + 1 < words.size(); i += 2) {
        if (words[i] == "system" || words[i] == "global" || words[i] == "command") value = words[i + 1];
    }
    return value;
}

std::optional<HostRepo> find_host_repo(const std::filesystem::path& path, const Variables& variables) {
    const std::filesystem::path directory = nearest_directory(path);
    std::error_code unreadable;
    if (directory.empty() || !std::filesystem::is_directory(directory, unreadable)) return std::nullopt;
    Command command{.argv = {"git", "-C", directory.native(), "rev-parse", "--path-format=absolute",
                             "--git-dir", "--git-common-dir", "--git-path", "objects", "--show-object-format",
                             "--is-shallow-repository", "--is-bare-repository", "--show-toplevel"},
                    .environment = variables.for_host_git()};
    set_variable(*command.environment, "LC_ALL", "C"); // its words are read below
    const Result result = run(command);
    const std::vector<std::string> told = lines(result.out);
    // Only --show-toplevel, the last one, fails where there is no working tree.
    if (!result.ok() && told.size() != 6) {
        if (result.err.find("not a git repository (or any") != std::string::npos) return std::nullopt;
        throw in_words_of_git(command, result);
    }
    if (told.size() != (result.ok() ? 7U : 6U)) {
        throw fatal("cannot use the repo at '{}': its path has a newline", directory.native());
    }
    HostRepo repo;
    repo.git_dir = told[0];
    repo.common_dir = told[1];
    repo.objects = told[2];
    repo.object_format = told[3];
    repo.shallow = told[4] == "true";
    const bool bare = told[5] == "true";
    if (result.ok()) {
        repo.worktree = told[6];
    } else if (!bare && repo.git_dir.filename() == ".git" && directory != repo.git_dir.parent_path()) {
        return find_host_repo(repo.git_dir.parent_path(),
                              variables); // `path` lies in the git directory itself
    }
    return repo;
}

HostGit::HostGit(std::filesystem::path directory, const Variables& variables)
    : directory_(std::move(directory)), environment_(variables.for_host_git()) {
    // `git status` and its like would otherwise write the user's index.
    set_variable(environment_, "GIT_OPTIONAL_LOCKS", "0");
}

Command HostGit::command(std::vector<std::string> args) const {
    Command command{.argv = {"git", "-C", directory_.native()}, .environment = environment_};
    command.argv.insert(command.argv.end(), std::make_move_iterator(args.begin()),
                        std::make_move_iterator(args.end()));
    return command;
}

Result HostGit::try_run(std::vector<std::string> args, std::string input) const {
    Command wanted = command(std::move(args));
    wanted.input = std::move(input);
    return base::run(wanted);
}

std::string HostGit::run(std::vector<std::string> args, std::string input) const {
    Command wanted = command(std::move(args));
    wanted.input = std::move(input);
    return run_ok(wanted);
}

std::string HostGit::line(std::vector<std::string> args) const {
    std::string text = run(std::move(args));
    if (text.ends_with('\n')) text.pop_back();
    return text;
}

} // namespace scad::base
