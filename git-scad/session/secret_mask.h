#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace scad::session {

// Secrets shorter than this are not masked: they would hide ordinary text.
inline constexpr std::size_t shortest_masked_secret = 8;

// What stands in the place of a secret.
inline constexpr std::string_view mask_text = "***";

// The texts by which these secrets (name -> value) can show up: the value, the value without white space
// around it, and both as they stand in a JSON string. Longest first, none shorter than
// shortest_masked_secret. Pure.
std::vector<std::string> secret_forms(const std::map<std::string, std::string>& secrets);

// Replaces secrets in a stream, also where they are cut by the borders of its pieces. At most one secret's
// length is held back, and only while it may still become one.
class SecretMask {
  public:
    explicit SecretMask(std::vector<std::string> forms) : forms_(std::move(forms)) {}

    // The part of the stream so far that is safe to write.
    std::string feed(std::string_view bytes);
    // What was held back, at the end of the stream.
    std::string flush();
    // A text that stands alone.
    std::string whole(std::string_view text) const;

  private:
    std::string take(bool at_end);

    std::vector<std::string> forms_;
    std::string held_;
    std::size_t covered_ = 0; // bytes at the start of held_ that belong to a secret whose mask was written
};

} // namespace scad::session
