#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace scad::base {

// The candidates nearest to `word` by edit distance (transpositions count one), best first, at most `most`,
// none that is too far to be a slip of the finger.
std::vector<std::string> nearest(std::string_view word, const std::vector<std::string>& candidates,
                                 std::size_t most = 3);

} // namespace scad::base
