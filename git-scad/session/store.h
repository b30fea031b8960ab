#pragma once

#include "base/context.h"
#include "base/lock.h"
#include "session/session.h"

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace scad::session {

struct Entry {
    Session session;
    Status status;
    State state = State::lost;
};

// The sessions on this machine: state/sessions. Every call reads the disk as it is now and, cheaply, sweeps
// or repairs what a killed command left (temporary directories, half-removed sessions).
class Store {
  public:
    explicit Store(base::Paths paths);

    std::vector<Entry> list() const; // by name; one that cannot be read is State::damaged with only its name
    // By name, unambiguous prefix. Fatal: unknown (nearest names; says when it is in the trash: `git scad
    // session undelete`), ambiguous (the names).
    Entry find(const std::string& name) const;
    Entry find_exact(const std::string& name) const; // rm, finish, scad:: urls
    // "a,b", quoted patterns ('loader-*'); none given: all. Each pattern must match.
    std::vector<Entry> select(const std::vector<std::string>& names) const;
    State state_of(const Session& session) const;
    bool exists(const std::string& name) const;
    bool in_trash(const std::string& name) const;

    // The lock of a name: start, stop, resume, rm hold it. Says on stderr (by `on_wait`) when it has to wait.
    base::FileLock lock(const std::string& name, const std::function<void()>& on_wait) const;
    std::optional<base::FileLock> try_lock(const std::string& name) const;

    // The next generated name of a project (or --name stem): <stem>-<n>, counted on in state/names, never
    // given twice.
    std::string generate_name(const std::string& stem) const;

    // Into the trash as <name>.<time>; back again (the newest of that name; fatal when a session of that name
    // is there now). What lies in the trash.
    std::filesystem::path to_trash(const Session& session, std::int64_t now) const;
    Session from_trash(const std::string& name) const;
    struct Trashed {
        std::string name;
        std::int64_t removed = 0;
        std::filesystem::path directory;
    };
    std::vector<Trashed> trash() const;

    const base::Paths& paths() const { return paths_; }

  private:
    base::Paths paths_;
};

} // namespace scad::session
