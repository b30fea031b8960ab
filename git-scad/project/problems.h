#pragma once

#include "base/error.h"
#include "base/toml.h"

#include <map>
#include <string>
#include <vector>

namespace scad::project {

// One thing wrong in a project file.
struct Problem {
    base::Place place;
    std::string message;
    std::string hint; // empty: none
    bool operator==(const Problem&) const = default;
};

// What is wrong in the files of one project: collected, so that a person sees all of it at once.
class Problems {
  public:
    // The text of a file whose places are named, for the caret lines.
    void add_source(const std::string& file, std::string text) { sources_[file] = std::move(text); }
    void add(const base::Place& place, std::string message, std::string hint = {});

    bool empty() const { return problems_.empty(); }
    const std::vector<Problem>& all() const { return problems_; }

    // "file:line:col: message", the line, a caret, "hint: …" for each, in the order of the files. Ends in no
    // newline.
    std::string render() const;

    // Fatal unless empty: `title`, then render().
    void require_none(const std::string& title) const;

  private:
    std::map<std::string, std::string> sources_;
    std::vector<Problem> problems_;
};

} // namespace scad::project
