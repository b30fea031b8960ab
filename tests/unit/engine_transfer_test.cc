// Files that come out of a session: what a hostile sender can say, and a stream that is cut anywhere.
#include "base/fd.h"
#include "base_scratch.h"
#include "engine/transfer/stream.h"
#include "engine/transfer/transfer.h"

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace scad;
using namespace scad::transfer;
namespace fs = std::filesystem;

namespace {

// A stream as a sender would write it.
class Script {
  public:
    Script() : file_(::memfd_create("stream", MFD_CLOEXEC)), writer_(file_.get(), [] {}) {
        writer_.put(magic.data(), magic.size());
    }
    Script& folder(const std::string& name, std::uint32_t mode = 0755) {
        return named(Kind::folder, name, mode);
    }
    Script& up() { return kind(Kind::up); }
    Script& file(const std::string& name, const std::string& content = "x", std::uint32_t mode = 0644) {
        named(Kind::file, name, mode);
        if (!content.empty()) writer_.text(content);
        writer_.number(0);
        return *this;
    }
    Script& link(const std::string& name, const std::string& target) {
        kind(Kind::link);
        writer_.text(name);
        writer_.text(target);
        return *this;
    }
    Script& kind(Kind kind) {
        writer_.kind(kind);
        return *this;
    }
    std::string bytes() {
        writer_.flush();
        ::lseek(file_.get(), 0, SEEK_SET);
        return base::read_all(file_.get(), 1 << 24, "stream");
    }

