#pragma once

#include "engine/engine.h"

#include <memory>
#include <string>
#include <string_view>

namespace scad::session {

// A program's terminal, and a picture of it on the user's own, as tmux(1) makes one. What the program writes
// is foreign: it is interpreted here (libvterm) and drawn anew from the cells, so that no byte of it reaches
// the user's terminal. What a terminal can do besides showing cells (clipboard, title, device control,
// reports) does not come through; questions of the program are answered from here.
//
// It holds no descriptor: bytes in, bytes out.
class TerminalScreen {
  public:
    // `true_colour`: the user's terminal shows 24-bit colours; else the nearest of 256.
    TerminalScreen(engine::TerminalSize size, bool true_colour);
    ~TerminalScreen();
    TerminalScreen(const TerminalScreen&) = delete;
    TerminalScreen& operator=(const TerminalScreen&) = delete;

    // What the program wrote.
    void write(std::string_view bytes);
    // For the program's input: what a terminal answers to the questions in it.
    std::string take_answers();
    // What the user's terminal sent, as the program's input: keys as they are, mouse reports as the program
    // wants them.
    std::string typed(std::string_view bytes);

    // For the user's terminal: makes room (what it showed is scrolled out, not lost).
    std::string enter();
    // Brings it from what it shows to what the program's terminal shows now. Lines that scrolled out go
    // through it, so that they can be found in its scrollback.
    std::string draw();
    // After a change of size, or when something else has written on it: draw() starts from nothing.
    void resize(engine::TerminalSize size);
    void forget_shown();
    // All modes as they were, the cursor below what was shown.
    std::string leave();

  private:
    struct Implementation;
    std::unique_ptr<Implementation> implementation_;
};

} // namespace scad::session
