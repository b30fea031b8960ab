#include "session/upload_pack_client.h"

#include "base/error.h"

#include <catch2/catch.hpp>

using namespace scad;
using session::packet;
using session::UploadPackClient;

namespace {

class Nobody : public engine::Running {
  public:
    int fd() const override { return -1; }
    std::optional<engine::RunResult> poll() override { return engine::RunResult{}; }
    engine::RunResult wait(std::chrono::milliseconds) override { return {}; }
    void kill() override {}
};

// A service that says this and ends; what it is asked goes nowhere.
session::OpenService service(const std::string& said, const std::string& words = {}) {
    session::OpenService open;
    auto in = base::make_pipe();
    auto out = base::make_pipe();
    auto errors = base::make_pipe();
    base::write_all(out.write.get(), said);
    base::write_all(errors.write.get(), words);
    static std::vector<base::Fd> readers; // so that writing to the service succeeds
    readers.push_back(std::move(in.read));
    open.to = std::move(in.write);
    open.from = std::move(out.read);
    open.errors = std::move(errors.read);
    open.running = std::make_unique<Nobody>();
    return open;
}

session::ConversationLimits limits() {
    session::ConversationLimits limits;
    limits.answer = limits.silence = std::chrono::seconds(1);
    limits.end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    limits.listing = 1000;
    limits.pack = 100;
    limits.words = 1000;
    return limits;
}

const std::string hello =
    packet("version 2\n") + packet("agent=git/2\n") + packet("object-format=sha1\n") + "0000";
const std::string id(40, 'a');

std::string problem_of(const std::string& answer, const std::string& words = {}) {
    std::string pack;
    try {
        UploadPackClient client(service(hello + answer, words), "sha1", limits());
        client.fetch({{id}, {}, {}}, [&](std::string_view bytes) { pack += bytes; });
    } catch (const Error& error) {
        return error.message;
    }
    return "pack: " + pack;
}

} // namespace

TEST_CASE("refs are listed and a pack is taken from its band", "[session]") {
    UploadPackClient client(
        service(hello + packet(id + " refs/heads/main\n") + packet(id + " refs/heads/x y\n") + "0000"),
        "sha1", limits());
    CHECK(client.list({"refs/heads/"}) == id + "\trefs/heads/main\n" + id + "\trefs/heads/x y\n");
    CHECK(problem_of(packet("packfile\n") + packet("\2counting\n") + packet("\1PA") + packet("\1") +
                     packet("\1CK") + "0000") == "pack: PACK");
}

TEST_CASE("a server that is none, says no or goes on for ever is given up", "[session]") {
    CHECK(problem_of("", "fatal: not a git repository\n") == "fatal: not a git repository");
    CHECK(problem_of(packet("ERR upload-pack: not our ref\x1b[31m\n")).find("not our ref") !=
          std::string::npos);
    CHECK(problem_of(packet("ERR \x1b[31m\n")).find('\x1b') == std::string::npos);
    CHECK(problem_of("", "\x1b[31m").find('\x1b') == std::string::npos);
    CHECK(problem_of(packet("packfile\n") + packet("\3\x1b[31mno\n")).find('\x1b') == std::string::npos);
    CHECK(problem_of(packet("packfile\n") + packet("\1" + std::string(101, 'x'))) ==
          "its pack is larger than 100 B");
    std::string chatter;
    for (int i = 0; i < 20; ++i) chatter += packet("\2" + std::string(100, 'x'));
    CHECK(problem_of(packet("packfile\n") + chatter) == "it says more than there is to say");
    CHECK(problem_of(packet("packfile\n") + packet("\4x")) == "it does not speak git's protocol");
    CHECK(problem_of(packet("shallow-info\n") + packet("shallow " + id + "\n") + "0001")
              .find("it is shallow") == 0);
    CHECK(problem_of("nonsense") == "it does not speak git's protocol");
    CHECK_THROWS_AS(UploadPackClient(service(packet("version 1\n")), "sha1", limits()), Error);
    CHECK_THROWS_AS(UploadPackClient(service(hello), "sha256", limits()), Error);
    std::string endless = hello;
    for (int i = 0; i < 40; ++i) endless += packet(id + " refs/heads/main\n");
    UploadPackClient client(service(endless), "sha1", limits());
    CHECK_THROWS_AS(client.list({"refs/heads/"}), Error);
}

TEST_CASE("silence ends a conversation", "[session]") {
    auto silent = base::make_pipe();
    auto open = service("");
    open.from = std::move(silent.read);
    auto bounds = limits();
    bounds.end = std::chrono::steady_clock::now() + std::chrono::milliseconds(50);
    CHECK_THROWS_AS(UploadPackClient(std::move(open), "sha1", bounds), Error);
}

TEST_CASE("a service that says very much on its stderr does not wait for a reader", "[session]") {
    auto pipe = base::make_pipe();
    session::ForeignWords words(std::move(pipe.read));
    const std::string line = "fatal: \x1b[31mfirst\n" + std::string(100'000, 'x');
    for (int i = 0; i < 20; ++i) base::write_all(pipe.write.get(), line);
    pipe.write.reset();
    CHECK(words.reason(std::chrono::seconds(5)).starts_with("fatal: ^[[31mfirst"));
}
