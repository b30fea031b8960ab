#include "session/terminal_screen.h"

#include "base/error.h"
#include "base/unicode.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <deque>
#include <fmt/format.h>
#include <iterator>
#include <new>
#include <optional>
#include <utility>
#include <vector>
#include <vterm.h>

namespace scad::session {

namespace {

constexpr std::size_t most_scrolled = 5000; // lines between two draws; of a flood the older ones are lost
constexpr std::size_t piece_limit = 512;    // bytes: what they are answered fits libvterm's buffer
constexpr std::uint16_t most_rows = 1000;
constexpr std::uint16_t most_columns = 1000;
constexpr std::uint32_t replacement = 0xFFFD;
constexpr std::uint32_t second_half = 0xFFFFFFFFU; // of a wide character, in libvterm's cells

engine::TerminalSize within_limits(engine::TerminalSize size) {
    return {std::clamp<std::uint16_t>(size.rows, 1, most_rows),
            std::clamp<std::uint16_t>(size.columns, 1, most_columns)};
}

struct Colour {
    enum class Kind : std::uint8_t { standard, indexed, rgb };
    Kind kind = Kind::standard;
    std::uint8_t red = 0, green = 0, blue = 0; // indexed: red
    bool operator==(const Colour&) const = default;
};

struct Style {
    Colour text, background;
    std::uint8_t underline = 0;
    bool bold = false, italic = false, blink = false, reverse = false, strike = false;
    bool operator==(const Style&) const = default;
};

struct Cell {
    std::string text;       // empty: blank
    std::uint8_t width = 1; // 0: covered by the wide character before it
    Style style;
    bool operator==(const Cell&) const = default;
    bool blank() const { return text.empty() && width == 1 && style == Style(); }
};
using Row = std::vector<Cell>;

void append_utf8(std::string& text, std::uint32_t point) {
    const auto byte = [&](std::uint32_t value) { text += static_cast<char>(value); };
    if (point < 0x80) return byte(point);
    if (point < 0x800) {
        byte(0xC0U | point >> 6);
    } else if (point < 0x10000) {
        byte(0xE0U | point >> 12);
        byte(0x80U | (point >> 6 & 0x3FU));
    } else {
        byte(0xF0U | point >> 18);
        byte(0x80U | (point >> 12 & 0x3FU));
        byte(0x80U | (point >> 6 & 0x3FU));
    }
    byte(0x80U | (point & 0x3FU));
}

// A code point that may be written on the user's terminal.
std::uint32_t harmless(std::uint32_t point) {
    const bool character = point < 0x110000 && (point < 0xD800 || point > 0xDFFF);
    return character && !base::is_hidden(point) ? point : replacement;
}

Colour colour_of(const VTermColor& colour, bool standard) {
    if (standard) return {};
    if (VTERM_COLOR_IS_INDEXED(&colour)) return {Colour::Kind::indexed, colour.indexed.idx};
    return {Colour::Kind::rgb, colour.rgb.red, colour.rgb.green, colour.rgb.blue};
}

Cell cell_of(const VTermScreenCell& from) {
    Cell cell;
    if (from.chars[0] == second_half) {
        cell.width = 0;
    } else {
        for (std::size_t i = 0; i < VTERM_MAX_CHARS_PER_CELL && from.chars[i] != 0; ++i)
            append_utf8(cell.text, harmless(from.chars[i]));
        cell.width = from.width == 2 ? 2 : 1;
        if (cell.text == " ") cell.text.clear();
    }
    cell.style.text = colour_of(from.fg, VTERM_COLOR_IS_DEFAULT_FG(&from.fg));
    cell.style.background = colour_of(from.bg, VTERM_COLOR_IS_DEFAULT_BG(&from.bg));
    cell.style.bold = from.attrs.bold != 0;
    cell.style.italic = from.attrs.italic != 0;
    cell.style.blink = from.attrs.blink != 0;
    cell.style.reverse = from.attrs.reverse != 0;
    cell.style.strike = from.attrs.strike != 0;
    cell.style.underline = static_cast<std::uint8_t>(from.attrs.underline);
    return cell;
}

// Of the colour cube of xterm's 256.
unsigned nearest_of_256(const Colour& colour) {
    const auto step = [](unsigned value) { return value < 48 ? 0U : value < 115 ? 1U : (value - 35) / 40; };
    return 16 + 36 * step(colour.red) + 6 * step(colour.green) + step(colour.blue);
}

// SGR parameters of a colour; `base` is 30 for text, 40 for the background.
void append_colour(std::string& to, const Colour& colour, unsigned base, bool true_colour) {
    if (colour.kind == Colour::Kind::standard) return;
    if (colour.kind == Colour::Kind::rgb && true_colour) {
        fmt::format_to(std::back_inserter(to), ";{};2;{};{};{}", base + 8, colour.red, colour.green,
                       colour.blue);
        return;
    }
    const unsigned index = colour.kind == Colour::Kind::rgb ? nearest_of_256(colour) : colour.red;
    if (index < 8)
        fmt::format_to(std::back_inserter(to), ";{}", base + index);
    else if (index < 16)
        fmt::format_to(std::back_inserter(to), ";{}", base + 60 + index - 8);
    else
        fmt::format_to(std::back_inserter(to), ";{};5;{}", base + 8, index);
}

// The modes of a terminal that change what it sends, and how it shows the cursor.
struct Modes {
    bool alternate = false;
    bool cursor_keys = false;
    bool keypad = false;
    bool paste = false;
    bool focus = false;
    int mouse = VTERM_PROP_MOUSE_NONE;
    int cursor_shape = 0; // DECSCUSR; 0: the user's own
    bool cursor_visible = true;
};

} // namespace

struct TerminalScreen::Implementation {
    VTerm* vterm;
    VTermScreen* screen;
    VTermScreenCallbacks callbacks{};
    engine::TerminalSize size;
    bool true_colour;

