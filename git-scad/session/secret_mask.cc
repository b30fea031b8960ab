#include "session/secret_mask.h"

#include "base/json.h"
#include "base/text.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <utility>

namespace scad::session {

namespace {

struct Span {
    std::size_t begin = 0;
    std::size_t end = 0;
};

// Where any of the forms stands in `text`, overlapping ones of one form joined, in order.
std::vector<Span> find_all(std::string_view text, const std::vector<std::string>& forms) {
    std::vector<Span> found;
    for (const std::string& form : forms) {
        for (std::size_t at = text.find(form); at != std::string_view::npos; at = text.find(form, at + 1)) {
            // Joined at once, so that a text of nothing but overlaps costs no memory.
            if (!found.empty() && found.back().begin <= at && at < found.back().end) {
                found.back().end = std::max(found.back().end, at + form.size());
            } else {
                found.push_back({at, at + form.size()});
            }
        }
    }
    std::sort(found.begin(), found.end(), [](const Span& a, const Span& b) { return a.begin < b.begin; });
    return found;
}

// The first place in `text` from which on it may still become one of the forms; its size when there is none.
std::size_t first_unfinished(std::string_view text, const std::vector<std::string>& forms) {
    std::size_t first = text.size();
    for (const std::string& form : forms) {
        const std::size_t longest = std::min(text.size(), form.size() - 1);
        for (std::size_t length = longest; length > text.size() - first; --length) {
            if (text.substr(text.size() - length) == std::string_view(form).substr(0, length)) {
                first = text.size() - length;
                break;
            }
        }
    }
    return first;
}

} // namespace

std::vector<std::string> secret_forms(const std::map<std::string, std::string>& secrets) {
    std::vector<std::string> forms;
    const auto add = [&](std::string form) {
        if (form.size() >= shortest_masked_secret) forms.push_back(std::move(form));
    };
    for (const auto& [name, value] : secrets) {
        for (const std::string& text : {value, std::string(base::trim(value))}) {
            add(text);
            const std::string quoted = base::to_line(nlohmann::json(text));
            add(quoted.substr(1, quoted.size() - 2)); // without the quotation marks
        }
    }
    std::sort(forms.begin(), forms.end(), [](const std::string& a, const std::string& b) {
        return a.size() != b.size() ? a.size() > b.size() : a < b;
    });
    forms.erase(std::unique(forms.begin(), forms.end()), forms.end());
    return forms;
}

std::string SecretMask::feed(std::string_view bytes) {
    if (forms_.empty()) return std::string(bytes);
    held_ += bytes;
    return take(false);
}

std::string SecretMask::flush() { return take(true); }

std::string SecretMask::whole(std::string_view text) const {
    if (forms_.empty()) return std::string(text);
    SecretMask once(forms_);
    std::string safe = once.feed(text);
    return safe += once.flush();
}

std::string SecretMask::take(bool at_end) {
    const std::size_t cut = at_end ? held_.size() : first_unfinished(held_, forms_);
    std::string safe;
    std::size_t done = std::min(covered_, cut); // what the last mask still covers is passed over
    std::size_t masked = covered_;              // up to here a mask stands already
    for (const Span& span : find_all(held_, forms_)) {
        if (span.begin >= cut) break;
        if (span.begin >= masked) {
            if (span.begin > done) safe.append(held_, done, span.begin - done);
            safe += mask_text;
        }
        masked = std::max(masked, span.end);
        done = std::max(done, std::min(masked, cut));
    }
    if (done < cut) safe.append(held_, done, cut - done);
    covered_ = masked > cut ? masked - cut : 0;
    held_.erase(0, cut);
    return safe;
}

} // namespace scad::session
