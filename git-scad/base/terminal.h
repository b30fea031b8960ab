#pragma once

#include <cstddef>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>

namespace scad::base {

class Settings;
class Variables;

enum class Style { plain, bold, dim, red, green, yellow, blue, cyan };

// The one owner of the user's streams. Porcelain and results go to stdout, all else to stderr. Text is
// expected to be safe already (visible() in base/text.h for anything foreign); style() is what adds colour.
class Terminal {
  public:
    Terminal(const Variables& variables, const Settings& settings);
    ~Terminal();
    Terminal(const Terminal&) = delete;
    Terminal& operator=(const Terminal&) = delete;

    void set_quiet(bool quiet);
    void set_verbose(bool verbose);
    bool quiet() const;
    bool verbose() const;

    // stdout. EPIPE ends the process silently as git does (SIGPIPE restored and raised).
    void write(std::string_view text); // as it is
    void line(std::string_view text);  // with a newline
    // stderr
    void note(std::string_view text);      // a line of progress in words; not with -q
    void detail(std::string_view text);    // only with -v
    void warning(std::string_view text);   // "warning: …"
    void hint(std::string_view text);      // "hint: …"; not with -q
    void error(std::string_view rendered); // an already rendered error (render_error)
    // One line on stderr that is redrawn; only on a terminal and not with -q. Empty: removes it.
    void progress(std::string_view text);

    // `text` in this style when stdout (err: stderr) has colour: color.ui, color.scad, NO_COLOR, TERM=dumb
    // decide as in git.
    std::string style(Style style, std::string_view text, bool err = false) const;
    bool out_is_terminal() const;
    bool err_is_terminal() const;
    std::size_t width() const; // columns of stdout's terminal ($COLUMNS first), 80 otherwise

    // From here on stdout goes through the user's pager (GIT_PAGER, core.pager, PAGER, less with LESS=FRX)
    // when stdout is a terminal; ended by the destructor.
    void start_pager();
    void flush();

  private:
    struct Implementation;
    std::unique_ptr<Implementation> implementation_;
};

} // namespace scad::base
