#pragma once

#include "session/packet_line.h"

#include <string>
#include <string_view>

namespace scad::remote_helper {

// What git-receive-pack(1) answers to a push, on its way to the user's git, which prints much of it as it is:
// progress, what hooks say (side-band-64k in gitprotocol-pack(5)), names of refs, reasons. It is text
// throughout, so whatever could move a terminal becomes "?" in place, and the packets keep their lengths,
// also those that are packed in others.
class AnswerFilter {
  public:
    // The packets that are whole by now, made safe. Fatal when the bytes are none.
    std::string pass(std::string_view bytes);

  private:
    session::PacketReader reader_;
};

// One payload. Each one stands for itself, so that nothing can be put together from two halves. Pure.
std::string safe_payload(std::string_view payload);

} // namespace scad::remote_helper
