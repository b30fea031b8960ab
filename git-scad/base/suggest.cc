#include "base/suggest.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace scad::base {

namespace {

constexpr std::size_t length_limit = 100; // the distance takes time by the product of both lengths

std::string lower(std::string_view text) {
    std::string result(text);
    for (char& c : result) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    return result;
}

// Optimal string alignment: insertions, deletions, substitutions and swaps of two neighbours.
std::size_t distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> before_last;
    std::vector<std::size_t> last(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        std::vector<std::size_t> row(b.size() + 1);
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
                row[j] = std::min(row[j], before_last[j - 2] + 1);
            }
        }
        before_last = std::exchange(last, std::move(row));
    }
    return last.back();
}

// How far `candidate` is from `word`; empty: too far.
std::optional<std::size_t> nearness(const std::string& word, const std::string& candidate) {
    if (word.empty() || candidate.empty() || candidate.size() > length_limit) return std::nullopt;
    if (word.size() >= 3 && candidate.starts_with(word)) return 1; // the beginning of it
    const std::size_t apart = distance(word, candidate);
    const std::size_t longer = std::max(word.size(), candidate.size());
    const std::size_t allowed = longer <= 2 ? 0 : (longer + 1) / 3; // 1 of 3, 2 of 5, 3 of 8
    if (apart > std::min<std::size_t>(allowed, 4)) return std::nullopt;
    return apart;
}

} // namespace

std::vector<std::string> nearest(std::string_view word, const std::vector<std::string>& candidates,
                                 std::size_t most) {
    if (word.size() > length_limit) return {};
    const std::string wanted = lower(word);
    std::vector<std::pair<std::size_t, std::string>> found;
    for (const std::string& candidate : candidates) {
        if (const auto apart = nearness(wanted, lower(candidate))) found.emplace_back(*apart, candidate);
    }
    std::sort(found.begin(), found.end());
    found.erase(std::unique(found.begin(), found.end()), found.end());
    std::vector<std::string> names;
    for (auto& [apart, name] : found) {
        if (names.size() < most) names.push_back(std::move(name));
    }
    return names;
}

} // namespace scad::base
