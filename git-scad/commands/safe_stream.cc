#include "commands/safe_stream.h"

#include "base/text.h"

#include <algorithm>
#include <utility>

namespace scad::commands {
namespace {

// How many bytes at the end of `text` are the beginning of a character (or of "\r\n") that is not whole yet.
std::size_t unfinished(std::string_view text) {
    if (text.ends_with('\r')) return 1;
    for (std::size_t back = 1; back <= std::min<std::size_t>(3, text.size()); ++back) {
        const auto byte = static_cast<unsigned char>(text[text.size() - back]);
        if ((byte & 0xC0U) == 0x80U) continue; // a continuation byte
        const std::size_t length = byte >= 0xF0U ? 4 : byte >= 0xE0U ? 3 : byte >= 0xC0U ? 2 : 1;
        return length > back ? back : 0;
    }
    return 0;
}

std::string make_safe(std::string text) {
    for (auto at = text.find("\r\n"); at != std::string::npos; at = text.find("\r\n", at)) text.erase(at, 1);
    return base::visible(text, true);
}

} // namespace

std::string SafeStream::pass(std::string_view piece) {
    auto text = std::exchange(pending_, {}) + std::string(piece);
    const auto keep = unfinished(text);
    pending_ = text.substr(text.size() - keep);
    text.resize(text.size() - keep);
    return make_safe(std::move(text));
}

std::string SafeStream::rest() { return make_safe(std::exchange(pending_, {})); }

} // namespace scad::commands
