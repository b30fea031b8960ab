#include "session/ref_filter.h"

#include "base/text.h"

#include <algorithm>
#include <fmt/format.h>

namespace scad::session {
namespace {

constexpr std::size_t longest_name = 200;
constexpr std::size_t told_by_name = 20;

bool digits(std::string_view text) {
    return !text.empty() && text.size() <= 9 &&
           std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

bool plain(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           static_cast<unsigned char>(c) >= 0x80;
}

bool branch_allowed(std::string_view branch) {
    if (branch.empty() || branch.size() >= longest_name || branch == "HEAD") return false;
    if (base::visible(branch) != branch)
        return false; // control characters, C1, bidirectional marks, broken UTF-8
    for (const auto& part : base::split(branch, '/')) {
        // "//", "/.", "-option"; "@" alone is HEAD, but "@types" is a name
        if (part.empty() || part == "@" ||
            !(plain(part.front()) || part.front() == '@' || part.front() == '#'))
            return false;
        if (part.ends_with(".lock") || part.ends_with(".") || part.find("..") != std::string::npos)
            return false;
        if (!std::all_of(part.begin(), part.end(), [](char c) {
                return plain(c) || std::string_view(".+-@#=,%").find(c) != std::string_view::npos;
            }))
            return false;
    }
    return branch.back() != '/';
}

// "refs/heads/a" for "refs/heads/a/b" where both are there: no repo can hold the two.
std::string ref_in_the_way(const std::map<std::string, std::string>& refs, const std::string& name) {
    for (auto slash = name.rfind('/'); slash != std::string::npos && slash > 0;
         slash = name.rfind('/', slash - 1))
        if (auto shorter = name.substr(0, slash); refs.count(shorter) != 0) return shorter;
    return {};
}

bool hex(std::string_view text) {
    return std::all_of(text.begin(), text.end(),
                       [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

} // namespace

bool ref_allowed(std::string_view name) {
    constexpr std::string_view heads = "refs/heads/";
    constexpr std::string_view wips = "refs/scad/wips/";
    if (name == "refs/scad/wip") return true;
    if (name.starts_with(wips)) return digits(name.substr(wips.size()));
    return name.starts_with(heads) && branch_allowed(name.substr(heads.size()));
}

ForeignRefs filter_refs(std::string_view listing, std::size_t id_length, std::size_t most) {
    ForeignRefs refs;
    std::size_t odd = 0;
    std::size_t too_many = 0;
    for (const auto& line : base::lines(listing)) {
        const auto tab = line.find('\t');
        const auto id = std::string_view(line).substr(0, tab);
        if (tab == std::string::npos || id.size() != id_length || !hex(id)) {
            ++odd;
            continue;
        }
        auto name = line.substr(tab + 1);
        if (!ref_allowed(name)) {
            if (refs.refused.size() < told_by_name)
                refs.refused.push_back(fmt::format("'{}' does not come: not a name that scad lets through",
                                                   base::one_line(name, 100)));
            else
                ++odd;
        } else if (refs.ids.size() >= most)
            ++too_many;
        else
            refs.ids.emplace(std::move(name), std::string(id));
    }
    for (auto ref = refs.ids.begin(); ref != refs.ids.end();) {
        if (const auto other = ref_in_the_way(refs.ids, ref->first); !other.empty()) {
            if (refs.refused.size() >= told_by_name)
                ++odd;
            else
                refs.refused.push_back(fmt::format("'{}' does not come: there is '{}' as well",
                                                   base::one_line(ref->first, 100),
                                                   base::one_line(other, 100)));
            ref = refs.ids.erase(ref);
        } else
            ++ref;
    }
    if (odd != 0)
        refs.refused.push_back(
            fmt::format("{} more refs do not come: not names that scad lets through", odd));
    if (too_many != 0)
        refs.refused.push_back(fmt::format("{} refs do not come: a session may have {}", too_many, most));
    return refs;
}

} // namespace scad::session
