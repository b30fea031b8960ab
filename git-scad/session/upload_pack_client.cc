#include "session/upload_pack_client.h"

#include "base/error.h"
#include "base/text.h"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

namespace scad::session {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kept_words = std::size_t{64} << 10;
constexpr std::chrono::milliseconds time_for_last_words{200};

int milliseconds_until(Clock::time_point end) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now()).count();
    return static_cast<int>(std::clamp<std::int64_t>(left, 0, INT_MAX));
}

// True once one of these can be used, false when `end` has come first.
bool wait_until(int fd, short events, Clock::time_point end) {
    for (;;) {
        pollfd asked{fd, events, 0};
        const int count = ::poll(&asked, 1, milliseconds_until(end));
        if (count > 0) return true;
        if (count == 0 && Clock::now() >= end) return false;
        if (count < 0 && errno != EINTR) throw system_error(errno, "cannot wait for a git service");
    }
}

std::string_view without_newline(std::string_view text) {
    if (text.ends_with('\n')) text.remove_suffix(1);
    return text;
}

} // namespace

std::string telling_line(std::string_view words) {
    const auto said = base::lines(words);
    for (const auto* start : {"fatal: ", "error: ", "remote: "})
        for (const auto& line : said)
            if (line.starts_with(start)) return base::one_line(line, 300);
    return said.empty() ? std::string() : base::one_line(said.back(), 300);
}

ForeignWords::ForeignWords(base::Fd from)
    : from_(std::move(from)),
      stop_(base::make_pipe()),
      ended_(base::make_pipe()),
      thread_([this] { read(); }) {}

ForeignWords::~ForeignWords() {
    stop_.write.reset();
    thread_.join();
}

void ForeignWords::read() {
    char piece[4096];
    for (;;) {
        pollfd asked[] = {{from_.get(), POLLIN, 0}, {stop_.read.get(), POLLIN, 0}};
        if (::poll(asked, 2, -1) < 0 && errno != EINTR) break;
        if (asked[1].revents != 0) break;
        if (asked[0].revents == 0) continue;
        const auto count = ::read(from_.get(), piece, sizeof piece);
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) break;
        text_.append(piece, std::min(static_cast<std::size_t>(count), kept_words - text_.size()));
    }
    ended_.write.reset();
}

std::string ForeignWords::reason(std::chrono::milliseconds limit) {
    // The text is the thread's until it has ended.
    if (!wait_until(ended_.read.get(), POLLIN, Clock::now() + limit)) return {};
    return telling_line(text_);
}

UploadPackClient::UploadPackClient(OpenService service, std::string format, const ConversationLimits& limits)
    : service_(std::move(service)),
      format_(std::move(format)),
      limits_(limits),
      words_(std::move(service_.errors)),
      patience_(limits.answer) {
    if (without_newline(receive().payload) != "version 2")
        give_up("it does not speak version 2 of git's protocol");
    std::string theirs = "sha1"; // of servers that do not name it
    for (auto said = receive(); said.kind == Packet::Kind::data; said = receive()) {
        constexpr std::string_view object_format = "object-format=";
        const auto capability = without_newline(said.payload);
        if (!capability.starts_with(object_format)) continue;
        theirs = capability.substr(object_format.size());
        names_format_ = true;
    }
    if (theirs != format_)
        give_up(
            fmt::format("its objects are of the format '{}', not '{}'", base::one_line(theirs, 40), format_));
}

void UploadPackClient::give_up(const std::string& why) {
    service_.running->kill();
    throw fatal("{}", why);
}

void UploadPackClient::time_is_up() {
    out_of_time_ = true;
    give_up(Clock::now() >= limits_.end ? "it takes too long"
                                        : "no answer within " + base::format_duration(patience_));
}

void UploadPackClient::ended(const std::string& where) {
    service_.to.reset();
    const auto said = words_.reason(time_for_last_words);
    give_up(said.empty() ? "it ended " + where : said);
}

