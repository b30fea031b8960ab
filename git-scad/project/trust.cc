#include "project/trust.h"

#include "base/json.h"
#include "base/text.h"
#include "project/limit_requests.h"
#include "project/requests.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <tuple>
#include <unistd.h>

namespace scad::project {

namespace fs = std::filesystem;

namespace {

constexpr int trust_version = 1;

fs::path real_path(const fs::path& path) {
    std::error_code error;
    auto real = fs::weakly_canonical(path, error);
    return error ? path.lexically_normal() : real;
}

fs::path approval_file(const base::Paths& paths, const std::string& docs_repo, const std::string& name) {
    return paths.trust() / (base::sha256_hex(docs_repo + '\0' + name).substr(0, 40) + ".json");
}

} // namespace

TrustCheck::TrustCheck(const Project& project, const base::Context& context)
    : docs_repo_(real_path(project.docs_repo).native()), name_(project.name), limits_(project.limits) {
    file_ = approval_file(context.paths, docs_repo_, name_);
    const auto document = base::read_document_if_exists(file_, trust_version);
    asked_before_ = document.has_value();
    std::set<std::string> approved;
    if (document) {
        auto lines = base::get_strings(*document, "requests");
        approved.insert(std::make_move_iterator(lines.begin()), std::make_move_iterator(lines.end()));
    }
    const auto is_approved = [&](const std::string& line) { return approved.contains(line); };

    for (auto& wanted : wanted_requests(project, context)) {
        const bool covered = is_approved(wanted.line) ||
                             std::any_of(wanted.covered_by.begin(), wanted.covered_by.end(), is_approved);
        requests_.push_back({wanted.line, covered});
        wanted_.push_back(std::move(wanted.line));
    }
    // Limits are shown with the first approval, and asked about when they are wider than that.
    const auto limits = limit_lines(limits_);
    wanted_.insert(wanted_.end(), limits.begin(), limits.end());
    std::vector<std::string> widened = limits;
    if (document) {
        const auto found = document->find("limits");
        widened = found != document->end() && found->is_object()
                      ? widened_limits(limits_, limits_from_json(*found))
                      : std::vector<std::string>{};
    }
    for (const auto& line : limits) {
        if (std::find(widened.begin(), widened.end(), line) == widened.end())
            requests_.push_back({line, true});
    }
    for (auto& line : widened) requests_.push_back({std::move(line), false});
    std::sort(requests_.begin(), requests_.end());
    std::sort(wanted_.begin(), wanted_.end());
}

std::vector<std::string> TrustCheck::unapproved() const {
    std::vector<std::string> lines;
    for (const auto& request : requests_) {
        if (!request.approved) lines.push_back(request.line);
    }
    return lines;
}

void TrustCheck::approve() const {
    const nlohmann::json document = {{"version", trust_version},
                                     {"docs_repo", docs_repo_},
                                     {"project", name_},
                                     {"time", base::unix_now()},
                                     {"hash", base::sha256_hex(base::join(wanted_, "\n"))},
                                     {"requests", wanted_},
                                     {"limits", limits_to_json(limits_)}};
    base::make_directories(file_.parent_path());
    base::write_document(file_, document);
}

Error not_trusted(const std::string& name, const std::vector<std::string>& unapproved) {
    std::string list;
    for (const auto& line : unapproved) list += "\n    " + line;
    return no("the project '{}' asks for what was not approved yet:{}", name, list)
        .with_hint("git scad config trust {}", name);
}

void require_trust(const Project& project, const base::Context& context) {
    const auto lines = TrustCheck(project, context).unapproved();
    if (!lines.empty()) throw not_trusted(project.name, lines);
}

std::vector<Approval> approvals(const base::Paths& paths) {
    std::vector<Approval> found;
    std::error_code error;
    for (fs::directory_iterator entry(paths.trust(), error), end; !error && entry != end;
         entry.increment(error)) {
        if (entry->path().extension() != ".json") continue;
        try {
            const auto document = base::read_document(entry->path(), trust_version);
            Approval approval;
            approval.file = entry->path();
            approval.docs_repo = base::get_string(document, "docs_repo");
            approval.project = base::get_string(document, "project");
            approval.time = base::find_int(document, "time");
            approval.requests = base::get_strings(document, "requests");
            found.push_back(std::move(approval));
        } catch (const Error&) { // replaced meanwhile, or of a newer scad
        }
    }
    std::sort(found.begin(), found.end(), [](const Approval& left, const Approval& right) {
        return std::tie(left.project, left.docs_repo) < std::tie(right.project, right.docs_repo);
    });
    return found;
}

void revoke(const Approval& approval) {
    if (::unlink(approval.file.c_str()) != 0 && errno != ENOENT)
        throw system_error(errno, "cannot remove '{}'", approval.file.native());
    base::sync_directory(approval.file.parent_path());
}

} // namespace scad::project
