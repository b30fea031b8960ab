// A program's terminal drawn on another one: the picture is the same, scrolled lines arrive, and nothing but
// a picture does. The user's terminal is played by a bare libvterm.
#include "session/terminal_screen.h"

#include <array>
#include <catch2/catch.hpp>
#include <memory>
#include <random>
#include <regex>
#include <vector>
#include <vterm.h>

using scad::engine::TerminalSize;
using scad::session::TerminalScreen;

namespace {

// Of a wide character: what it looks like is up to the first one, which can be gone.
const std::string half = "second half";

struct Viewer {
    explicit Viewer(TerminalSize wanted)
        : size(wanted), vterm(vterm_new(wanted.rows, wanted.columns), vterm_free) {
        vterm_set_utf8(vterm.get(), 1);
        callbacks.sb_pushline = [](int columns, const VTermScreenCell* cells, void* self) {
            std::string line;
            for (int i = 0; i < columns; ++i)
                line += cells[i].chars[0] == 0 ? ' ' : static_cast<char>(cells[i].chars[0]);
            line.erase(line.find_last_not_of(' ') + 1);
            static_cast<Viewer*>(self)->scrollback.push_back(line);
            return 1;
        };
        vterm_screen_set_callbacks(screen(), &callbacks, this);
        vterm_screen_enable_altscreen(screen(), 1);
        vterm_screen_reset(screen(), 1);
    }
    VTermScreen* screen() const { return vterm_obtain_screen(vterm.get()); }
    void write(const std::string& bytes) const { vterm_input_write(vterm.get(), bytes.data(), bytes.size()); }
    std::string cell(int row, int column) const {
        VTermScreenCell cell{};
        vterm_screen_get_cell(screen(), {row, column}, &cell);
        if (cell.chars[0] == ' ') cell.chars[0] = 0;
        if (cell.chars[0] == 0xFFFFFFFF) return half;
        std::string text;
        for (auto point : cell.chars) text += std::to_string(point) + ",";
        const auto colour = [](const VTermColor& c) {
            return std::to_string(c.type) + ":" + std::to_string(c.rgb.red) +
                   (VTERM_COLOR_IS_INDEXED(&c) ? "" : "," + std::to_string(c.rgb.green));
        };
        return text + std::to_string(cell.attrs.bold) + std::to_string(cell.attrs.underline) +
               std::to_string(cell.attrs.reverse) + colour(cell.fg) + colour(cell.bg);
    }
    std::string row(int number) const {
        std::string text;
        for (int column = 0; column < size.columns; ++column) {
            VTermScreenCell cell{};
            vterm_screen_get_cell(screen(), {number, column}, &cell);
            text += cell.chars[0] == 0 ? ' ' : static_cast<char>(cell.chars[0]);
        }
        text.erase(text.find_last_not_of(' ') + 1);
        return text;
    }
    VTermPos cursor() const {
        VTermPos position{};
        vterm_state_get_cursorpos(vterm_obtain_state(vterm.get()), &position);
        return position;
    }

    TerminalSize size;
    std::unique_ptr<VTerm, void (*)(VTerm*)> vterm;
    VTermScreenCallbacks callbacks{};
    std::vector<std::string> scrollback;
};

// What draw() may say at all.
bool is_a_picture(const std::string& bytes) {
    static const std::regex allowed(
        "\033\\[[0-9;]*[HmKJ]|\033\\[\\?[0-9;]+[hl]|\033[=>]|\033\\[[0-6] q|[\r\n\a]");
    const std::string rest = std::regex_replace(bytes, allowed, "");
    return rest.find_first_of("\033\x7f\b\t\v\f") == std::string::npos &&
           rest.find("\xc2\x9b") == std::string::npos;
}

} // namespace

TEST_CASE("what a program shows is what the user sees", "[session][terminal]") {
    constexpr TerminalSize size{8, 20};
    TerminalScreen screen(size, true);
    const Viewer program(size);
    const Viewer user(size);
    user.write(screen.enter());
    const auto shows = [&](const std::string& bytes) {
        program.write(bytes);
        screen.write(bytes);
        const std::string drawn = screen.draw();
        CHECK(is_a_picture(drawn));
        user.write(drawn);
        for (int row = 0; row < size.rows; ++row)
            for (int column = 0; column < size.columns; ++column) {
                INFO(row << "," << column);
                if (program.cell(row, column) != half)
                    REQUIRE(user.cell(row, column) == program.cell(row, column));
            }
        CHECK(user.cursor().row == program.cursor().row);
        CHECK(user.cursor().col == program.cursor().col);
    };
    SECTION("text and styles") {
        shows(
            "plain \033[1;31mbold red\033[m\r\n\033[7;4munder\033[m \033[38;5;200mx\033[48;2;1;2;3my\033[m");
        shows("\033[3;18Hover the edge of it");
        shows("\033[H\033[2K\033[44m\033[K\033[m");
        shows("wide \xe5\xa5\xbd\xe5\xa5\xbd e\xcc\x81\r\033[C\033[Cx");
        shows("\033[2J\033[8;19H\xe5\xa5\xbd");
    }
    SECTION("the alternate screen and back") {
        shows("$ vi\r\n");
        shows("\033[?1049h\033[Hedited\033[5;5H~");
        shows("\033[?1049l$ ");
        shows("\033[?25l\033[?25h\033[4 q\033[r\033[2;4r\033[2;1H\033[M\033M");
    }
    SECTION("anything") {
        std::mt19937 random(7); // NOLINT: the same each time
        const std::vector<std::string> pieces = {
            "word ",        "\r\n",         "\033[H",   "\033[2J",     "\033[31m", "\033[m",  "\033[7m",
            "\033[5;5H",    "\033[K",       "\033[1J",  "\033[L",      "\033[M",   "\033[2@", "\033[3P",
            "\033[42m",     "\t",           "\b",       "\033[A",      "\033[10C", "\033M",   "\033[2;6r",
            "\033[r",       "\033[?1049h",  "\xff",     "\033[?1049l", "\033[3S",  "\033[2T", "\033[X",
            "\033]0;t\007", "\033Pq\033\\", "e\xcc\x81"};
        for (int round = 0; round < 300; ++round) {
            std::string bytes;
            for (auto count = random() % 12; count > 0; --count) bytes += pieces[random() % pieces.size()];
            shows(bytes);
        }
    }
}