  private:
    Script& named(Kind what, const std::string& name, std::uint32_t mode) {
        writer_.kind(what);
        writer_.text(name);
        writer_.attributes({mode, 0, 1'000'000'000});
        return *this;
    }
    base::Fd file_;
    Writer writer_;
};

Received take(const fs::path& folder, const std::string& bytes, ReceiveOptions options = {}) {
    const auto in = base::make_memory_file("in", bytes);
    options.destination = folder.string();
    options.name = "top";
    options.guarded = true;
    return receive(in.get(), options, [](const Totals&) { return true; });
}

std::size_t entries(const fs::path& folder) {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
}

} // namespace

TEST_CASE("a folder comes out as it went in", "[transfer]") {
    const Scratch scratch;
    const auto from = scratch.path() / "from";
    const auto to = scratch.path() / "to";
    fs::create_directories(from / "sub");
    fs::create_directories(to);
    std::ofstream(from / "sub" / "data") << std::string(300'000, 'a') << std::string(300'000, '\0') << 'z';
    std::ofstream(from / "empty") << "";
    fs::permissions(from / "empty", fs::perms::owner_all);
    fs::create_symlink("sub/data", from / "link");
    fs::create_symlink("../outside", from / "out");
    ::mkfifo((from / "fifo").c_str(), 0600);
    const base::Fd stream(::memfd_create("stream", MFD_CLOEXEC));
    const auto sent = send(from.string(), stream.get(), [](const Totals&) { return true; });
    CHECK(sent.special == 1);
    ::lseek(stream.get(), 0, SEEK_SET);
    const auto received = take(to, base::read_all(stream.get(), 1 << 24, "stream"));
    CHECK(received.path == (to / "top").string());
    CHECK(received.totals.bytes == 600'001);
    CHECK(received.totals.links == 1);
    CHECK(received.totals.special == 1);
    const auto read = [](const fs::path& path) {
        std::ifstream file(path);
        return std::string(std::istreambuf_iterator<char>(file), {});
    };
    CHECK(read(to / "top/sub/data") == read(from / "sub/data"));
    CHECK(fs::read_symlink(to / "top/link") == "sub/data");
    CHECK((fs::status(to / "top/empty").permissions() & fs::perms::owner_all) == fs::perms::owner_all);
    CHECK(fs::last_write_time(to / "top/sub/data") == fs::last_write_time(from / "sub/data"));
    CHECK(entries(to) == 1);
    CHECK(entries(to / "top") == 3);
}

TEST_CASE("a hostile sender cannot lead out of the folder", "[transfer]") {
    const Scratch scratch;
    const auto to = scratch.path() / "to";
    fs::create_directories(to);
    const auto name = GENERATE(as<std::string>{}, "..", ".", "", "a/b", "/etc/passwd", "../x",
                               std::string("a\0b", 3), std::string(255, 'a') + "b");
    CHECK_THROWS_AS(take(to, Script().folder("top").file(name).up().kind(Kind::end).bytes()), Failure);
    CHECK_THROWS_AS(take(to, Script().folder("top").folder(name).up().up().kind(Kind::end).bytes()), Failure);
    CHECK_THROWS_AS(take(to, Script().folder("top").link(name, "x").up().kind(Kind::end).bytes()), Failure);
    CHECK(entries(to) == 0);
    CHECK(entries(scratch.path()) == 1);
}

TEST_CASE("malformed streams make nothing", "[transfer]") {
    const Scratch scratch;
    const auto to = scratch.path() / "to";
    fs::create_directories(to);
    Script script;
    SECTION("nothing") { script.kind(Kind::end); }
    SECTION("two tops") { script.file("a").file("b").kind(Kind::end); }
    SECTION("a link on top") { script.link("a", "b").kind(Kind::end); }
    SECTION("up from the top") { script.folder("a").up().up().kind(Kind::end); }
    SECTION("not closed") { script.folder("a").kind(Kind::end); }
    SECTION("the same name twice") { script.folder("a").file("x").file("x").up().kind(Kind::end); }
    SECTION("a file below a link") {
        script.folder("a").link("x", "y").folder("x").up().up().kind(Kind::end);
    }
    SECTION("too deep") {
        for (int i = 0; i < 300; ++i) script.folder("d");
    }
    SECTION("an unknown kind") { script.kind(static_cast<Kind>(99)); }
    CHECK_THROWS_AS(take(to, script.bytes()), Failure);
    CHECK(entries(to) == 0);
}

TEST_CASE("a stream that is cut anywhere leaves nothing", "[transfer]") {
    const Scratch scratch;
    const auto to = scratch.path() / "to";
    fs::create_directories(to);
    const auto bytes = Script()
                           .folder("a")
                           .file("x", "content")
                           .folder("b")
                           .link("l", "../x")
                           .up()
                           .up()
                           .kind(Kind::end)
                           .bytes();
    for (std::size_t size = 0; size < bytes.size(); ++size) {
        CHECK_THROWS_AS(take(to, bytes.substr(0, size)), Failure);
        REQUIRE(entries(to) == 0);
    }
    CHECK(take(to, bytes).totals.files == 2);
}

TEST_CASE("what git or a terminal would obey stays out", "[transfer]") {
    const Scratch scratch;
    const auto to = scratch.path() / "to";
    fs::create_directories(to);
    const auto received = take(to, Script()
                                       .folder("top")
                                       .folder(".git")
                                       .file("config")
                                       .up()
                                       .folder("sub")
                                       .file(".GIT")
                                       .up()
                                       .folder("bare")
                                       .file("HEAD")
                                       .folder("objects")
                                       .up()
                                       .file("config")
                                       .folder("refs")
                                       .file("x")
                                       .up()
                                       .up()
                                       .folder("linked")
                                       .file("commondir")
                                       .file("HEAD")
                                       .up()
                                       .file("evil\033]0;x")
                                       .file("suid", "x", 06755)
                                       .link("absolute", "/etc/passwd")
                                       .link("up", "sub/../../x")
                                       .link("fine", "sub/../suid")
                                       .up()
                                       .kind(Kind::end)
                                       .bytes());
    CHECK(received.totals.git == 4);
    CHECK(received.totals.names == 1);
    CHECK(received.totals.links == 2);
    const auto top = to / "top";
    CHECK(!fs::exists(top / ".git"));
    CHECK(!fs::exists(top / "sub/.GIT"));
    CHECK(!fs::exists(top / "bare/refs"));
    CHECK(!fs::exists(top / "linked/HEAD"));
    CHECK(fs::is_symlink(top / "fine"));
    struct stat status {};
    REQUIRE(::stat((top / "suid").c_str(), &status) == 0);
    CHECK((status.st_mode & 07000U) == 0);
}

TEST_CASE("where a transfer ends up", "[transfer]") {
    const Scratch scratch;
    const auto to = scratch.path() / "to";
    fs::create_directories(to / "top");
    const auto folder = Script().folder("a").file("x").up().kind(Kind::end).bytes();
    const auto file = Script().file("a", "new").kind(Kind::end).bytes();
    CHECK_THROWS_WITH(take(to, folder), Catch::Contains("already"));
    CHECK_THROWS_WITH(take(to, file), Catch::Contains("is a folder already"));
    CHECK(take(to / "other", folder).path == (to / "other").string());
    CHECK_THROWS_AS(take(to / "none/", folder), Failure);
    CHECK_THROWS_AS(take(to / "none" / "x", folder), Failure);
    // A file replaces a file, and a link itself, not what it leads to.
    std::ofstream(to / "kept") << "kept";
    fs::create_symlink("kept", to / "link");
    take(to / "link", file);
    CHECK(!fs::is_symlink(to / "link"));
    CHECK(fs::file_size(to / "kept") == 4);
    // Over the limit, and given up.
    ReceiveOptions small;
    small.most_bytes = 2;
    CHECK_THROWS_WITH(take(to / "new", file, small), Catch::Contains("limit"));
    CHECK(!fs::exists(to / "new"));
    // What a killed one left goes; what another one holds stays.
    fs::create_directories(to / ".scad-cp-1" / "deep");
    take(to / "new", file);
    CHECK(!fs::exists(to / ".scad-cp-1"));
    CHECK(base_name("/work/code/") == "code");
    CHECK(base_name("..").empty());
}