void UploadPackClient::send(std::string_view bytes) {
    while (!bytes.empty()) {
        if (!wait_until(service_.to.get(), POLLOUT, std::min(limits_.end, Clock::now() + patience_)))
            time_is_up();
        // What poll(2) promises that a pipe takes without waiting.
        const auto count =
            ::write(service_.to.get(), bytes.data(), std::min<std::size_t>(bytes.size(), PIPE_BUF));
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) ended("before it was asked");
        bytes.remove_prefix(static_cast<std::size_t>(count));
    }
}

Packet UploadPackClient::receive() {
    for (;;) {
        std::optional<Packet> whole;
        try {
            whole = reader_.next();
        } catch (const Error& error) {
            give_up(error.message);
        }
        if (whole) {
            if (whole->payload.starts_with("ERR "))
                give_up(base::one_line(without_newline(std::string_view(whole->payload).substr(4)), 300));
            return std::move(*whole);
        }
        if (!wait_until(service_.from.get(), POLLIN, std::min(limits_.end, Clock::now() + patience_)))
            time_is_up();
        char piece[std::size_t{64} << 10];
        const auto count = ::read(service_.from.get(), piece, sizeof piece);
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) ended("in the middle");
        reader_.feed({piece, static_cast<std::size_t>(count)});
    }
}

std::string UploadPackClient::command(std::string_view name) const {
    auto text = packet(fmt::format("command={}\n", name));
    if (names_format_) text += packet(fmt::format("object-format={}\n", format_));
    return text.append(delimiter_packet);
}

std::string UploadPackClient::list(const std::vector<std::string>& prefixes) {
    auto request = command("ls-refs");
    for (const auto& prefix : prefixes) request += packet(fmt::format("ref-prefix {}\n", prefix));
    send(request.append(flush_packet));
    std::string listing;
    for (auto said = receive(); said.kind == Packet::Kind::data; said = receive()) {
        std::string line(without_newline(said.payload));
        if (const auto space = line.find(' '); space != std::string::npos) line[space] = '\t';
        listing += line + '\n';
        if (listing.size() > limits_.listing)
            give_up(fmt::format("its list of refs is longer than {}", base::format_size(limits_.listing)));
    }
    return listing;
}

void UploadPackClient::fetch(const PackRequest& request, const std::function<void(std::string_view)>& take) {
    patience_ = limits_.silence;
    auto text = command("fetch") + packet("thin-pack\n") + packet("ofs-delta\n") + packet("no-progress\n");
    for (const auto& id : request.shallow) text += packet(fmt::format("shallow {}\n", id));
    for (const auto& id : request.wants) text += packet(fmt::format("want {}\n", id));
    for (const auto& id : request.haves) text += packet(fmt::format("have {}\n", id));
    send(text + packet("done\n").append(flush_packet));

    auto said = receive();
    if (said.payload == "shallow-info\n") {
        for (said = receive(); said.kind == Packet::Kind::data; said = receive()) {
            constexpr std::string_view shallow = "shallow ";
            const auto line = without_newline(said.payload);
            const auto known = [&](const auto& id) { return line.substr(shallow.size()) == id; };
            if (line.starts_with(shallow) &&
                std::none_of(request.shallow.begin(), request.shallow.end(), known))
                give_up("it is shallow: `git fetch --unshallow` in the session first");
            other_bytes_ += line.size();
            if (other_bytes_ > limits_.words) give_up("it says more than there is to say");
        }
        said = receive();
    }
    if (said.payload != "packfile\n") give_up("it sends no pack");
    std::uint64_t bytes = 0;
    for (said = receive(); said.kind == Packet::Kind::data; said = receive()) {
        const auto payload = std::string_view(said.payload);
        const auto content = payload.substr(std::min<std::size_t>(1, payload.size()));
        const char band = payload.empty() ? '\0' : payload.front();
        if (band == '\3') give_up(base::one_line(without_newline(content), 300));
        if (band != '\1' && band != '\2') give_up("it does not speak git's protocol");
        if (band == '\2' || content.empty()) {
            other_bytes_ += payload.size() + 4;
            if (other_bytes_ > limits_.words) give_up("it says more than there is to say");
            continue;
        }
        bytes += content.size();
        if (bytes > limits_.pack)
            give_up(fmt::format("its pack is larger than {}", base::format_size(limits_.pack)));
        take(content);
    }
}

} // namespace scad::session
