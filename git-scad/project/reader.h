#pragma once

#include "base/text.h"
#include "project/document.h"
#include "project/problems.h"

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace scad::project {

// Reads the values of one section. Absent, and of a wrong type (which was told already), are the same: the
// default. Notes where each key stands.
class SectionReader {
  public:
    SectionReader(const Node* table, std::string shown, std::map<std::string, base::Place>& places,
                  Problems& problems);

    explicit operator bool() const { return table_ != nullptr; }
    const base::Place& place() const;                     // of the section
    const base::Place& place(std::string_view key) const; // of the key's value; of the section when absent
    std::string name(std::string_view key) const;         // "limits.cpus"
    bool has(std::string_view key) const { return table_ != nullptr && table_->find(key) != nullptr; }
    const Node* find(std::string_view key, Node::Kind kind) const; // null: absent or of another kind

    std::string text(std::string_view key, const std::string& standard = {}) const;
    bool boolean(std::string_view key, bool standard) const;
    std::optional<std::uint64_t> size(std::string_view key) const;
    std::optional<std::chrono::seconds> duration(std::string_view key) const;
    // The strings of a list. `check` tells what is wrong with one (empty: nothing); the problem goes to its
    // place.
    std::vector<std::string> strings(std::string_view key,
                                     const std::function<std::string(const std::string&)>& check = {}) const;

    // "'limits.cpus' cannot be '0': why" at the value's place.
    void refuse(std::string_view key, std::string_view value, const std::string& why,
                std::string hint = {}) const;
    void refuse_at(const base::Place& place, std::string_view key, std::string_view value,
                   const std::string& why, std::string hint = {}) const;

  private:
    const Node* table_;
    std::string shown_;
    Problems& problems_;
};

} // namespace scad::project
