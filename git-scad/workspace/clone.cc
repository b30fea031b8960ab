#include "workspace/clone.h"

#include "base/error.h"
#include "base/fd.h"
#include "base/file.h"
#include "workspace/copy_file.h"
#include "workspace/origin_text.h"

#include <algorithm>
#include <fcntl.h>

namespace scad::workspace {

namespace {

constexpr std::string_view offered_namespace = "scad-origin";
// Run by git's shell, with the path of the repo behind it (git-config(1), remote.<name>.uploadpack).
constexpr std::string_view offering =
    "echo \"scad: origin is as the host's repo was when the session started or was last updated; "
    "'git scad session update ${SCAD_SESSION:-<session>}' on the host brings what is new\" >&2; "
    "GIT_NAMESPACE=scad-origin git-upload-pack";

void write_new(const std::filesystem::path& path, std::string_view content) {
    const base::Fd file = base::open_file(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0644);
    with_context([&] { base::write_all(file.get(), content); }, "cannot write '{}'", path.native());
}

} // namespace

std::string inner_objects(const std::string& name, std::size_t n) {
    return fmt::format("/run/scad/objects/{}/{}", name, n);
}

std::string offered_ref(const std::string& branch) {
    return fmt::format("refs/namespaces/{}/refs/heads/{}", offered_namespace, branch);
}

// Nothing outside can be fetched from, and nothing needs to: all objects of the host are at hand. So fetching
// `origin` asks this very repo, for those refs that stand for the host's (gitnamespaces(7)). Its url stays
// what it is in the host repo, and is what a push goes to.
static std::string remote_config(const Origin& origin) {
    std::string text = "[remote \"origin\"]\n";
    if (origin.partial) { // what is missing cannot be found here, and would be asked for again and again
        if (!origin.origin_url.empty()) text += fmt::format("\turl = {}\n", config_value(origin.origin_url));
        return text + "\tfetch = +refs/heads/*:refs/remotes/origin/*\n\tpromisor = true\n";
    }
    const std::string own = fmt::format("/work/{}/.git", origin.name);
    const std::string& url = origin.origin_url.empty() ? own : origin.origin_url;
    text += fmt::format("\turl = {}\n\tfetch = +refs/heads/*:refs/remotes/origin/*\n\tuploadpack = {}\n",
                        config_value(url), config_value(offering));
    if (url != own)
        text += fmt::format("[url {0}]\n\tinsteadOf = {1}\n[url {1}]\n\tpushInsteadOf = {1}\n",
                            config_value(own), config_value(url));
    return text;
}

std::string git_config(const Origin& origin) {
    const bool sha256 = origin.host.object_format == "sha256";
    std::string text = fmt::format(
        "[core]\n\trepositoryformatversion = {}\n\tfilemode = true\n\tbare = false\n\tlogallrefupdates = "
        "true\n",
        sha256 || origin.partial ? 1 : 0);
    for (const auto& [name, value] : origin.settings) {
        const std::size_t dot = name.find('.');
        if (name.substr(0, dot) == "core")
            text += fmt::format("\t{} = {}\n", name.substr(dot + 1), config_value(value));
    }
    if (sha256 || origin.partial) {
        text += "[extensions]\n";
        if (sha256) text += "\tobjectFormat = sha256\n";
        if (origin.partial) text += "\tpartialClone = origin\n";
    }
    text += fmt::format("[user]\n\tname = {}\n\temail = {}\n", config_value(origin.user_name),
                        config_value(origin.user_email));
    text += remote_config(origin);
    return text;
}

std::string packed_refs(const Origin& origin, const std::string& branch) {
    std::vector<base::RefTip> refs = origin.tags;
    refs.push_back(
        {"refs/heads/" + branch, origin.start_commit.empty() ? origin.base_commit : origin.start_commit});
    if (!origin.base_branch.empty()) {
        refs.push_back({"refs/remotes/origin/" + origin.base_branch, origin.base_commit});
        refs.push_back({offered_ref(origin.base_branch), origin.base_commit});
    }
    std::sort(refs.begin(), refs.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
    std::string text = "# pack-refs with: sorted \n";
    for (const base::RefTip& ref : refs) text += fmt::format("{} {}\n", ref.id, ref.name);
    return text;
}

std::string tag_list(const Origin& origin) {
    std::vector<std::string> lines;
    for (const base::RefTip& tag : origin.tags) lines.push_back(tag.name + ' ' + tag.id + '\n');
    std::sort(lines.begin(), lines.end());
    std::string text;
    for (const std::string& line : lines) text += line;
    return text;
}

void write_git_directory(const std::filesystem::path& git_dir, const Origin& origin,
                         const std::string& branch, const std::filesystem::path& index) {
    if (!is_branch_name(branch)) throw fatal("'{}' is not a valid branch name", branch);
    for (const char* below :
         {"hooks", "info", "scad", "objects/info", "objects/pack", "refs/heads", "refs/tags"}) {
        base::make_directories(git_dir / below, 0755);
    }
    write_new(git_dir / "HEAD", fmt::format("ref: refs/heads/{}\n", branch));
    write_new(git_dir / "config", git_config(origin));
    write_new(git_dir / "packed-refs", packed_refs(origin, branch));
    write_new(git_dir / "scad" / "tags", tag_list(origin));
    if (!origin.base_branch.empty()) {
        base::make_directories(git_dir / "refs/remotes/origin", 0755);
        write_new(git_dir / "refs/remotes/origin/HEAD",
                  fmt::format("ref: refs/remotes/origin/{}\n", origin.base_branch));
    }
    std::string alternates;
    for (std::size_t n = 0; n < origin.objects.size(); ++n)
        alternates += inner_objects(origin.name, n) + '\n';
    write_new(git_dir / "objects/info/alternates", alternates);
    if (const auto shallow = base::read_if_exists(origin.host.common_dir / "shallow")) {
        write_new(git_dir / "shallow", *shallow);
    }
    // What the user never wants to see, and did not want to tell everybody by a .gitignore.
    if (const auto exclude = base::read_if_exists(origin.host.common_dir / "info" / "exclude")) {
        write_new(git_dir / "info/exclude", *exclude);
    }
    if (!index.empty()) copy_regular(index, git_dir / "index");
}

} // namespace scad::workspace
