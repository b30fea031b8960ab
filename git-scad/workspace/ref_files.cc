#include "workspace/ref_files.h"

#include "base/error.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/host_git.h"
#include "base/text.h"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <system_error>
#include <unistd.h>

namespace scad::workspace {

namespace {

constexpr std::size_t longest_packed_refs = std::size_t{1} << 30;

bool matches(std::string_view name, std::string_view prefix) {
    return prefix.ends_with('/') ? name.starts_with(prefix) : name == prefix;
}

void add_loose(const std::filesystem::path& common_dir, const std::string& prefix,
               std::vector<std::string>& names) {
    std::error_code error;
    const std::filesystem::path top = common_dir / prefix;
    if (!prefix.ends_with('/')) {
        const auto status = std::filesystem::symlink_status(top, error);
        if (std::filesystem::is_regular_file(status) || std::filesystem::is_symlink(status))
            names.push_back(prefix);
        return;
    }
    auto at = std::filesystem::recursive_directory_iterator(
        top, std::filesystem::directory_options::skip_permission_denied, error);
    for (; !error && at != std::filesystem::recursive_directory_iterator{}; at.increment(error)) {
        std::error_code gone;
        if (at->is_directory(gone) && !at->is_symlink(gone)) continue;
        std::string name = at->path().lexically_relative(common_dir).generic_string();
        if (!name.ends_with(".lock")) names.push_back(std::move(name));
    }
}

// The lock file of a ref, for the directories above it: git removes those that have become empty at any
// moment.
base::Fd open_ref_lock(const std::filesystem::path& ref, const std::filesystem::path& lock) {
    for (int attempt = 0; attempt < 5; ++attempt) {
        base::make_directories(ref.parent_path(), 0755);
        base::Fd fd(::open(lock.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644));
        if (fd) return fd;
        if (errno == EEXIST) {
            throw fatal("cannot make the ref '{}': '{}' exists", ref.native(), lock.native())
                .with_hint("rm {}    # when no git command runs there", base::shell_quote(lock.native()));
        }
        if (errno != ENOENT) break;
    }
    throw system_error(errno, "cannot make '{}'", lock.native());
}

} // namespace

void make_ref(const std::filesystem::path& common_dir, const std::string& name, const std::string& id,
              const base::Variables& variables) {
    if (!has_ref_files(common_dir)) {
        const base::HostGit git(common_dir, variables);
        git.run(
            {"-c", "core.hooksPath=/dev/null", "--git-dir=" + common_dir.native(), "update-ref", name, id});
        return;
    }
    const std::filesystem::path ref = common_dir / name;
    std::filesystem::path lock = ref;
    lock += ".lock";
    const base::Fd fd = open_ref_lock(ref, lock);
    try {
        with_context([&] { base::write_all(fd.get(), id + '\n'); }, "cannot write '{}'", lock.native());
        if (::rename(lock.c_str(), ref.c_str()) != 0)
            throw system_error(errno, "cannot make the ref '{}'", ref.native());
    } catch (const Error&) {
        ::unlink(lock.c_str());
        throw;
    }
}

bool has_ref_files(const std::filesystem::path& common_dir) {
    std::error_code error;
    return !std::filesystem::exists(common_dir / "reftable", error);
}

std::vector<std::string> packed_ref_names(std::string_view packed_refs, std::string_view prefix) {
    std::vector<std::string> names;
    const std::string wanted = ' ' + std::string(prefix);
    for (std::size_t at = packed_refs.find(wanted); at != std::string_view::npos;
         at = packed_refs.find(wanted, at)) {
        const std::size_t end = std::min(packed_refs.find('\n', at), packed_refs.size());
        const std::size_t start = at == 0 ? 0 : packed_refs.rfind('\n', at - 1) + 1;
        const std::string_view name = packed_refs.substr(at + 1, end - at - 1);
        const char first = packed_refs[start];
        if (first != '#' && first != '^' && packed_refs.find(' ', start) == at && matches(name, prefix)) {
            names.emplace_back(name);
        }
        at = end;
    }
    return names;
}

std::vector<std::string> ref_names(const std::filesystem::path& common_dir, const std::string& prefix,
                                   const base::Variables& variables) {
    std::vector<std::string> names;
    if (has_ref_files(common_dir)) {
        const auto packed = base::read_if_exists(common_dir / "packed-refs", longest_packed_refs);
        if (packed) names = packed_ref_names(*packed, prefix);
        add_loose(common_dir, prefix, names);
    } else {
        const base::HostGit git(common_dir, variables);
        const std::string output =
            git.run({"--git-dir=" + common_dir.native(), "for-each-ref", "--format=%(refname)", prefix});
        for (const std::string& name : base::lines(output)) {
            if (matches(name, prefix)) names.push_back(name);
        }
    }
    std::sort(names.begin(), names.end());
    names.erase(std::unique(names.begin(), names.end()), names.end());
    return names;
}

} // namespace scad::workspace
