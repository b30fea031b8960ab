#include "agent/user_files.h"

#include "base/copy_files.h"
#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"

#include <algorithm>
#include <fnmatch.h>
#include <nlohmann/json.hpp>

namespace scad::agent {

namespace fs = std::filesystem;

namespace {

constexpr base::CopyLimits limits{std::uint64_t{64} << 20, 20000}; // of one item
constexpr std::size_t document_limit = std::size_t{4} << 20;
constexpr std::string_view session_home = "/home/agent";

// Whether `path` is `other` or lies below it; both below the home.
bool is_in(const fs::path& path, const fs::path& other) {
    const auto [end, rest] = std::mismatch(other.begin(), other.end(), path.begin(), path.end());
    return end == other.end();
}

bool is_never(const Agent& agent, const fs::path& path) {
    return std::any_of(agent.home.never.begin(), agent.home.never.end(),
                       [&](const std::string& never) { return is_in(path, never); });
}

fs::path real_path(const fs::path& path) {
    std::error_code error;
    auto real = fs::weakly_canonical(path, error);
    return error ? path : real;
}

// Where a file of the host goes, below the home; empty: it lies in no home.
fs::path target_of(const Agent& agent, const fs::path& path, const UserHome& user) {
    for (const auto& [top, name] :
         {std::pair(host_path(agent, agent.home.directory, user.home, user.variables), agent.home.directory),
          std::pair(user.home, std::string())}) {
        const auto inner = path.lexically_relative(top);
        if (!top.empty() && !inner.empty() && inner != "." && *inner.begin() != "..") return name / inner;
    }
    return {};
}

class UserFiles {
  public:
    UserFiles(const Agent& agent, const UserHome& user, const fs::path& target)
        : agent_(agent), user_(user), target_(target) {}

    void add_chosen(const ChosenFile& chosen) {
        const auto target = target_of(agent_, chosen.path, user_);
        if (target.empty())
            throw fatal("'{}' does not lie in your home, so it has no place in that of a session",
                        chosen.path.native());
        if (is_never(agent_, target))
            throw fatal("'{}' never goes into a session: it is a credential, history or setting of {}",
                        chosen.path.native(), agent_.title);
        add(target, chosen.path, chosen.real);
    }

    // What is not there is nothing to tell of, and a link is not followed: only who names a file has its real
    // path approved.
    void add_default(const std::string& pattern) {
        const auto path = host_path(agent_, pattern, user_.home, user_.variables);
        const auto directory = real_path(path.parent_path());
        const auto last = path.filename().native();
        if (last.find_first_of("*?[") == std::string::npos) {
            add_plain(pattern, path, directory / last);
            return;
        }
        std::vector<std::string> names;
        std::error_code error;
        for (fs::directory_iterator entry(directory, error), end; !error && entry != end;
             entry.increment(error))
            names.push_back(entry->path().filename().native());
        std::sort(names.begin(), names.end());
        for (const auto& name : names) {
            if (::fnmatch(last.c_str(), name.c_str(), FNM_PERIOD) == 0)
                add_plain(fs::path(pattern).parent_path() / name, path.parent_path() / name,
                          directory / name);
        }
    }

    std::vector<UserFile> result() { return std::move(result_); }

  private:
    void add_plain(const fs::path& target, const fs::path& path, const fs::path& real) {
        std::error_code error;
        const auto status = fs::symlink_status(real, error);
        if (error || !fs::exists(status) || is_never(agent_, target)) return;
        if (!fs::is_symlink(status)) return add(target, path, real);
        UserFile file;
        file.target = target.native();
        file.source = path;
        file.problem = fmt::format("it is a link to '{}'; 'agent.files' of the project can name it",
                                   real_path(real).native());
        result_.push_back(std::move(file));
    }

    void add(const fs::path& target, const fs::path& path, const fs::path& real) {
        const auto made = target_ / target;
        std::error_code error;
        if (fs::exists(fs::symlink_status(made, error))) return; // part of another one
        base::make_directories(made.parent_path());
        // History and checkouts of git in it are no part of what the agent is to know.
        const auto skip = [&](const fs::path& inner) {
            return inner.filename() == ".git" || is_never(agent_, target / inner);
        };
        UserFile file;
        file.target = target.native();
        file.source = path;
        try {
            const auto copied = base::copy_files(real, made, limits, skip);
            file.files = copied.files;
            file.bytes = copied.bytes;
            file.left_out = copied.left_out;
            if (copied.too_large) {
                file.problem = fmt::format(
                    "it has more than {} or {} files; 'agent.files' of the project can "
                    "name a part of it",
                    base::format_size(limits.bytes), limits.files);
            }
        } catch (const Error& refused) {
            throw fatal("cannot copy '{}' into the home of the session: {}", path.native(), refused.message);
        }
        result_.push_back(std::move(file));
    }

    const Agent& agent_;
    const UserHome& user_;
    const fs::path& target_;
    std::vector<UserFile> result_;
};

// Documents of the agent's that name its directory on the host: there they name that of the session.
void rewrite_places(const Agent& agent, const UserHome& user, const fs::path& target) {
    const auto host = host_path(agent, agent.home.directory, user.home, user.variables).native() + '/';
    const auto own = fmt::format("{}/{}/", session_home, agent.home.directory);
    for (const auto& name : agent.home.rewrite) {
        auto text = base::read_if_exists(target / name, document_limit);
        if (!text) continue;
        for (auto at = text->find(host); at != std::string::npos; at = text->find(host, at + own.size()))
            text->replace(at, host.size(), own);
        base::replace_file(target / name, *text, 0600, base::Durability::plain);
    }
}

// The caller's settings, as far as they run nothing.
nlohmann::json chosen_settings(const Agent& agent, const UserHome& user) {
    auto chosen = nlohmann::json::object();
    if (agent.home.settings.empty()) return chosen;
    const auto path = host_path(agent, agent.home.settings, user.home, user.variables);
    const auto text = base::read_if_exists(path, document_limit);
    const auto settings = text ? base::parse_json(*text) : std::nullopt;
    if (!settings || !settings->is_object()) return chosen;
    for (const auto& key : agent.home.settings_keys) {
        if (const auto found = settings->find(key); found != settings->end()) chosen[key] = *found;
    }
    return chosen;
}

} // namespace

std::vector<UserFile> copy_user_files(const Agent& agent,
                                      const std::optional<std::vector<ChosenFile>>& chosen,
                                      const UserHome& user, const fs::path& target) {
    UserFiles files(agent, user, target);
    if (chosen) {
        for (const auto& file : *chosen) files.add_chosen(file);
    } else {
        for (const auto& pattern : agent.home.copy) files.add_default(pattern);
    }
    rewrite_places(agent, user, target);
    const auto settings = chosen ? nlohmann::json::object() : chosen_settings(agent, user);
    for (const auto& [name, content] : agent.files) {
        auto text = content;
        if (name == agent.home.settings && !settings.empty()) {
            if (auto document = base::parse_json(content); document && document->is_object()) {
                document->update(settings);
                text = base::to_text(*document);
            }
        }
        std::error_code error;
        if (fs::exists(fs::symlink_status(target / name, error))) continue;
        base::make_directories((target / name).parent_path());
        base::replace_file(target / name, text, 0600, base::Durability::plain);
    }
    return files.result();
}

} // namespace scad::agent