    std::deque<Row> scrolled; // out of the top since the last draw
    VTermPos cursor{0, 0};
    Modes wanted;
    bool blinks = true;
    int shape = VTERM_PROP_CURSORSHAPE_BLOCK;
    bool bell = false;
    std::string answers;

    std::vector<Row> shown; // on the user's terminal
    bool shown_known = false;
    Modes set;
    Style pen;
    bool pen_known = false;
    std::string unfinished; // the beginning of a mouse report

    Implementation(engine::TerminalSize wanted_size, bool colours)
        : vterm(vterm_new(wanted_size.rows, wanted_size.columns)),
          screen(nullptr),
          size(wanted_size),
          true_colour(colours) {
        if (vterm == nullptr) throw std::bad_alloc();
        vterm_set_utf8(vterm, 1);
        screen = vterm_obtain_screen(vterm);
        callbacks.movecursor = [](VTermPos to, VTermPos, int, void* self) {
            of(self).cursor = to;
            return 1;
        };
        callbacks.settermprop = [](VTermProp prop, VTermValue* value, void* self) {
            return of(self).take_property(prop, *value);
        };
        callbacks.bell = [](void* self) {
            of(self).bell = true;
            return 1;
        };
        callbacks.sb_pushline = [](int columns, const VTermScreenCell* cells, void* self) {
            return of(self).push(columns, cells);
        };
        vterm_screen_set_callbacks(screen, &callbacks, this);
        vterm_screen_enable_altscreen(screen, 1);
        vterm_screen_reset(screen, 1);
    }
    ~Implementation() { vterm_free(vterm); }
    Implementation(const Implementation&) = delete;
    Implementation& operator=(const Implementation&) = delete;

    static Implementation& of(void* self) { return *static_cast<Implementation*>(self); }

    int push(int columns, const VTermScreenCell* cells) {
        if (wanted.alternate) return 1;
        Row row;
        row.reserve(static_cast<std::size_t>(columns));
        for (int i = 0; i < columns; ++i) row.push_back(cell_of(cells[i]));
        row.resize(size.columns);
        scrolled.push_back(std::move(row));
        if (scrolled.size() > most_scrolled) scrolled.pop_front();
        return 1;
    }

