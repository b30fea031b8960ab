#include "engine/transfer/transfer.h"

#include "engine/init/modes.h"

#include <csignal>
#include <cstdio>
#include <string>

namespace scad::init {

namespace {

int fail(const transfer::Failure& failure) {
    std::fprintf(stderr, "%s\n", failure.what());
    return 1;
}

bool go_on(const transfer::Totals&) { return true; }

} // namespace

int run_send(const Arguments& words) {
    if (words.size() != 1) return 2;
    std::signal(SIGPIPE, SIG_IGN);
    try {
        transfer::send(std::string(words[0]), 1, go_on);
        return 0;
    } catch (const transfer::Failure& failure) {
        return fail(failure);
    }
}

int run_receive(const Arguments& words) {
    if (words.size() != 2) return 2;
    transfer::ReceiveOptions options;
    options.destination = words[0];
    options.name = words[1];
    try {
        const auto totals = transfer::receive(0, options, go_on).totals;
        std::printf("%llu %llu\n", static_cast<unsigned long long>(totals.special),
                    static_cast<unsigned long long>(totals.links));
        return 0;
    } catch (const transfer::Failure& failure) {
        return fail(failure);
    }
}

} // namespace scad::init
