// Would catch: handlers that run after their registration is gone, descriptors of the caller made
// non-blocking, relays that lose bytes or never end.
#include "base/error.h"
#include "base/loop.h"
#include "base/relay.h"
#include "base_scratch.h"

#include <catch2/catch.hpp>
#include <csignal>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

using namespace scad::base;
using namespace std::chrono_literals;

namespace {

bool is_non_blocking(int fd) { return (::fcntl(fd, F_GETFL) & O_NONBLOCK) != 0; }

Pipe socket_pair() {
    int ends[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
    return {Fd(ends[0]), Fd(ends[1])};
}

} // namespace

TEST_CASE("readable and writable, level-triggered", "[base][loop]") {
    Loop loop;
    const Pipe pipe = make_pipe();
    std::string got;
    int writes = 0;
    Loop::Handle reader;
    Loop::Handle writer;
    reader = loop.on_readable(pipe.read.get(), [&] {
        char c = 0; // one byte of many at a time: the rest must call again
        if (::read(pipe.read.get(), &c, 1) == 1) got += c;
        if (got.size() == 9) reader.reset();
    });
    writer = loop.on_writable(pipe.write.get(), [&] {
        write_all(pipe.write.get(), "abc");
        if (++writes == 3) writer.reset();
    });
    loop.run(); // ends because nothing is registered any more
    CHECK(got == "abcabcabc");
    CHECK_FALSE(is_non_blocking(pipe.read.get()));
    CHECK_FALSE(is_non_blocking(pipe.write.get()));
}

TEST_CASE("both directions of one descriptor", "[base][loop]") {
    Loop loop;
    const Pipe pair = socket_pair();
    bool read = false;
    bool written = false;
    Loop::Handle reader;
    Loop::Handle writer;
    reader = loop.on_readable(pair.read.get(), [&] {
        read = true;
        reader.reset();
    });
    writer = loop.on_writable(pair.read.get(), [&] {
        written = true;
        writer.reset();
        write_all(pair.write.get(), "x");
    });
    loop.run();
    CHECK(read);
    CHECK(written);
}

TEST_CASE("end of file and closed readers wake", "[base][loop]") {
    Loop loop;
    Pipe pipe = make_pipe();
    Pipe other = make_pipe();
    pipe.write.reset();
    int calls = 0;
    Loop::Handle eof;
    eof = loop.on_readable(pipe.read.get(), [&] {
        ++calls;
        eof.reset();
    });
    Loop::Handle broken;
    while (::write(other.write.get(), std::string(4096, 'x').data(), 4096) == 4096 && calls++ < 15) {
    }
    calls = 0;
    broken = loop.on_writable(other.write.get(), [&] {
        ++calls;
        broken.reset();
    });
    loop.post([&] { other.read.reset(); });
    loop.run();
    CHECK(calls == 2);
}

TEST_CASE("files are always ready", "[base][loop]") {
    const Scratch scratch;
    Loop loop;
    const Fd file = open_file(scratch.file("f", "ab"), O_RDONLY);
    const Fd null = open_file("/dev/null", O_WRONLY);
    std::string got;
    Loop::Handle reader;
    reader = loop.on_readable(file.get(), [&] {
        char c = 0;
        if (::read(file.get(), &c, 1) == 1) {
            got += c;
        } else {
            reader.reset();
        }
    });
    int writes = 0;
    Loop::Handle writer;
    writer = loop.on_writable(null.get(), [&] {
        if (++writes == 3) writer.reset();
    });
    loop.run();
    CHECK(got == "ab");
    CHECK(writes == 3);
}

TEST_CASE("one handler may end another", "[base][loop]") {
    Loop loop;
    const Pipe one = make_pipe();
    const Pipe two = make_pipe();
    write_all(one.write.get(), "x");
    write_all(two.write.get(), "x");
    int calls = 0;
    Loop::Handle first;
    Loop::Handle second;
    const auto handler = [&] {
        ++calls;
        first.reset();
        second.reset();
    };
    first = loop.on_readable(one.read.get(), handler);
    second = loop.on_readable(two.read.get(), handler);
    loop.run();
    CHECK(calls == 1);
}

TEST_CASE("timers", "[base][loop]") {
    Loop loop;
    std::string order;
    const auto late = loop.after(20ms, [&] { order += 'l'; });
    const auto soon = loop.after(1ms, [&] { order += 's'; });
    auto never = loop.after(5ms, [&] { order += 'n'; });
    loop.post([&] {
        order += 'p';
        never.reset();
    });
    int ticks = 0;
    Loop::Handle ticker;
    ticker = loop.every(2ms, [&] {
        if (++ticks == 3) ticker.reset();
    });
    loop.run();
    CHECK(order == "psl");
    CHECK(ticks == 3);
}

TEST_CASE("handlers that throw end run", "[base][loop]") {
    Loop loop;
    const Pipe pipe = make_pipe();
    write_all(pipe.write.get(), "x");
    int calls = 0;
    Loop::Handle reader = loop.on_readable(pipe.read.get(), [&] {
        if (++calls == 1) throw fatal("from the handler");
        reader.reset();
    });
    CHECK_THROWS_WITH(loop.run(), "from the handler");
    loop.run(); // and it can go on
    CHECK(calls == 2);
}

TEST_CASE("stop", "[base][loop]") {
    Loop loop;
    int ticks = 0;
    const auto ticker = loop.every(1ms, [&] {
        if (++ticks % 2 == 0) loop.stop();
    });
    loop.run();
    CHECK(ticks == 2);
    loop.run();
    CHECK(ticks == 4);
}

TEST_CASE("registrations may outlive the loop and the descriptor", "[base][loop]") {
    Loop::Handle reader;
    Loop::Handle timer;
    Pipe pipe = make_pipe();
    {
        Loop loop;
        reader = loop.on_readable(pipe.read.get(), [] {});
        timer = loop.after(1h, [] {});
        pipe.read.reset();
    }
    reader.reset();
    timer.reset();
}

TEST_CASE("signals arrive in the loop", "[base][loop]") {
    Loop loop;
    std::vector<int> got;
    Loop::Handle handle;
    handle = loop.on_signals({SIGUSR1, SIGUSR2}, [&](int number) {
        got.push_back(number);
        if (got.size() == 2) handle.reset();
    });
    ::raise(SIGUSR1);
    ::raise(SIGUSR2);
    loop.run();
    CHECK(got == std::vector<int>{SIGUSR1, SIGUSR2});
    sigset_t mask;
    ::pthread_sigmask(SIG_SETMASK, nullptr, &mask);
    CHECK(::sigismember(&mask, SIGUSR1) == 0); // as before
}

TEST_CASE("relays copy all and say how they ended", "[base][relay]") {
    ::signal(SIGPIPE, SIG_IGN);
    const bool from_socket = GENERATE(false, true);
    const bool to_socket = GENERATE(false, true);
    Loop loop;
    Pipe in = from_socket ? socket_pair() : make_pipe();
    Pipe out = to_socket ? socket_pair() : make_pipe();
    const Fd in_watch = in.read.duplicate();
    std::string sent;
    for (int i = 0; i < 200000; ++i) sent += std::to_string(i);
    std::optional<Relay::Ended> ended;
    std::uint64_t bytes = 0;
    RelayOptions options;

    SECTION("to the end of file, with a slow reader") {
        std::string got;
        std::size_t offered = 0;
        std::size_t most_in_flight = 0;
        Relay relay(loop, std::move(in.read), std::move(out.write), options,
                    [&](Relay::Ended how, std::uint64_t count) {
                        ended = how;
                        bytes = count;
                    });
        Loop::Handle feeder;
        feeder = loop.on_writable(in.write.get(), [&] {
            const std::size_t piece = std::min<std::size_t>(4096, sent.size() - offered);
            write_all(in.write.get(), std::string_view(sent).substr(offered, piece));
            offered += piece;
            most_in_flight = std::max(most_in_flight, offered - got.size());
            if (offered == sent.size()) {
                feeder.reset();
                in.write.reset();
            }
        });
        Loop::Handle reader;
        reader = loop.on_readable(out.read.get(), [&] {
            char buffer[1500];
            const ssize_t count = ::read(out.read.get(), buffer, sizeof buffer);
            if (count > 0) {
                got.append(buffer, static_cast<std::size_t>(count));
            } else {
                reader.reset();
            }
        });
        loop.run();
        CHECK(got == sent);
        CHECK(ended == Relay::Ended::end_of_file);
        CHECK(bytes == sent.size());
        CHECK(most_in_flight < sent.size()); // the writer had to wait
        CHECK_FALSE(is_non_blocking(in_watch.get()));
    }
    SECTION("up to a limit, through a filter") {
        options.limit = 10;
        options.filter = [](std::string_view piece) { return "<" + std::string(piece) + ">"; };
        write_all(in.write.get(), "0123456789abcdef");
        Relay relay(loop, std::move(in.read), std::move(out.write), options,
                    [&](Relay::Ended how, std::uint64_t count) {
                        ended = how;
                        bytes = count;
                    });
        loop.run();
        CHECK(ended == Relay::Ended::limit);
        CHECK(bytes == 10);
        CHECK(read_all(out.read.get(), 100, "out") == "<0123456789>");
    }
    SECTION("exactly the limit is no excess") {
        options.limit = 3;
        write_all(in.write.get(), "abc");
        in.write.reset();
        Relay relay(loop, std::move(in.read), std::move(out.write), options,
                    [&](Relay::Ended how, std::uint64_t) { ended = how; });
        loop.run();
        CHECK(ended == Relay::Ended::end_of_file);
    }
    SECTION("until the reader is gone") {
        out.read.reset();
        write_all(in.write.get(), "x");
        Relay relay(loop, std::move(in.read), std::move(out.write), options,
                    [&](Relay::Ended how, std::uint64_t) { ended = how; });
        loop.run();
        CHECK(ended == Relay::Ended::reader_gone);
    }
    SECTION("its owner may drop it in the handler, or before") {
        std::unique_ptr<Relay> relay;
        in.write.reset();
        relay = std::make_unique<Relay>(loop, std::move(in.read), std::move(out.write), options,
                                        [&](Relay::Ended how, std::uint64_t) {
                                            ended = how;
                                            relay.reset();
                                        });
        if (from_socket) relay.reset();
        loop.run();
        CHECK(ended.has_value() == !from_socket);
    }
}
