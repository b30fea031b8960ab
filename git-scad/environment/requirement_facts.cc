#include "environment/requirement_facts.h"

#include "base/error.h"
#include "base/text.h"
#include "project/requirements.h"

#include <algorithm>
#include <set>

namespace scad::environment {

namespace fs = std::filesystem;

namespace {

bool is_address(const std::string& text) { return text.find("://") != std::string::npos; }
// In the repo: what is absolute is of a directory of tools, or pip will say that it is not there.
bool is_place(const std::string& text) { return !is_address(text) && !text.starts_with('/'); }

class Follower {
  public:
    Follower(const Sources& sources,
             const std::function<void(const std::string&, const std::string&)>& refuse)
        : sources_(sources), refuse_(refuse) {}

    RequirementFacts follow(const std::vector<std::string>& files) {
        std::map<std::string, std::vector<std::string>> by_repo;
        for (const std::string& file : files) {
            const RepoPath at = split_repo_path(file);
            by_repo[at.repo].push_back(at.path);
        }
        one_repo_ = by_repo.size() == 1;
        facts_.directory = one_repo_ ? "/work/" + by_repo.begin()->first : "/work";
        for (auto& [repo, paths] : by_repo) follow_in(repo, std::move(paths));
        return std::move(facts_);
    }

  private:
    void follow_in(const std::string& repo, std::vector<std::string> pending) {
        std::set<std::string> known(pending.begin(), pending.end());
        std::map<std::string, std::string> named_by;
        std::vector<std::string> places; // that are inputs with all below
        while (!pending.empty()) {
            const std::vector<std::string> now = std::exchange(pending, {});
            const auto contents = sources_.read(repo, now);
            for (std::size_t i = 0; i < now.size(); ++i) {
                if (!contents[i]) missing(repo, now[i], named_by[now[i]]);
                places.push_back(now[i]);
                const auto file = project::parse_requirements(*contents[i]);
                take(repo, now[i], file, places);
                for (const std::string& next : file.files) {
                    if (is_address(next)) continue;
                    const std::string path = inside(repo, now[i], fs::path(now[i]).parent_path() / next);
                    if (!known.insert(path).second) continue;
                    named_by[path] = now[i];
                    pending.push_back(path);
                }
            }
        }
        merge(facts_.inputs[repo], sources_.list(repo, places));
    }

    void missing(const std::string& repo, const std::string& path, const std::string& by) const {
        refuse_(by.empty()
                    ? fmt::format("the base commit of repo '{}' has no '{}'", repo, path)
                    : fmt::format("'{}/{}' names '{}', which the base commit of the repo does not have", repo,
                                  by, path),
                fmt::format("only what is committed is seen: git -C {} status",
                            base::shell_quote(sources_.at(repo).repo.native())));
    }

    // The path from the repo's top.
    std::string inside(const std::string& repo, const std::string& by, const fs::path& path) const {
        std::string normal = path.lexically_normal().native();
        while (normal.ends_with('/')) normal.pop_back();
        if (normal == ".") normal.clear();
        if (path.is_absolute() || normal == ".." || normal.starts_with("../"))
            refuse_(fmt::format("'{}/{}' names '{}', which is not in the repo", repo, by, path.native()), {});
        return normal;
    }

    // pip takes it from where it stands, the repo's top.
    std::string local(const std::string& repo, const std::string& by, const std::string& path) const {
        if (!one_repo_)
            refuse_(fmt::format(
                        "'{}/{}' names the path '{}', which takes all requirement files to be of one repo",
                        repo, by, path),
                    {});
        return inside(repo, by, path);
    }

    // pip takes it from the file's own directory when it is there, else from where it stands.
    std::string find_links(const std::string& repo, const std::string& by, const std::string& link) const {
        const fs::path beside = fs::path(by).parent_path() / link;
        const std::string normal = beside.lexically_normal().native();
        if (!normal.starts_with("../") && !sources_.list(repo, {inside(repo, by, beside)}).empty())
            return inside(repo, by, beside);
        return local(repo, by, link);
    }

    void take(const std::string& repo, const std::string& by, const project::RequirementFile& file,
              std::vector<std::string>& places) {
        for (const auto* addresses : {&file.files, &file.find_links, &file.indexes, &file.extra_indexes,
                                      &file.editables, &file.addresses})
            std::copy_if(addresses->begin(), addresses->end(), std::back_inserter(facts_.addresses),
                         is_address);
        for (const std::string& link : file.find_links)
            if (is_place(link)) places.push_back(find_links(repo, by, link));
        for (const std::string& path : file.paths)
            if (is_place(path)) places.push_back(local(repo, by, path));
        for (const std::string& path : file.editables) {
            if (!is_place(path)) continue;
            const std::string at = local(repo, by, path);
            merge(facts_.inputs[repo], package_layout(sources_.list(repo, {at}), at));
        }
        for (std::string& word : project::index_options(file, [&](const std::string& link) {
                 return is_place(link) ? "/work/" + repo + "/" + find_links(repo, by, link) : link;
             }))
            facts_.options.push_back(std::move(word));
        facts_.hashes = facts_.hashes || file.hashes;
    }

    const Sources& sources_;
    const std::function<void(const std::string&, const std::string&)>& refuse_;
    bool one_repo_ = true;
    RequirementFacts facts_;
};

} // namespace

RequirementFacts requirement_facts(
    const std::vector<std::string>& files, const Sources& sources,
    const std::function<void(const std::string&, const std::string&)>& refuse) {
    return files.empty() ? RequirementFacts{} : Follower(sources, refuse).follow(files);
}

} // namespace scad::environment
