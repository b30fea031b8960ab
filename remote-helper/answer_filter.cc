#include "answer_filter.h"

#include "base/unicode.h"

namespace scad::remote_helper {

std::string safe_payload(std::string_view payload) {
    std::string safe;
    if (!payload.empty() && payload.front() >= '\1' && payload.front() <= '\3') { // the band
        safe += payload.front();
        payload.remove_prefix(1);
    }
    while (!payload.empty()) {
        const auto decoded = base::decode_utf8(payload);
        const bool framing = decoded.point == U'\n' || decoded.point == U'\r' || decoded.point == U'\t' ||
                             decoded.point == U'\0';
        if (framing || (decoded.valid && !base::is_hidden(decoded.point)))
            safe += payload.substr(0, decoded.length);
        else
            safe.append(decoded.length, '?');
        payload.remove_prefix(decoded.length);
    }
    return safe;
}

std::string AnswerFilter::pass(std::string_view bytes) {
    reader_.feed(bytes);
    std::string safe;
    while (const auto packet = reader_.next()) {
        using Kind = session::Packet::Kind;
        switch (packet->kind) {
            case Kind::data:
                safe += session::packet(safe_payload(packet->payload));
                break;
            case Kind::flush:
                safe += session::flush_packet;
                break;
            case Kind::delimiter:
                safe += session::delimiter_packet;
                break;
            case Kind::response_end:
                safe += "0002";
                break;
        }
    }
    return safe;
}

} // namespace scad::remote_helper