    int take_property(VTermProp prop, const VTermValue& value) {
        switch (prop) {
            case VTERM_PROP_CURSORVISIBLE:
                wanted.cursor_visible = value.boolean != 0;
                break;
            case VTERM_PROP_ALTSCREEN:
                wanted.alternate = value.boolean != 0;
                break;
            case VTERM_PROP_MOUSE:
                wanted.mouse = value.number;
                break;
            case VTERM_PROP_CURSORBLINK:
                blinks = value.boolean != 0;
                break;
            case VTERM_PROP_CURSORSHAPE:
                shape = value.number;
                break;
            default: // titles are no part of the picture
                return 1;
        }
        wanted.cursor_shape = 2 * shape - (blinks ? 1 : 0);
        if (wanted.cursor_shape == 1) wanted.cursor_shape = 0; // what every program starts with
        return 1;
    }

    std::string read_output() const {
        std::string text;
        std::array<char, 4096> buffer{};
        for (std::size_t count = 0; (count = vterm_output_read(vterm, buffer.data(), buffer.size())) > 0;)
            text.append(buffer.data(), count);
        return text;
    }

    // Some modes can only be told by what libvterm would send in them.
    void look_at_modes() {
        answers += read_output();
        vterm_keyboard_key(vterm, VTERM_KEY_UP, VTERM_MOD_NONE);
        wanted.cursor_keys = read_output() == "\033OA";
        vterm_keyboard_key(vterm, static_cast<VTermKey>(VTERM_KEY_KP_0), VTERM_MOD_NONE);
        wanted.keypad = read_output() == "\033Op";
        vterm_keyboard_start_paste(vterm);
        wanted.paste = !read_output().empty();
        vterm_state_focus_in(vterm_obtain_state(vterm));
        wanted.focus = !read_output().empty();
    }

    Row current_row(int row) const {
        Row cells(size.columns);
        for (int column = 0; column < size.columns; ++column) {
            VTermScreenCell cell{};
            if (vterm_screen_get_cell(screen, {row, column}, &cell) != 0)
                cells[static_cast<std::size_t>(column)] = cell_of(cell);
        }
        // Of a wide character that was half overwritten nothing is left, as on most terminals.
        for (std::size_t i = 0; i < cells.size(); ++i) {
            const bool follows = i > 0 && cells[i - 1].width == 2;
            const bool followed = i + 1 < cells.size() && cells[i + 1].width == 0;
            if (cells[i].width == 0 ? !follows : cells[i].width == 2 && !followed)
                cells[i] = {{}, 1, cells[i].style};
        }
        return cells;
    }

    static void move_to(std::string& out, int row, std::size_t column) {
        fmt::format_to(std::back_inserter(out), "\033[{};{}H", row + 1, column + 1);
    }

    void use_style(std::string& out, const Style& style) {
        if (pen_known && style == pen) return;
        out += "\033[0";
        if (style.bold) out += ";1";
        if (style.italic) out += ";3";
        if (style.underline != 0) out += style.underline == 2 ? ";21" : ";4";
        if (style.blink) out += ";5";
        if (style.reverse) out += ";7";
        if (style.strike) out += ";9";
        append_colour(out, style.text, 30, true_colour);
        append_colour(out, style.background, 40, true_colour);
        out += 'm';
        pen = style;
        pen_known = true;
    }

    // From the first cell that differs to the last one.
    void draw_row(std::string& out, int number, const Row& row) {
        Row& before = shown[static_cast<std::size_t>(number)];
        std::size_t first = 0;
        while (first < row.size() && row[first] == before[first]) ++first;
        if (first == row.size()) return;
        while (first > 0 && (row[first].width == 0 || before[first].width == 0)) --first;
        std::size_t last = row.size();
        while (last > first && row[last - 1] == before[last - 1]) --last;
        std::size_t end = row.size(); // of what is not blank
        while (end > 0 && row[end - 1].blank()) --end;
        move_to(out, number, first);
        bool placed = true;
        for (std::size_t i = first; i < std::min(last, end); ++i) {
            const Cell& cell = row[i];
            if (cell.width == 0) continue;
            if (!placed) move_to(out, number, i);
            use_style(out, cell.style);
            out += cell.text.empty() ? " " : cell.text;
            // Terminals differ in how wide they think what is not ASCII is.
            placed = cell.text.empty() || (cell.text.size() == 1 && cell.width == 1);
        }
        if (last > end) {
            if (!placed || first < end) move_to(out, number, std::max(first, end));
            use_style(out, {});
            out += "\033[K";
        }
        before = row;
    }

