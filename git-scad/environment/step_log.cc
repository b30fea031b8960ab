#include "environment/step_log.h"

#include "base/file.h"
#include "base/text.h"

#include <algorithm>
#include <fcntl.h>
#include <fmt/format.h>

namespace scad::environment {

namespace {

constexpr std::size_t shown_lines = 20;
constexpr std::size_t longest_line = 4096;
constexpr std::size_t shown_columns = 200;

} // namespace

void StepLog::begin_step(const std::filesystem::path& file, std::size_t number, const std::string& title) {
    if (!build_) {
        base::make_directories(path_.parent_path());
        build_ = base::open_file(path_, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW);
    }
    step_ = base::open_file(file, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW);
    written_ = 0;
    line_.clear();
    lines_.clear();
    put(fmt::format("# step {}: {}\n", number, base::one_line(title)));
}

void StepLog::put(std::string_view text) {
    if (written_ >= most) return;
    if (text.size() > most - written_) text = "\n[the rest is not kept]\n";
    written_ += text.size() < most - written_ ? text.size() : most;
    base::write_all(build_.get(), text);
    base::write_all(step_.get(), text);
}

void StepLog::write(std::string_view text) {
    put(text);
    for (const char c : text) {
        if (c != '\n' && c != '\r') {
            if (line_.size() < longest_line) line_ += c;
            continue;
        }
        if (!base::trim(line_).empty()) lines_.push_back(std::move(line_));
        line_.clear();
        if (lines_.size() > shown_lines) lines_.pop_front();
    }
}

void StepLog::end_step() { step_.reset(); }

std::string StepLog::last_line() const {
    if (!base::trim(line_).empty()) return base::one_line(line_, shown_columns);
    return lines_.empty() ? std::string() : base::one_line(lines_.back(), shown_columns);
}

std::vector<std::string> StepLog::last_lines() const {
    std::vector<std::string> result;
    for (const std::string& line : lines_) result.push_back(base::one_line(line, shown_columns));
    if (!base::trim(line_).empty()) result.push_back(base::one_line(line_, shown_columns));
    if (result.size() > shown_lines) result.erase(result.begin());
    return result;
}

} // namespace scad::environment
