#include "environment/sources.h"

#include "base/error.h"
#include "base/file.h"
#include "base/host_git.h"
#include "base/text.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace scad::environment {

namespace {

constexpr std::size_t batch_bytes = std::size_t{64} << 20; // contents that are held in memory at once
constexpr std::size_t header_bytes = 200;                  // of one object in the output of cat-file

// `git cat-file --batch` (git-cat-file(1), BATCH OUTPUT): "<id> <type> <size>\n<content>\n", or
// "<name> missing\n".
class Batch {
  public:
    explicit Batch(std::string output) : output_(std::move(output)) {}

    std::optional<std::string_view> next_blob() {
        const std::string_view rest = std::string_view(output_).substr(at_);
        const std::size_t end = rest.find('\n');
        if (end == std::string_view::npos) throw fatal("git cat-file ended too early");
        const auto words = base::split(rest.substr(0, end), ' ');
        at_ += end + 1;
        std::size_t size = 0;
        if (words.size() != 3 ||
            std::from_chars(words[2].data(), words[2].data() + words[2].size(), size).ec != std::errc{})
            return std::nullopt;
        if (size + 1 > output_.size() - at_) throw fatal("git cat-file ended too early");
        const std::string_view content = std::string_view(output_).substr(at_, size);
        at_ += size + 1;
        return words[1] == "blob" ? std::optional(content) : std::nullopt;
    }

  private:
    std::string output_;
    std::size_t at_ = 0;
};

// A tree that somebody crafted can hold any name.
void check_path(const std::string& repo, const std::string& path) {
    for (const std::string& part : base::split(path, '/')) {
        if (part.empty() || part == "." || part == ".." || part == ".git")
            throw fatal("repo '{}' has a file with the path '{}'", repo, path);
    }
}

void make_parents(int top, const std::string& path) {
    for (std::size_t slash = path.find('/'); slash != std::string::npos; slash = path.find('/', slash + 1)) {
        if (::mkdirat(top, path.substr(0, slash).c_str(), 0755) != 0 && errno != EEXIST)
            throw system_error(errno, "cannot make the directory of '{}'", path);
    }
}

void write_one(int top, const InputFile& file, std::string_view content) {
    make_parents(top, file.path);
    if (file.mode == "120000") {
        if (::symlinkat(std::string(content).c_str(), top, file.path.c_str()) != 0)
            throw system_error(errno, "cannot make the link '{}'", file.path);
        return;
    }
    auto fd =
        base::open_beneath(top, file.path, O_WRONLY | O_CREAT | O_EXCL, file.mode == "100755" ? 0755 : 0644);
    if (!fd || !base::write_all(fd->get(), content)) throw fatal("cannot write '{}'", file.path);
}

} // namespace

void merge(std::vector<InputFile>& into, std::vector<InputFile> files) {
    into.insert(into.end(), std::make_move_iterator(files.begin()), std::make_move_iterator(files.end()));
    std::sort(into.begin(), into.end());
    into.erase(std::unique(into.begin(), into.end()), into.end());
    // The same file once with its content and once without: with it.
    for (std::size_t i = 1; i < into.size();) {
        if (into[i].path == into[i - 1].path && into[i].mode != "040000" && into[i - 1].id.empty())
            into.erase(into.begin() + static_cast<std::ptrdiff_t>(i) - 1);
        else
            ++i;
    }
}

const RepoAt& Sources::at(const std::string& repo) const {
    for (const RepoAt& one : repos_)
        if (one.name == repo) return one;
    throw fatal("the project has no repo '{}'", repo);
}

std::vector<InputFile> Sources::list(const std::string& repo, const std::vector<std::string>& paths) const {
    std::vector<InputFile> files;
    if (paths.empty()) return files;
    const RepoAt& from = at(repo);
    std::vector<std::string> args = {"ls-tree", "-r", "-z", "--full-tree", from.commit, "--"};
    const bool whole = std::find(paths.begin(), paths.end(), "") != paths.end();
    if (!whole) args.insert(args.end(), paths.begin(), paths.end());
    const std::string output = base::HostGit(from.repo, variables_).run(args);
    for (const std::string& entry : base::split(output, '\0')) {
        // <mode> SP <type> SP <id> TAB <path>
        const std::size_t tab = entry.find('\t');
        if (tab == std::string::npos) continue;
        const auto words = base::split(std::string_view(entry).substr(0, tab), ' ');
        if (words.size() != 3 || words[1] != "blob") continue;
        files.push_back({entry.substr(tab + 1), words[0], words[2]});
        check_path(repo, files.back().path);
    }
    std::sort(files.begin(), files.end());
    files.erase(std::unique(files.begin(), files.end()), files.end());
    return files;
}

std::vector<std::optional<std::string>> Sources::read(const std::string& repo,
                                                      const std::vector<std::string>& paths) const {
    std::vector<std::optional<std::string>> contents;
    if (paths.empty()) return contents;
    const RepoAt& from = at(repo);
    std::string questions;
    for (const std::string& path : paths) {
        if (path.find('\n') != std::string::npos) throw fatal("'{}' is no path of a file", path);
        questions += fmt::format("{}:{}\n", from.commit, path);
    }
    Batch batch(base::HostGit(from.repo, variables_).run({"cat-file", "--batch"}, std::move(questions)));
    for (std::size_t i = 0; i < paths.size(); ++i) {
        const auto blob = batch.next_blob();
        contents.push_back(blob ? std::optional<std::string>(*blob) : std::nullopt);
    }
    return contents;
}

void Sources::write(const std::string& repo, const std::vector<InputFile>& files,
                    const std::filesystem::path& directory) const {
    const RepoAt& from = at(repo);
    const base::HostGit git(from.repo, variables_);
    const base::Fd top = base::open_file(directory, O_RDONLY | O_DIRECTORY);
    std::vector<const InputFile*> blobs;
    for (const InputFile& file : files) {
        check_path(repo, file.path);
        if (file.mode == "040000") {
            make_parents(top.get(), file.path + "/");
        } else if (file.id.empty()) {
            write_one(top.get(), file, {});
        } else {
            blobs.push_back(&file);
        }
    }
    // Links last: so that nothing is written through one.
    std::stable_partition(blobs.begin(), blobs.end(),
                          [](const InputFile* file) { return file->mode != "120000"; });
    std::string questions;
    for (const InputFile* file : blobs) questions += file->id + "\n";
    const auto sizes =
        base::lines(blobs.empty() ? "" : git.run({"cat-file", "--batch-check=%(objectsize)"}, questions));
    if (sizes.size() != blobs.size()) throw fatal("repo '{}' lacks files of its base commit", repo);
    for (std::size_t first = 0; first < blobs.size();) {
        std::size_t bytes = 0;
        std::size_t last = first;
        std::string ids;
        for (; last < blobs.size() && (last == first || bytes < batch_bytes); ++last) {
            std::size_t size = 0;
            std::from_chars(sizes[last].data(), sizes[last].data() + sizes[last].size(), size);
            bytes += size + header_bytes;
            ids += blobs[last]->id + "\n";
        }
        base::Command command = git.command({"cat-file", "--batch"});
        command.input = std::move(ids);
        command.output_limit = bytes;
        Batch batch(base::run_ok(command));
        for (; first < last; ++first) {
            const auto content = batch.next_blob();
            if (!content) throw fatal("repo '{}' lacks '{}' of its base commit", repo, blobs[first]->path);
            write_one(top.get(), *blobs[first], *content);
        }
    }
}

} // namespace scad::environment
