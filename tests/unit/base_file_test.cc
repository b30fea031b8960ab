// Would catch: half-written files, somebody's temporary swept under them, a removal that follows a link or
// stops at a mode-000 directory.
#include "base/error.h"
#include "base/file.h"
#include "base/lock.h"
#include "base_scratch.h"

#include <catch2/catch.hpp>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace scad::base;
namespace fs = std::filesystem;

namespace {

std::size_t count_entries(const fs::path& directory) {
    return static_cast<std::size_t>(
        std::distance(fs::directory_iterator(directory), fs::directory_iterator()));
}

mode_t mode_of(const fs::path& path) {
    struct stat status {};
    return ::lstat(path.c_str(), &status) == 0 ? status.st_mode & 07777 : 0;
}

} // namespace

TEST_CASE("reading files", "[base][file]") {
    const Scratch scratch;
    CHECK(read_file(scratch.file("a", "content")) == "content");
    CHECK(read_file(scratch.file("empty", "")).empty());
    CHECK(read_file(scratch / "a", 7) == "content");
    CHECK_THROWS_WITH(read_file(scratch / "a", 6), Catch::Contains("longer than 6 bytes"));
    CHECK_THROWS_WITH(read_file(scratch / "none"), Catch::Contains("No such file"));
    CHECK_THROWS_WITH(read_file(scratch.path()), Catch::Contains("directory"));
    CHECK_FALSE(read_if_exists(scratch / "none"));
    CHECK_FALSE(read_if_exists(scratch / "a/below"));
    CHECK(read_if_exists(scratch / "a") == "content");
    REQUIRE(::mkfifo((scratch / "fifo").c_str(), 0600) == 0);
    CHECK_THROWS_WITH(read_file(scratch / "fifo"), Catch::Contains("no regular file")); // and does not hang
}

TEST_CASE("replacing files", "[base][file]") {
    const Scratch scratch;
    const auto durability = GENERATE(Durability::synced, Durability::plain);
    replace_file(scratch / "f", "one", 0600, durability);
    CHECK(mode_of(scratch / "f") == 0600);
    const Fd old = open_file(scratch / "f", O_RDONLY);
    replace_file(scratch / "f", "two", 0640, durability);
    CHECK(read_file(scratch / "f") == "two");
    CHECK(read_all(old.get(), 10, "f") == "one"); // a reader keeps what it opened
    CHECK_THROWS_AS(replace_file(scratch / "no/f", "x", 0600, durability), Error);
    fs::create_directory(scratch / "d");
    CHECK_THROWS_AS(replace_file(scratch / "d", "x", 0600, durability), Error);
    CHECK(count_entries(scratch.path()) == 2); // no temporary is left
}

TEST_CASE("making directories", "[base][file]") {
    const Scratch scratch;
    make_directories(scratch / "a/b/c");
    CHECK(mode_of(scratch / "a") == 0700);
    CHECK(mode_of(scratch / "a/b/c") == 0700);
    make_directories(scratch / "a/b/c");
    make_directories(scratch / "a/b/d/");
    CHECK(fs::is_directory(scratch / "a/b/d"));
    scratch.file("f");
    CHECK_THROWS_AS(make_directories(scratch / "f"), Error);
    CHECK_THROWS_AS(make_directories(scratch / "f/g"), Error);
    fs::create_directory_symlink(scratch / "a", scratch / "link");
    make_directories(scratch / "link/x");
    CHECK(fs::is_directory(scratch / "a/x"));
}

