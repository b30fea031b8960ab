#include "base/error.h"

#include "base/text.h"

#include <cstring>
#include <string_view>

namespace scad::base {

std::string errno_text(int error) {
    const char* text = ::strerrordesc_np(error); // a constant: no locale, no shared buffer
    return text != nullptr ? text : fmt::format("unknown error {}", error);
}

int exit_status(Error::Kind kind) {
    switch (kind) {
        case Error::Kind::no:
            return 1;
        case Error::Kind::fatal:
            return 128;
        case Error::Kind::usage:
            return 129;
    }
    return 128;
}

std::string render_error(const Error& error) {
    std::string text = error.kind == Error::Kind::no ? "error: " : "fatal: ";
    text += visible(trim(error.message), true);
    text += '\n';
    for (const std::string& line : error.context) text += "  " + visible(trim(line), true) + '\n';
    for (const std::string& line : lines(error.hint)) text += "hint: " + visible(line, true) + '\n';
    return text;
}

} // namespace scad::base
