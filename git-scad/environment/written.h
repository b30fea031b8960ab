#pragma once

#include "environment/sources.h"

#include <filesystem>
#include <string>
#include <vector>

namespace scad::environment {

// Compares what a step left in the upper layer of a repo's working copy with the files that the repo tracks
// (`tracked`: sorted, as Sources::list gives all of them). Files that are there as they are tracked are
// removed from the layer. Returns the tracked paths that it would cover with something else, sorted, at most
// 20; ".git" counts as one. `made` gets the topmost paths there that the repo
// does not have, at most 1000. Looks only into directories that the repo has too, and follows nothing.
std::vector<std::string> written_over(const std::filesystem::path& upper,
                                      const std::vector<InputFile>& tracked, const std::string& repo,
                                      const Sources& sources, std::vector<std::string>& made);

} // namespace scad::environment
