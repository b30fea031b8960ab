#include "session/quarantine.h"

#include "base/error.h"
#include "base/file.h"
#include "base/lock.h"
#include "base/text.h"
#include "session/git_service.h"
#include "session/quarantine_git.h"
#include "session/ref_filter.h"
#include "session/upload_pack_client.h"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <span>

namespace scad::session {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::string_view heads = "refs/heads/";
constexpr std::string_view branches = "refs/session/"; // the twins of refs/heads/
constexpr std::string_view snapshots = "refs/scad/";
constexpr std::string_view lost = "refs/session-lost/";

constexpr std::size_t told_by_name = 20;

std::string object_format(const SessionRepo& repo) {
    return repo.base_commit.size() == 64 ? "sha256" : "sha1";
}

// What is served is read by whoever fetches: no program is started for it (gpg for the archive's
// $Format:%G$), and what is not whole or not the session's is not shown.
std::string quarantine_config(const std::string& format) {
    std::string text = fmt::format(
        "[core]\n\trepositoryformatversion = {}\n\tfilemode = true\n\tbare = true\n\thooksPath = /dev/null\n"
        "\tlogAllRefUpdates = false\n\tpackedGitWindowSize = 16m\n\tpackedGitLimit = "
        "512m\n\tbigFileThreshold = 16m\n"
        "\tfsync = all\n",
        format == "sha1" ? 0 : 1);
    if (format != "sha1") text += fmt::format("[extensions]\n\tobjectFormat = {}\n", format);
    text +=
        "[pack]\n\tthreads = 4\n[gc]\n\tauto = 0\n[maintenance]\n\tauto = false\n[transfer]\n\thideRefs = "
        "refs/quarantine\n"
        "[uploadpack]\n\tallowFilter = true\n[protocol]\n\tallow = never\n[gpg]\n\tprogram = false\n[gpg "
        "\"ssh\"]\n\tprogram = "
        "false\n[gpg \"x509\"]\n\tprogram = false\n";
    return text;
}

void make_quarantine(const Session& session, const SessionRepo& repo) {
    const auto parent = session.repo_directory(repo.name);
    base::sweep_temporaries(parent);
    base::WholeDirectory directory(parent);
    const auto& root = directory.path();
    for (const auto* part : {"objects/info", "objects/pack", "refs/heads", "refs/quarantine"})
        base::make_directories(root / part);
    std::string alternates;
    for (const auto& objects : repo.objects) alternates += base::c_quote(objects.string()) + "\n";
    const auto plain = base::Durability::plain;
    base::replace_file(root / "objects/info/alternates", alternates, 0600, plain);
    base::replace_file(root / "config", quarantine_config(object_format(repo)), 0600, plain);
    base::replace_file(root / "HEAD", fmt::format("ref: {}{}\n", heads, repo.branch), 0600, plain);
    // What the host has already is told in negotiation by this one ref.
    base::replace_file(root / "refs/quarantine/base", repo.base_commit + "\n", 0600,
                       base::Durability::synced);
    directory.commit("quarantine.git"); // false: another fetch was faster, and its quarantine is as good
}

Refs below(const Refs& refs, std::initializer_list<std::string_view> prefixes) {
    Refs found;
    for (const auto& ref : refs)
        for (const auto prefix : prefixes)
            if (ref.first.starts_with(prefix)) found.insert(ref);
    return found;
}

unsigned next_lost_number(const Refs& refs) {
    unsigned next = 1;
    for (const auto& [name, id] : below(refs, {lost})) {
        unsigned number = 0;
        std::from_chars(name.data() + lost.size(), name.data() + name.size(), number);
        next = std::max(next, number + 1);
    }
    return next;
}

// The quarantine's refs once the changes are made: each branch twice.
Refs changed(Refs refs, const RefChanges& changes) {
    const auto twin = [](const std::string& name) {
        return name.starts_with(heads) ? std::string(branches) + name.substr(heads.size()) : name;
    };
    for (const auto& name : changes.deletions) {
        refs.erase(name);
        refs.erase(twin(name));
    }
    for (const auto& [name, id] : changes.lost) refs[name] = id;
    for (const auto& [name, id] : changes.updates) refs[name] = refs[twin(name)] = id;
    return refs;
}

class Update {
  public:
    Update(const Session& session, const SessionRepo& repo, const FetchLimits& limits)
        : session_(session),
          repo_(repo),
          limits_(limits),
          git_(session.quarantine(repo.name), limits.bytes),
          runner_(fetch_runner(session, repo.name)) {
        conversation_.pack = limits.bytes;
        conversation_.end = Clock::now() + limits.time;
    }

    QuarantineReport run() {
        IncomingObjects::sweep(git_.directory());
        follow_shallow();
        const auto before = git_.refs();
        ours_ = below(before, {heads, snapshots});
        auto listed = list();
        QuarantineReport report{git_.directory(), std::move(listed.refused), false};
        fetch(listed.ids, report.refused);
        // When time has run out (a history can be made to take long), a branch counts as rewound: what it was
        // is kept.
        const auto is_ancestor = [&](const std::string& older, const std::string& newer) {
            return Clock::now() < conversation_.end && git_.is_ancestor(older, newer);
        };
        const auto changes = plan_refs(ours_, listed.ids, next_lost_number(before), is_ancestor);
        if (!changes.empty()) git_.write(changed(before, changes));
        report.changed = !changes.empty();
        return report;
    }

