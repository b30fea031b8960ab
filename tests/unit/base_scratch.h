#pragma once

#include "base/file.h"
#include "base/text.h"

#include <cstdlib>
#include <filesystem>
#include <string>

// A directory of one test's own, removed when the test ends.
class Scratch {
  public:
    Scratch() : path_(std::filesystem::temp_directory_path() / ("scad-unit-" + scad::base::random_hex(8))) {
        std::filesystem::create_directory(path_);
    }
    ~Scratch() {
        try {
            scad::base::remove_tree(path_);
        } catch (const std::exception&) { // the test has failed already, or will be seen to leave something
        }
    }
    Scratch(const Scratch&) = delete;
    Scratch& operator=(const Scratch&) = delete;

    const std::filesystem::path& path() const { return path_; }
    std::filesystem::path operator/(const std::string& name) const { return path_ / name; }
    // Makes a file with its parents.
    std::filesystem::path file(const std::string& name, std::string_view content = "x") const {
        std::filesystem::create_directories((path_ / name).parent_path());
        scad::base::replace_file(path_ / name, content, 0644, scad::base::Durability::plain);
        return path_ / name;
    }

  private:
    std::filesystem::path path_;
};
