// Would catch: an error that loses its context or hint on the way to main, foreign bytes in it that reach the
// terminal, a wrong exit status.
#include "base/error.h"

#include <catch2/catch.hpp>
#include <cerrno>

using namespace scad::base;

TEST_CASE("errors are rendered once and whole", "[base][error]") {
    Error error = fatal("no session named '{}'", "al\033pha")
                      .with_hint("did you mean '{}'?\ntry `git scad session list`", "beta");
    error.context.emplace_back("cannot resume session 'alpha'");
    CHECK(render_error(error) ==
          "fatal: no session named 'al^[pha'\n"
          "  cannot resume session 'alpha'\n"
          "hint: did you mean 'beta'?\n"
          "hint: try `git scad session list`\n");
    CHECK(render_error(no("the job failed")) == "error: the job failed\n");
    CHECK(render_error(usage("which session?\n")) == "fatal: which session?\n");
    CHECK(render_error(fatal("a.toml:1:2: bad\nx = \ty\n  ^")) == "fatal: a.toml:1:2: bad\nx = \ty\n  ^\n");
}

TEST_CASE("kinds and exit statuses", "[base][error]") {
    CHECK(exit_status(no("x").kind) == 1);
    CHECK(exit_status(fatal("x").kind) == 128);
    CHECK(exit_status(usage("x").kind) == 129);
}

TEST_CASE("system errors say why", "[base][error]") {
    CHECK(system_error(ENOENT, "cannot open '{}'", "/x").message ==
          "cannot open '/x': No such file or directory");
    CHECK(errno_text(99999) == "unknown error 99999");
}

TEST_CASE("context is added on the way out", "[base][error]") {
    const auto fail = [] { throw fatal("inner"); };
    try {
        with_context([&] { with_context(fail, "first {}", 1); }, "second");
        FAIL("nothing was thrown");
    } catch (const Error& error) {
        CHECK(error.message == "inner");
        CHECK(error.context == std::vector<std::string>{"first 1", "second"});
    }
    CHECK(with_context([] { return 3; }, "unused") == 3);
}
