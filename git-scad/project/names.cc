#include "base/text.h"
#include "project/load.h"

#include <algorithm>
#include <cstddef>

namespace scad::project {

std::string name_problem(const std::string& name) {
    constexpr std::size_t longest = 40;
    auto letter_or_digit = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
    if (name.empty()) return "it is empty";
    if (name.size() > longest) return fmt::format("it has more than {} characters", longest);
    if (!letter_or_digit(name.front())) return "it must start with a small letter or a digit";
    auto fits = [&](char c) { return letter_or_digit(c) || c == '.' || c == '_' || c == '-'; };
    if (!std::all_of(name.begin(), name.end(), fits)) {
        return "only small letters, digits, '.', '_' and '-' may be in it";
    }
    if (name.find("..") != std::string::npos) return "'..' must not be in it";
    if (name.ends_with(".lock")) return "it must not end in '.lock'";
    if (name.back() == '.') return "it must not end in '.'";
    // "remotes": scad/remotes is a file in the git directory, and would be taken for a ref
    if (name == "head" || name == "wip" || name == "remotes") return "scad uses this name itself";
    return {};
}

} // namespace scad::project