  private:
    // A host repo that is shallow makes its sessions and their quarantines shallow at the same commits;
    // nothing else may.
    void follow_shallow() {
        const auto wanted = base::read_if_exists(repo_.common_dir / "shallow");
        const auto path = git_.directory() / "shallow";
        if (wanted) shallow_ = base::lines(*wanted);
        if (base::read_if_exists(path) == wanted) return;
        if (wanted)
            base::replace_file(path, *wanted);
        else
            base::remove_tree(path);
    }

    Error cannot(std::string_view what, const Error& error) const {
        return fatal("cannot {} of '{}' in session '{}': {}", what, repo_.name, session_.name, error.message)
            .with_hint("git scad session exec {} -- git -C /work/{} fsck", session_.name, repo_.name);
    }

    void connect() {
        client_ = std::make_unique<UploadPackClient>(
            open_service(*runner_, repo_.name, GitService::upload_pack, "version=2"), object_format(repo_),
            conversation_);
    }

    ForeignRefs list() {
        try {
            connect();
            return filter_refs(client_->list({std::string(heads), std::string(snapshots)}),
                               repo_.base_commit.size(), limits_.refs);
        } catch (const Error& error) {
            throw cannot("list the refs", error);
        }
    }

    // Brings what is new. `theirs` becomes what the quarantine is to show: a ref that does not come stays as
    // it was.
    void fetch(Refs& theirs, std::vector<std::string>& refused) {
        std::vector<Refs::value_type> wanted;
        for (const auto& ref : theirs)
            if (const auto mine = ours_.find(ref.first); mine == ours_.end() || mine->second != ref.second)
                wanted.push_back(ref);
        if (!wanted.empty()) bring(wanted);
        std::size_t told = 0;
        for (const auto& [name, problem] : problems_) {
            if (++told <= told_by_name)
                refused.push_back(fmt::format("'{}' does not come: {}", base::one_line(name, 100), problem));
            if (const auto mine = ours_.find(name); mine != ours_.end())
                theirs[name] = mine->second;
            else
                theirs.erase(name);
        }
        if (told > told_by_name)
            refused.push_back(fmt::format("{} more refs do not come", told - told_by_name));
    }

    // All at once or, when that fails, in halves, until those that are bad stand alone.
    void bring(std::span<const Refs::value_type> refs) {
        const auto problem = attempt(refs);
        client_.reset(); // one conversation for each attempt: where a failed one stands is not known
        if (problem.empty()) return;
        if (refs.size() == 1) {
            problems_[refs.front().first] = problem;
            return;
        }
        bring(refs.first(refs.size() / 2));
        bring(refs.subspan(refs.size() / 2));
    }

    // Why these refs cannot come together; empty: they have. Fatal when time has run out.
    std::string attempt(std::span<const Refs::value_type> refs) {
        PackRequest request;
        for (const auto& [name, id] : refs) request.wants.push_back(id);
        std::sort(request.wants.begin(), request.wants.end());
        request.wants.erase(std::unique(request.wants.begin(), request.wants.end()), request.wants.end());
        request.haves.push_back(repo_.base_commit);
        for (const auto& [name, id] : ours_) request.haves.push_back(id);
        request.shallow = shallow_;

        IncomingObjects incoming(git_.directory());
        const QuarantineGit git(git_.directory(), limits_.bytes, incoming.path());
        try {
            if (!client_) connect();
            PackReceiver receiver(git, limits_.bytes);
            client_->fetch(request, [&](std::string_view bytes) { receiver.take(bytes); });
            receiver.finish();
        } catch (const Error& error) {
            if (Clock::now() >= conversation_.end || (client_ && client_->out_of_time()))
                throw cannot("fetch the refs", error);
            return error.message;
        }
        if (!git.all_commits(request.wants)) return "it is no commit";
        bool huge = false;
        if (!git.connected(request.wants, limits_.blob, huge))
            return "it is not whole, or cannot be looked through";
        if (huge) return fmt::format("it holds a file above {}", base::format_size(limits_.blob));
        incoming.keep();
        return {};
    }

    const Session& session_;
    const SessionRepo& repo_;
    const FetchLimits& limits_;
    ConversationLimits conversation_;
    QuarantineGit git_;
    std::unique_ptr<engine::Runner> runner_;
    std::unique_ptr<UploadPackClient> client_;
    std::vector<std::string> shallow_;
    Refs ours_;     // branches and snapshots that the quarantine shows
    Refs problems_; // name -> why it does not come
};

} // namespace

FetchLimits fetch_limits(const base::Settings& settings) {
    FetchLimits limits;
    limits.bytes = static_cast<std::uint64_t>(std::max<std::int64_t>(
        1 << 20, settings.get_int("scad.fetchlimit", static_cast<std::int64_t>(limits.bytes))));
    limits.blob = std::min(limits.blob, limits.bytes);
    return limits;
}

QuarantineReport update_quarantine(const Session& session, const std::string& repo, const FetchLimits& limits,
                                   const std::function<void()>& on_wait) {
    const auto* known = session.repo(repo);
    if (known == nullptr) throw fatal("session '{}' has no repo '{}'", session.name, repo);
    const auto lock = base::FileLock::acquire(session.repo_directory(repo) / "quarantine.lock", on_wait);
    if (!std::filesystem::exists(session.quarantine(repo) / "HEAD")) make_quarantine(session, *known);
    return Update(session, *known, limits).run();
}

} // namespace scad::session
