#pragma once

#include <exception>
#include <fmt/format.h>
#include <string>
#include <utility>
#include <vector>

namespace scad::base {

// The only exception type that crosses from one folder of scad to another. A value: what went wrong, while
// doing what, and what to do now. It is rendered once, in main (render_error); libraries neither print nor
// exit.
struct Error : std::exception {
    enum class Kind {
        no,    // the answer is no, or a job did not end well: exit status 1
        fatal, // the command could not be done: exit status 128, as git's die()
        usage, // the command line is wrong: exit status 129, as git's usage()
    };

    Error(Kind the_kind, std::string the_message) : kind(the_kind), message(std::move(the_message)) {}

    const char* what() const noexcept override { return message.c_str(); }

    // Adds the hint: a command to paste, or one sentence that starts with what to do.
    template <class... A> Error&& with_hint(fmt::format_string<A...> format, A&&... args) && {
        hint = fmt::format(format, std::forward<A>(args)...);
        return std::move(*this);
    }

    Kind kind;
    std::string message; // lower case, no full stop, its subject in single quotes; may have several lines
    std::vector<std::string> context; // outermost last: "cannot resume session 'alpha'"
    std::string hint;                 // empty: none
};

template <class... A> Error fatal(fmt::format_string<A...> format, A&&... args) {
    return {Error::Kind::fatal, fmt::format(format, std::forward<A>(args)...)};
}

template <class... A> Error no(fmt::format_string<A...> format, A&&... args) {
    return {Error::Kind::no, fmt::format(format, std::forward<A>(args)...)};
}

template <class... A> Error usage(fmt::format_string<A...> format, A&&... args) {
    return {Error::Kind::usage, fmt::format(format, std::forward<A>(args)...)};
}

// A fatal error for a system call that failed: the message, ": " and the text of `error` (an errno value).
// Name the path in the message.
template <class... A> Error system_error(int error, fmt::format_string<A...> format, A&&... args);

// The text of an errno value ("No such file or directory"). Thread-safe.
std::string errno_text(int error);

// The exit status that belongs to a kind: 1, 128, 129.
int exit_status(Error::Kind kind);

// The error as a person reads it: "fatal: message" ("error: message" for Kind::no), one line for each
// context, "hint: …". Control characters are made visible. Ends in a newline.
std::string render_error(const Error& error);

// Runs f; an Error that leaves it gets the formatted line added to its context.
template <class F, class... A>
auto with_context(F&& f, fmt::format_string<A...> format, A&&... args) -> decltype(f()) {
    try {
        return f();
    } catch (Error& error) {
        error.context.push_back(fmt::format(format, std::forward<A>(args)...));
        throw;
    }
}

template <class... A> Error system_error(int error, fmt::format_string<A...> format, A&&... args) {
    return {Error::Kind::fatal, fmt::format(format, std::forward<A>(args)...) + ": " + errno_text(error)};
}

} // namespace scad::base

namespace scad { // every folder throws these: they are found without a qualifier
using base::Error;
using base::fatal;
using base::no;
using base::system_error;
using base::usage;
using base::with_context;
} // namespace scad