    // One line leaves the top, on its way through the screen.
    void scroll_out(std::string& out, const Row& row) {
        Row fitting = row;
        fitting.resize(size.columns);
        draw_row(out, 0, fitting);
        use_style(out, {});
        move_to(out, size.rows - 1, 0);
        out += '\n';
        shown.erase(shown.begin());
        shown.emplace_back(size.columns);
    }

    void draw_scrolled(std::string& out) {
        for (const Row& row : scrolled) scroll_out(out, row);
        scrolled.clear();
    }

    void clear(std::string& out) {
        use_style(out, {});
        out += "\033[H\033[2J";
        shown.assign(size.rows, Row(size.columns));
        shown_known = true;
    }

    void switch_screen(std::string& out) {
        if (wanted.alternate == set.alternate) return;
        out += wanted.alternate ? "\033[?1049h" : "\033[?1049l";
        set.alternate = wanted.alternate;
        pen_known = false; // it is saved and restored with the screen
        clear(out);
    }

    static void set_mode(std::string& out, bool& is, bool wanted, std::string_view number) {
        if (is == wanted) return;
        fmt::format_to(std::back_inserter(out), "\033[?{}{}", number, wanted ? 'h' : 'l');
        is = wanted;
    }

    void set_modes(std::string& out, const Modes& to) {
        set_mode(out, set.cursor_keys, to.cursor_keys, "1");
        set_mode(out, set.paste, to.paste, "2004");
        set_mode(out, set.focus, to.focus, "1004");
        if (std::exchange(set.keypad, to.keypad) != to.keypad) out += to.keypad ? "\033=" : "\033>";
        if (set.mouse != to.mouse) {
            if (set.mouse != VTERM_PROP_MOUSE_NONE) out += "\033[?1003;1002;1000;1006l";
            if (to.mouse == VTERM_PROP_MOUSE_CLICK) out += "\033[?1000;1006h";
            if (to.mouse == VTERM_PROP_MOUSE_DRAG) out += "\033[?1002;1006h";
            if (to.mouse == VTERM_PROP_MOUSE_MOVE) out += "\033[?1003;1006h";
            set.mouse = to.mouse;
        }
        if (std::exchange(set.cursor_shape, to.cursor_shape) != to.cursor_shape)
            fmt::format_to(std::back_inserter(out), "\033[{} q", to.cursor_shape);
    }

