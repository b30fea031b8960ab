#pragma once

#include "agent/events.h"
#include "base/fd.h"
#include "session/capped_log.h"
#include "session/job.h"
#include "session/secret_mask.h"

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace scad::session {

inline constexpr std::uint64_t events_limit = std::uint64_t{64} << 20; // bytes of one job's events.jsonl

// What a job says, on disk: output.log (both streams, raw, capped) and events.jsonl (what the agent's reader
// makes of its standard output; past events_limit only errors and the result). Secrets are masked in both. A
// job of agent "command" has no reader: its output is its output.
class JobLog {
  public:
    // Makes both files in jobs/<n>. Fatal when they cannot be made, or the reader is unknown.
    JobLog(const Job& job, const std::map<std::string, std::string>& secrets);
    ~JobLog();

    // A piece of one stream, and the events that it made (masked, written already).
    std::vector<agent::Event> output(std::string_view bytes);
    void errors(std::string_view bytes);
    // An event of scad's own.
    void add(const agent::Event& event, std::int64_t now);
    // At the end of both streams: everything held back is written and the log made whole. The events that
    // were still to come go into `last`.
    agent::Verdict finish(int wait_status, std::vector<agent::Event>& last);

  private:
    std::vector<agent::Event> read(std::string_view masked);
    agent::Event masked(agent::Event event) const;

    CappedLog log_;
    base::Fd events_;
    std::uint64_t events_size_ = 0;
    bool events_full_ = false;
    SecretMask out_mask_;
    SecretMask err_mask_;
    std::unique_ptr<agent::EventReader> reader_; // none: agent "command"
    std::string err_tail_;
    bool reader_failed_ = false;
};

} // namespace scad::session
