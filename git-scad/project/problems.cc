#include "project/problems.h"

#include <algorithm>
#include <tuple>

namespace scad::project {

void Problems::add(const base::Place& place, std::string message, std::string hint) {
    Problem problem{place, std::move(message), std::move(hint)};
    if (std::find(problems_.begin(), problems_.end(), problem) != problems_.end()) return;
    problems_.push_back(std::move(problem));
}

std::string Problems::render() const {
    auto sorted = problems_;
    std::stable_sort(sorted.begin(), sorted.end(), [](const Problem& left, const Problem& right) {
        return std::tie(left.place.file, left.place.line, left.place.column) <
               std::tie(right.place.file, right.place.line, right.place.column);
    });
    std::string text;
    for (const auto& problem : sorted) {
        auto source = sources_.find(problem.place.file);
        if (!text.empty()) text += '\n';
        text +=
            base::message_at(problem.place, source == sources_.end() ? "" : source->second, problem.message);
        if (!problem.hint.empty()) text += "\n    " + problem.hint;
    }
    return text;
}

void Problems::require_none(const std::string& title) const {
    if (!empty()) throw fatal("{}\n{}", title, render());
}

} // namespace scad::project