    // A report of the SGR mouse protocol (1006): its length, 0: it is not whole yet; empty: it is none.
    std::optional<std::size_t> take_mouse(std::string_view text) {
        std::array<int, 3> numbers{};
        const char* at = text.data() + 3;
        const char* end = text.data() + text.size();
        for (std::size_t i = 0; i < numbers.size(); ++i) {
            const auto parsed = std::from_chars(at, end, numbers[i]);
            if (parsed.ptr == end) return text.size() > 32 ? std::nullopt : std::optional<std::size_t>(0);
            if (parsed.ec != std::errc{} || (i < 2 && *parsed.ptr != ';')) return std::nullopt;
            at = i < 2 ? parsed.ptr + 1 : parsed.ptr;
        }
        if (*at != 'M' && *at != 'm') return std::nullopt;
        const auto code = static_cast<unsigned>(numbers[0]);
        int modifiers = VTERM_MOD_NONE;
        if ((code & 4U) != 0) modifiers |= VTERM_MOD_SHIFT;
        if ((code & 8U) != 0) modifiers |= VTERM_MOD_ALT;
        if ((code & 16U) != 0) modifiers |= VTERM_MOD_CTRL;
        const auto modifier = static_cast<VTermModifier>(modifiers);
        const int row = std::clamp(numbers[2] - 1, 0, size.rows - 1);
        const int column = std::clamp(numbers[1] - 1, 0, size.columns - 1);
        vterm_mouse_move(vterm, row, column, modifier);
        if ((code & 32U) == 0) {
            const int button = static_cast<int>(code & 3U) + ((code & 64U) != 0 ? 4 : 1);
            vterm_mouse_button(vterm, button, *at == 'M', modifier);
        }
        return static_cast<std::size_t>(at + 1 - text.data());
    }
};

TerminalScreen::TerminalScreen(engine::TerminalSize size, bool true_colour)
    : implementation_(std::make_unique<Implementation>(within_limits(size), true_colour)) {}

TerminalScreen::~TerminalScreen() = default;

void TerminalScreen::write(std::string_view bytes) {
    auto& self = *implementation_;
    while (!bytes.empty()) {
        const auto piece = bytes.substr(0, piece_limit);
        vterm_input_write(self.vterm, piece.data(), piece.size());
        self.answers += self.read_output();
        bytes.remove_prefix(piece.size());
    }
}

std::string TerminalScreen::take_answers() { return std::exchange(implementation_->answers, {}); }

std::string TerminalScreen::typed(std::string_view bytes) {
    constexpr std::string_view report = "\033[<";
    auto& self = *implementation_;
    if (self.set.mouse == VTERM_PROP_MOUSE_NONE)
        return std::exchange(self.unfinished, {}) + std::string(bytes);
    const std::string all = std::exchange(self.unfinished, {}) + std::string(bytes);
    std::string_view rest = all;
    std::string input;
    for (;;) {
        const auto at = rest.find(report);
        input += rest.substr(0, at);
        if (at == std::string_view::npos) return input;
        rest.remove_prefix(at);
        self.answers += self.read_output();
        const auto length = self.take_mouse(rest);
        if (length && *length == 0) {
            self.unfinished = rest;
            return input;
        }
        input += self.read_output();
        if (!length) input += rest.substr(0, report.size());
        rest.remove_prefix(length.value_or(report.size()));
    }
}

std::string TerminalScreen::enter() {
    auto& self = *implementation_;
    std::string out(self.size.rows, '\n');
    out += "\033[?7l"; // no line runs over into the next one
    self.pen_known = false;
    self.clear(out);
    return out;
}

std::string TerminalScreen::draw() {
    auto& self = *implementation_;
    std::string out = "\033[?25l";
    self.look_at_modes();
    if (!self.shown_known) self.clear(out);
    if (!self.set.alternate) self.draw_scrolled(out);
    self.switch_screen(out);
    if (!self.set.alternate) self.draw_scrolled(out);
    // All of it is looked at: libvterm does not tell of each cell that it has changed.
    for (int row = 0; row < self.size.rows; ++row) self.draw_row(out, row, self.current_row(row));
    self.set_modes(out, self.wanted);
    if (std::exchange(self.bell, false)) out += '\a';
    Implementation::move_to(out, self.cursor.row, static_cast<std::size_t>(std::max(self.cursor.col, 0)));
    if (self.wanted.cursor_visible) out += "\033[?25h";
    return out;
}

void TerminalScreen::resize(engine::TerminalSize size) {
    auto& self = *implementation_;
    size = within_limits(size);
    if (size.rows == self.size.rows && size.columns == self.size.columns) return;
    self.size = size;
    vterm_set_size(self.vterm, size.rows, size.columns);
    self.cursor.row = std::clamp(self.cursor.row, 0, size.rows - 1);
    self.cursor.col = std::clamp(self.cursor.col, 0, size.columns - 1);
    forget_shown();
}

void TerminalScreen::forget_shown() {
    implementation_->shown_known = false;
    implementation_->pen_known = false;
    implementation_->set.cursor_visible = true;
}

std::string TerminalScreen::leave() {
    auto& self = *implementation_;
    std::string out;
    if (self.set.alternate) out += "\033[?1049l";
    self.set.alternate = false;
    self.set_modes(out, Modes());
    const auto blank = [&](int row) {
        const Row& cells = self.shown[static_cast<std::size_t>(row)];
        return std::all_of(cells.begin(), cells.end(), [](const Cell& cell) { return cell.blank(); });
    };
    int last = self.cursor.row;
    for (int row = last + 1; row < static_cast<int>(self.shown.size()); ++row)
        if (!blank(row)) last = row;
    Implementation::move_to(out, last, 0);
    out += "\033[0m\033[?7h\033[?25h";
    if (last >= static_cast<int>(self.shown.size()) || !blank(last)) out += "\r\n";
    return out;
}

} // namespace scad::session