TEST_CASE("lines that scroll out are in the user's scrollback", "[session][terminal]") {
    constexpr TerminalSize size{4, 10};
    TerminalScreen screen(size, false);
    Viewer user(size);
    user.write("before\r\nthat");
    user.write(screen.enter());
    CHECK(user.scrollback == std::vector<std::string>{"before", "that"});
    user.scrollback.clear();
    std::vector<std::string> expected;
    for (int line = 0; line < 50; ++line) {
        screen.write(std::to_string(line) + "\r\n");
        if (line < 47) expected.push_back(std::to_string(line));
        if (line % 7 == 0) user.write(screen.draw());
    }
    user.write(screen.draw());
    CHECK(user.scrollback == expected);
    CHECK(user.row(0) == "47");
    user.write(screen.leave());
    CHECK(user.row(2) == "49");
}

TEST_CASE("hostile output is no more than a picture", "[session][terminal]") {
    TerminalScreen screen({5, 40}, true);
    const auto attack = GENERATE(
        as<std::string>{}, "\033]52;c;AAAA\007", "\033]0;title\033\\", "\033P+q544e\033\\",
        "\033_Gi=1;AAAA\033\\", "\033^x\033\\", "\033[6n\033[c\033[>c\033[0x",
        "\xc2\x9b"
        "6n",
        "\x9b"
        "6n",
        "\033[21t\033[18t", "\033[5i", "\xe2\x80\xae\xe2\x80\x8b\xef\xbb\xbf",
        "\033]52;c;" + std::string(100000, 'A'), "\033#8\033[?3h", "a\xcc\x81\xe2\x80\x8d\xe2\x80\xae");
    screen.write(attack + "x");
    const std::string drawn = screen.draw();
    CHECK(is_a_picture(drawn));
    for (const char* bad :
         {"52;", "title", "\xe2\x80\xae", "\xe2\x80\x8b", "\033]", "\033P", "\033_", "\033^"})
        CHECK(drawn.find(bad) == std::string::npos);
}

TEST_CASE("questions are answered from the picture", "[session][terminal]") {
    TerminalScreen screen({5, 40}, true);
    screen.write("ab\033[6n");
    CHECK(screen.take_answers() == "\033[1;3R");
    CHECK(screen.take_answers().empty());
}

TEST_CASE("the user's terminal has the program's modes, and its own back", "[session][terminal]") {
    TerminalScreen screen({5, 40}, true);
    screen.draw();
    screen.write("\033[?1h\033=\033[?2004h\033[?1002h\033[6 q\033[?25l");
    const std::string drawn = screen.draw();
    for (const char* mode : {"\033[?1h", "\033=", "\033[?2004h", "\033[?1002;1006h", "\033[6 q"})
        CHECK(drawn.find(mode) != std::string::npos);
    CHECK(drawn.find("\033[?25h") == std::string::npos);
    const std::string left = screen.leave();
    for (const char* mode :
         {"\033[?1l", "\033>", "\033[?2004l", "1006l", "\033[0 q", "\033[?25h", "\033[?7h"})
        CHECK(left.find(mode) != std::string::npos);
}

TEST_CASE("the mouse is reported as the program asked for it", "[session][terminal]") {
    TerminalScreen screen({5, 40}, true);
    CHECK(screen.typed("\033[<0;3;2M") == "\033[<0;3;2M"); // nobody asked for reports: it was typed
    screen.write("\033[?1000h");
    screen.draw();
    CHECK(screen.typed("a\033[<0;3;2Mb") == "a\033[M #\"b");
    CHECK(screen.typed("\033[<0;3").empty());
    CHECK(screen.typed(";2m") == "\033[M##\"");
    screen.write("\033[?1006h");
    screen.draw();
    CHECK(screen.typed("\033[<64;3;2M") == "\033[<64;3;2M");
    CHECK(screen.typed("\033[<x\033[A") == "\033[<x\033[A");
}
