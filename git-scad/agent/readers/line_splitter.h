#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace scad::agent {

// Cuts a byte stream into lines, whatever pieces it comes in. Of a line over the limit the beginning is kept
// and the rest is dropped, so that memory stays bounded.
class LineSplitter {
  public:
    static constexpr std::size_t limit = std::size_t{8} << 20;

    // Calls use(line, cut) for each line that `bytes` completes; the line is without its newline.
    template <class Use> void feed(std::string_view bytes, Use use) {
        while (!bytes.empty()) {
            auto end = bytes.find('\n');
            keep(bytes.substr(0, end));
            if (end == std::string_view::npos) return;
            bytes.remove_prefix(end + 1);
            hand_out(use);
        }
    }

    // The last line, if it had no newline.
    template <class Use> void finish(Use use) {
        if (!line_.empty()) hand_out(use);
    }

  private:
    void keep(std::string_view part) {
        auto room = limit - line_.size();
        if (part.size() > room) cut_ = true;
        line_.append(part.substr(0, room));
    }
    template <class Use> void hand_out(Use use) {
        use(std::string_view(line_), cut_);
        line_.clear();
        if (line_.capacity() > limit / 8) line_.shrink_to_fit();
        cut_ = false;
    }

    std::string line_;
    bool cut_ = false;
};

} // namespace scad::agent
