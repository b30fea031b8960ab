#include "engine/init/modes.h"

#include <cctype>
#include <cstdio>

int main(int argc, char** argv) {
    scad::init::Arguments words(argv + (argc > 0 ? 1 : 0), argv + argc);
    if (!words.empty()) {
        std::string_view mode = words.front();
        scad::init::Arguments rest(words.begin() + 1, words.end());
        if (mode == "stage") return scad::init::run_stage(rest);
        if (mode == "send") return scad::init::run_send(rest);
        if (mode == "receive") return scad::init::run_receive(rest);
        if (mode == "connect") return scad::init::run_connect(rest);
        if (mode == "write") return scad::init::run_write(rest);
        if (!mode.empty() && std::isdigit(static_cast<unsigned char>(mode.front())) != 0)
            return scad::init::run_process_one(words);
    }
    std::fputs("scad-init is started by scad, as process 1 of a sandbox\n", stderr);
    return 2;
}
