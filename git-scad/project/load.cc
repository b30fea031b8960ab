#include "project/load.h"

#include "base/file.h"
#include "project/check.h"
#include "project/files.h"
#include "project/resolve.h"
#include "project/schema.h"

namespace scad::project {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t file_limit = std::size_t{1} << 20;

} // namespace

Files read_files(const fs::path& docs_repo, const std::string& name, Problems& problems) {
    Files files;
    files.file = docs_repo / ".scad" / (name + ".toml");
    auto text = base::read_if_exists(files.file, file_limit);
    if (!text) {
        throw fatal("there is no project file '{}'", files.file.native()).with_hint("git scad config list");
    }
    files.document = parse_document(files.file.native(), *text, problems);
    check_shape(files.document, problems);
    problems.add_source(files.file.native(), std::move(*text));

    auto local = docs_repo / ".scad" / (name + ".local.toml");
    auto local_text = base::read_if_exists(local, file_limit);
    if (!local_text) return files;
    auto over = parse_document(local.native(), *local_text, problems);
    check_shape(over, problems);
    problems.add_source(local.native(), std::move(*local_text));
    lay_over(files.document, std::move(over));
    files.local_file = std::move(local);
    return files;
}

Checked check(const fs::path& docs_repo, const std::string& name, const base::Context& context) {
    auto why = name_problem(name);
    if (!why.empty()) throw fatal("'{}' cannot name a project: {}", name, why);
    std::error_code error;
    auto real = fs::canonical(docs_repo, error);
    if (error) throw system_error(error.value(), "cannot find the docs repo '{}'", docs_repo.native());

    Checked checked;
    auto files = read_files(real, name, checked.problems);
    // After a syntax error the document is empty, and "has no repo" would only lead astray.
    if (files.document.entries.empty() && !checked.problems.empty()) return checked;
    auto project = resolve(files.document, real, name, context, checked.problems);
    project.local_file = files.local_file;
    if (checked.problems.empty()) checked.project = std::move(project);
    return checked;
}

Project load(const fs::path& docs_repo, const std::string& name, const base::Context& context) {
    auto checked = check(docs_repo, name, context);
    checked.problems.require_none(fmt::format("the project '{}' has errors", name));
    return std::move(*checked.project);
}

} // namespace scad::project