TEST_CASE("removing trees", "[base][file]") {
    const Scratch scratch;
    scratch.file("outside/kept");
    const auto tree = scratch / "tree";
    rlimit old_limit{};

    SECTION("nothing there") { remove_tree(tree); }
    SECTION("a file") { scratch.file("tree"); }
    SECTION("a link to a directory") { fs::create_directory_symlink(scratch / "outside", tree); }
    SECTION("links and all kinds of things inside") {
        scratch.file("tree/a/b/c/f");
        scratch.file("tree/a/g");
        fs::create_directory_symlink(scratch / "outside", tree / "a/link");
        fs::create_symlink("/nonexistent", tree / "a/b/dangling");
        REQUIRE(::mkfifo((tree / "a/fifo").c_str(), 0000) == 0);
    }
    SECTION("directories without permissions") {
        scratch.file("tree/work/work/deep/f");
        scratch.file("tree/readonly/f");
        fs::create_directory(tree / "work/empty");
        ::chmod((tree / "work/empty").c_str(), 0000);
        ::chmod((tree / "work/work/deep").c_str(), 0000);
        ::chmod((tree / "work/work").c_str(), 0000);
        ::chmod((tree / "readonly").c_str(), 0500);
        ::chmod(tree.c_str(), 0100);
    }
    SECTION("many entries") {
        for (int i = 0; i < 400; ++i)
            scratch.file("tree/" + std::to_string(i % 7) + "/file-" + std::to_string(i));
    }
    SECTION("deeper than any path") {
        fs::create_directory(tree);
        Fd at = open_file(tree, O_RDONLY | O_DIRECTORY);
        const std::string name(60, 'd');
        for (int i = 0; i < 100; ++i) {
            REQUIRE(::mkdirat(at.get(), name.c_str(), 0700) == 0);
            at = Fd(::openat(at.get(), name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
            REQUIRE(at);
        }
        CHECK(disk_usage(tree) > 0);
        CHECK(::getrlimit(RLIMIT_NOFILE, &old_limit) == 0);
        const rlimit few{32, old_limit.rlim_max}; // and without a descriptor for each level
        CHECK(::setrlimit(RLIMIT_NOFILE, &few) == 0);
    }
    remove_tree(tree);
    if (old_limit.rlim_cur > 0) ::setrlimit(RLIMIT_NOFILE, &old_limit);
    CHECK_FALSE(fs::exists(fs::symlink_status(tree)));
    CHECK(fs::exists(scratch / "outside/kept"));
}

TEST_CASE("removing refuses what has no name", "[base][file]") {
    const auto path = GENERATE(as<std::string>{}, "", "/", ".", "..", "/tmp/..", "/tmp/.");
    CHECK_THROWS_AS(remove_tree(path), Error);
}

TEST_CASE("removing takes a final slash", "[base][file]") {
    const Scratch scratch;
    scratch.file("tree/f");
    remove_tree(scratch.path().native() + "/tree/");
    CHECK_FALSE(fs::exists(scratch / "tree"));
}

TEST_CASE("disk usage", "[base][file]") {
    const Scratch scratch;
    CHECK(disk_usage(scratch / "none") == 0);
    const auto path = scratch / "big";
    replace_file(path, std::string(1 << 20, 'x')); // synced, so that the blocks are there
    CHECK(disk_usage(path) >= 1 << 20);
    CHECK(disk_usage(scratch.path()) >= disk_usage(path));
    fs::create_symlink(path, scratch / "link");
    CHECK(disk_usage(scratch / "link") < 1 << 16);
}

TEST_CASE("whole directories", "[base][file]") {
    const Scratch scratch;
    fs::path temporary;
    {
        WholeDirectory whole(scratch.path());
        temporary = whole.path();
        CHECK(temporary.filename().native().starts_with(".tmp-" + std::to_string(::getpid()) + "-"));
        CHECK(mode_of(temporary) == 0700);
        replace_file(whole.path() / "f", "x");
        CHECK(sweep_temporaries(scratch.path()).empty()); // its maker lives
        WholeDirectory moved(std::move(whole));
        CHECK(moved.commit("name"));
        CHECK(moved.path() == scratch / "name");
    }
    CHECK(read_file(scratch / "name/f") == "x");
    {
        WholeDirectory second(scratch.path());
        CHECK_FALSE(second.commit("name"));
    }
    { const WholeDirectory dropped(scratch.path()); }
    CHECK(count_entries(scratch.path()) == 1);
    CHECK_THROWS_AS(WholeDirectory(scratch / "none"), Error);
}

TEST_CASE("sweeping what dead makers left", "[base][file]") {
    const Scratch scratch;
    CHECK(sweep_temporaries(scratch / "none").empty());
    scratch.file(".tmp-1-a/deep/f");
    scratch.file(".tmp-2-b");
    scratch.file("session/f");
    scratch.file("x.tmp-3");
    const WholeDirectory alive(scratch.path());
    CHECK(sweep_temporaries(scratch.path()) == std::vector<std::string>{".tmp-1-a", ".tmp-2-b"});
    CHECK(fs::exists(alive.path()));
    CHECK(count_entries(scratch.path()) == 3);
}

TEST_CASE("locks", "[base][lock]") {
    const Scratch scratch;
    const auto path = scratch / "locks/a";
    CHECK_FALSE(is_held(path));
    CHECK_FALSE(fs::exists(path)); // asking makes nothing
    bool waited = false;
    auto lock = FileLock::acquire(path, [&] { waited = true; });
    CHECK_FALSE(waited);
    CHECK(mode_of(path) == 0600);
    CHECK(is_held(path));
    CHECK_FALSE(FileLock::try_acquire(path));
    CHECK((::fcntl(lock.fd(), F_GETFD) & FD_CLOEXEC) != 0);
    lock.release();
    CHECK_FALSE(is_held(path));
    CHECK(fs::exists(path));
    {
        const auto again = FileLock::try_acquire(path);
        CHECK(again);
        CHECK(is_held(path));
    }
    CHECK_FALSE(is_held(path));
    fs::create_symlink(path, scratch / "link");
    CHECK_THROWS_AS(FileLock::try_acquire(scratch / "link"), Error);
}

TEST_CASE("opening beneath a directory never leaves it", "[base][fd]") {
    const Scratch scratch;
    scratch.file("in/sub/f", "inside");
    scratch.file("secret", "outside");
    fs::create_symlink("../secret", scratch / "in/link");
    fs::create_directory_symlink("..", scratch / "in/up");
    fs::create_symlink("sub/f", scratch / "in/harmless");
    REQUIRE(::mkfifo((scratch / "in/fifo").c_str(), 0600) == 0);
    const Fd dir = open_file(scratch / "in", O_PATH | O_DIRECTORY);
    const auto fd = open_beneath(dir.get(), "sub/f", O_RDONLY);
    REQUIRE(fd);
    CHECK(read_all(fd->get(), 100, "f") == "inside");
    CHECK((::fcntl(fd->get(), F_GETFD) & FD_CLOEXEC) != 0);
    CHECK_FALSE(open_beneath(dir.get(), "none", O_RDONLY));
    CHECK_FALSE(open_beneath(dir.get(), "sub/f/g", O_RDONLY));
    CHECK(open_beneath(dir.get(), "fifo", O_RDONLY)); // at once, although nobody writes
    CHECK(open_beneath(dir.get(), "sub", O_PATH | O_DIRECTORY));
    const auto made = open_beneath(dir.get(), "sub/new", O_WRONLY | O_CREAT | O_EXCL, 0640);
    CHECK(made);
    for (const auto* name :
         {"link", "up/secret", "../secret", "harmless", "/etc/passwd", "sub/../../secret"}) {
        INFO(name);
        CHECK_THROWS_AS(open_beneath(dir.get(), name, O_RDONLY), Error);
    }
}

TEST_CASE("memory files are sealed", "[base][fd]") {
    const Fd file = make_memory_file("x", "content");
    CHECK(read_all(file.get(), 100, "x") == "content");
    CHECK(::write(file.get(), "y", 1) == -1);
    CHECK(::ftruncate(file.get(), 0) == -1);
}

TEST_CASE("descriptors close with their owner", "[base][fd]") {
    Pipe pipe = make_pipe();
    const int number = pipe.write.get();
    Fd copy = pipe.write.duplicate();
    pipe.write = Fd();
    CHECK(::fcntl(number, F_GETFD) == -1);
    CHECK(write_all(copy.get(), "x"));
    copy.reset();
    CHECK(read_all(pipe.read.get(), 10, "pipe") == "x");
    CHECK_THROWS_AS(read_all(make_memory_file("x", "12345").get(), 4, "x"), Error);
}
